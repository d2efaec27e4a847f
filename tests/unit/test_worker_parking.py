"""Executions that cannot go on are parked; those that only were there when the server died are not."""

from __future__ import annotations

import asyncio

import pytest

from stepwell.engine import actor as actor_module
from stepwell.engine import codec
from stepwell.engine.messages import Stop, Succeeded
from stepwell.engine.parking import DIED
from stepwell.kernel.errors import StorageError, StorageUnavailable
from stepwell.kernel.jsontext import Json
from worker_house import CALLBACK, WorkerHouse, one, open_worker, task, turns

WAIT = one({"Type": "Wait", "Seconds": 10})


async def test_what_was_there_when_the_server_died_is_counted_once_and_acquitted() -> None:
    """A long call is in flight over many restarts; each of them calls it again, and none parks it."""
    async with open_worker(one(task())) as house:
        key = await house.start()
        for _ in range(5):
            house.restart()
            await house.gained()
            assert len(house.tasks.calls) == 1
            row = await house.row(key)
            assert (row.fault, row.faults) == (None, 0)


async def test_an_execution_that_ends_the_server_three_times_is_parked_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_worker(WAIT) as house:
        execution = house.execution()
        assert await house.storage.journal.start(codec.to_new(execution), None) is None  # it has to begin
        key = execution.key
        for count in (1, 2, 3):
            house.restart()
            await die_advancing(house, monkeypatch)
            assert (await house.row(key)).faults == count
        house.restart()
        await house.gained()
        row = await house.row(key)
        assert (row.fault, row.status, row.seq) == (DIED, "RUNNING", 0)
        assert row.retry_at is not None
        await house.clock.advance(row.retry_at - house.clock.now())
        await house.worker.retry_parked()
        await turns()
        row = await house.row(key)
        assert (row.seq, row.fault, row.faults, row.retry_at) == (1, None, 0, None)


async def die_advancing(house: WorkerHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recover in a process that never comes back from ``advance``, and ends."""

    async def never_back(*_args: object) -> bool:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(actor_module.Actor, "_advance", never_back)
        await house.gained()
    await house.worker.shut_down(0)


async def test_of_many_that_were_at_work_when_the_server_died_one_after_the_other_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the first death they were all counted; after that a death is counted against one alone."""
    async with open_worker(WAIT) as house:
        keys = []
        for name in "abcd":
            execution = house.execution(name)
            assert await house.storage.journal.start(codec.to_new(execution), None) is None
            keys.append(execution.key)
        for _ in range(3):
            house.restart()
            await die_advancing(house, monkeypatch)
        assert sorted([(await house.row(key)).faults for key in keys]) == [1, 1, 1, 3]


async def test_a_parked_execution_is_left_alone_until_its_time_also_after_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_worker(one(task())) as house:
        key = await house.start()
        with monkeypatch.context() as patch:
            patch.setattr(actor_module, "advance", _broken)
            house.tasks.succeed()
            await turns()
        row = await house.row(key)
        assert row.fault == "ZeroDivisionError: broken"
        assert row.faults == 1
        house.restart()
        await house.gained()
        await house.worker.recover()
        await turns()
        assert house.tasks.calls == []
        await house.clock.advance(2)
        await house.worker.retry_parked()
        await turns()
        assert len(house.tasks.calls) == 1
        house.tasks.succeed()
        await turns()
        row = await house.row(key)
        assert (row.status, row.fault, row.faults, row.retry_at) == ("SUCCEEDED", None, 0, None)


async def test_each_failure_of_a_parked_execution_makes_its_rest_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if what fails is the result of a task that has to be called again."""
    async with open_worker(one(task())) as house:
        key = await house.start()
        rests = []
        for _ in range(4):
            with monkeypatch.context() as patch:
                patch.setattr(actor_module, "advance", _broken)
                house.tasks.succeed()
                await turns()
            row = await house.row(key)
            assert row.retry_at is not None
            rests.append(round(row.retry_at - house.clock.now()))
            house.restart()
            await house.clock.advance(rests[-1])
            await house.worker.retry_parked()
            await turns()
        assert rests == [2, 4, 8, 16]


async def test_the_result_of_a_task_is_kept_while_its_execution_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is not called again."""
    async with open_worker(one(task())) as house:
        key = await house.start()
        with monkeypatch.context() as patch:
            patch.setattr(actor_module, "advance", _broken)
            house.tasks.succeed()
            await turns()
        await house.clock.advance(2)
        await house.worker.retry_parked()
        await turns()
        assert (await house.row(key)).status == "SUCCEEDED"
        assert len(house.tasks.calls) == 1


async def test_a_parked_execution_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_worker(one(task())) as house:
        key = await house.start()
        with monkeypatch.context() as patch:
            patch.setattr(actor_module, "advance", _broken)
            house.tasks.succeed()
            await turns()
        assert await house.worker.tell(key, Stop("E", "C"))
        row = await house.row(key)
        assert (row.status, row.fault) == ("ABORTED", None)
        assert house.worker.loaded == 0


async def test_an_execution_whose_definition_is_missing_is_parked_and_its_callers_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_worker(one(task(CALLBACK))) as house:
        key = await house.start()
        house.restart()

        async def missing(definition: str) -> object:
            raise KeyError(definition)

        monkeypatch.setattr(house.machines, "get", missing)
        with pytest.raises(KeyError):
            await asyncio.wait_for(house.worker.tell(key, Succeeded(1, 5, Json({}), callback=True)), 5)
        assert (await house.row(key)).fault == "KeyError: 'd'"


async def test_a_decision_that_the_database_refuses_parks_the_execution() -> None:
    """Trying it again at once would be refused for ever."""
    async with open_worker(one(task(CALLBACK))) as house:
        key = await house.start()

        async def refuse() -> None:
            raise StorageError("string or blob too big")

        house.journal.before = refuse
        with pytest.raises(StorageError):
            await house.worker.tell(key, Stop())
        assert (await house.row(key)).fault == "StorageError: string or blob too big"
        house.journal.before = None
        assert await house.worker.tell(key, Stop())


async def test_what_waits_for_the_database_is_not_parked() -> None:
    async with open_worker(one(task())) as house:
        key = await house.start()

        async def fail() -> None:
            raise StorageUnavailable("down")

        house.journal.before = fail
        house.tasks.succeed()
        await turns()
        house.journal.before = None
        await house.clock.advance(1)
        await turns()
        row = await house.row(key)
        assert (row.status, row.fault) == ("SUCCEEDED", None)
        assert len(house.tasks.calls) == 1, "the result was in hand"


def _broken(*_args: object) -> object:
    raise ZeroDivisionError("broken")
