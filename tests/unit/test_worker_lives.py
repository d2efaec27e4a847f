"""What happens between a worker's loads, losses, starts and stops: nobody waits for ever, and nothing is called too late."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stepwell.engine import codec
from stepwell.engine.journal import Key
from stepwell.engine.messages import Stop, Succeeded
from stepwell.engine.tasks import TaskSubmitted
from stepwell.engine.timers import RINGS, NearTimers
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import Fenced, StorageUnavailable
from stepwell.kernel.jsontext import Json
from worker_house import CALL, CALLBACK, SYNC, one, open_worker, task, turns

ALL = range(256)


class Gate:
    """A write that waits until it is let through."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


async def test_an_execution_that_another_server_accepted_begins_before_it_is_stopped() -> None:
    async with open_worker(one(task())) as house:
        execution = house.execution()
        assert await house.storage.journal.start(codec.to_new(execution), None) is None
        assert await house.worker.tell(execution.key, Stop())
        assert (await house.types(execution.key))[0] == "ExecutionStarted"
        assert (await house.row(execution.key)).status == "ABORTED"
        assert house.tasks.calls == []


async def test_a_decision_that_becomes_durable_after_the_partition_was_lost_is_answered_and_has_no_effect() -> None:
    """The new owner calls the task."""
    two = {"StartAt": "A", "States": {"A": task(CALLBACK, Next="B"), "B": task(End=True)}}
    async with open_worker(two) as house:
        key = await house.start()
        house.tasks.waiting[0].set_result(TaskSubmitted(output=Json({})))
        await turns()
        gate = house.journal.after = Gate()
        answer = asyncio.ensure_future(house.worker.tell(key, Succeeded(1, 3, Json({}), callback=True)))
        await gate.reached.wait()
        house.worker.release(ALL)
        gate.open.set()
        assert await asyncio.wait_for(answer, 5)
        assert (await house.types(key))[-1] == "TaskStarted"
        assert [call.state for call in house.tasks.calls] == ["A"]
        assert house.worker.loaded == 0


async def test_an_old_owners_last_write_does_not_disturb_the_new_one() -> None:
    """The partition was lost and gained again at once: the first actor's end must not remove the second."""
    async with open_worker(one(task())) as house:
        key = await house.start()
        gate = house.journal.before = Gate()
        answer = asyncio.ensure_future(house.worker.tell(key, Stop()))
        await gate.reached.wait()
        house.worker.release(ALL)
        house.journal.before = None
        await house.gained()
        second = house.worker.execution(key)
        assert second is not None

        async def fenced() -> None:
            raise Fenced("the epoch has passed")

        house.journal.after = fenced
        gate.open.set()
        with pytest.raises(Fenced):
            await asyncio.wait_for(answer, 5)
        assert house.worker.execution(key) is second


async def test_a_call_that_waits_is_not_begun_once_the_partition_is_lost() -> None:
    async with open_worker(one(task())) as house:
        house.ownership.acting.clear()
        await house.start()
        house.ownership.everything = False
        house.worker.release(ALL)
        house.ownership.acting.set()
        await turns()
        assert house.tasks.calls == []


async def test_a_job_that_was_accepted_leaves_its_place_to_other_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand executions that wait for their children must not keep the children's tasks from being called."""
    monkeypatch.setattr("stepwell.engine.worker.CALLS", 1)
    async with open_worker(one(task(SYNC))) as house:
        await house.start("a")
        await house.start("b")
        assert len(house.tasks.calls) == 2


async def test_calls_that_are_answered_at_once_hold_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.engine.worker.CALLS", 1)
    async with open_worker(one(task(CALL))) as house:
        await house.start("a")
        await house.start("b")
        assert len(house.tasks.calls) == 1
        house.tasks.succeed()
        await turns()
        assert len(house.tasks.calls) == 2


async def test_a_start_whose_caller_leaves_goes_on_all_the_same() -> None:
    """It may be durable already, and nobody else would take it up."""
    async with open_worker(one(task())) as house:
        gate = house.journal.after = Gate()
        execution = house.execution()
        start = asyncio.ensure_future(house.worker.start(execution))
        await gate.reached.wait()
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await start
        gate.open.set()
        await turns()
        assert len(house.tasks.calls) == 1
        assert house.worker.execution(execution.key) is execution


async def test_a_start_whose_answer_is_lost_goes_on_if_it_was_written() -> None:
    async with open_worker(one(task())) as house:

        async def lose() -> None:
            house.journal.after = None
            raise StorageUnavailable("the connection was lost")

        house.journal.after = lose
        with pytest.raises(StorageUnavailable):
            await house.worker.start(house.execution())
        await turns()
        assert len(house.tasks.calls) == 1


async def test_a_stopping_worker_begins_no_calls_and_leaves_nothing_running() -> None:
    """What was decided in the meantime is called when the server is back."""
    two = {"StartAt": "A", "States": {"A": task(Next="B"), "B": task(End=True)}}
    async with open_worker(two) as house:
        key = await house.start()
        gate = house.journal.before = Gate()
        house.tasks.succeed()
        await gate.reached.wait()
        stopped = asyncio.ensure_future(house.worker.shut_down(5))
        await turns()
        gate.open.set()
        await stopped
        assert [call.state for call in house.tasks.calls] == ["A"]
        house.journal.before = None
        house.restart()
        await house.gained()
        assert [call.state for call in house.tasks.calls] == ["B"]
        assert (await house.row(key)).status == "RUNNING"


async def test_a_worker_stops_although_the_database_does_not_answer() -> None:
    async with open_worker(one(task(CALLBACK))) as house:
        key = await house.start()
        gate = house.journal.before = Gate()
        answer = asyncio.ensure_future(house.worker.tell(key, Stop()))
        await gate.reached.wait()
        await asyncio.wait_for(house.worker.shut_down(0), 5)
        with pytest.raises(StorageUnavailable):
            await answer


async def test_executions_that_wait_for_a_token_leave_the_memory() -> None:
    """Also if the commit was so fast that their call had not quite ended."""
    async with open_worker(one(task(CALLBACK))) as house:
        house.restart(loaded=1)
        for name in "abc":
            await house.start(name)
        assert house.worker.loaded == 3
        for answer in house.tasks.waiting:
            answer.set_result(TaskSubmitted(output=Json({})))
        await turns()
        assert house.worker.loaded == 1


async def test_many_timers_that_ring_together_let_others_have_their_turn() -> None:
    clock = ManualClock()
    rung: list[int] = []
    timers = NearTimers(clock, lambda key, frame, kind, due: rung.append(frame))
    for frame in range(RINGS + 1):
        timers.add(Key(0, b"x"), frame, "wait", clock.now() + 1)
    settled: list[int] = []

    async def settle() -> None:
        settled.append(len(rung))

    clock.settlers.append(settle)
    await clock.advance(1)
    assert settled == [0, RINGS, RINGS + 1]
    assert len(timers) == 0


async def test_more_timers_than_are_held_at_a_time_all_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.engine.worker.TIMERS", 2)
    async with open_worker(one({"Type": "Wait", "Seconds": 30})) as house:
        keys = [await house.start(name) for name in "abcde"]
        house.worker.timers.clear()
        house.restart()
        house.clock.settlers.append(turns)
        scan = asyncio.ensure_future(house.worker.scan_timers())
        await house.clock.advance(40)
        await asyncio.wait_for(scan, 5)
        assert [(await house.row(key)).status for key in keys] == ["SUCCEEDED"] * 5
