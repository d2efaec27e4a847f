"""The durable worker on a database in memory: forgetting, parking, waiting for ends, recovery, large maps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine_house import KEYS, KnownMachine, ScriptedRunner, checked, new_execution, stored_events
from stepwell.engine import actor
from stepwell.engine.activities import ActivityTask
from stepwell.engine.journal import ExecutionRow, Key
from stepwell.engine.memory import MemoryRun
from stepwell.engine.messages import Stop, Succeeded
from stepwell.engine.parking import LONGEST_PAUSE
from stepwell.engine.state import Execution
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import StorageUnavailable
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from stepwell.storage.bundle import Storage, open_storage

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 20, "End": True}}}
TASK: dict[str, Any] = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
ASK: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
COUNT = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    },
}


@dataclass
class Site:
    """Workers, one after the other, on one database."""

    storage: Storage
    clock: ManualClock = field(default_factory=ManualClock)
    ids: SeededIds = field(default_factory=SeededIds)

    def __post_init__(self) -> None:
        self.script: dict[str, list[Any]] = {}
        self.runner = ScriptedRunner(self.clock, self.script)
        self.workers: list[Worker] = []

    def worker(self, definition: dict[str, Any], script: dict[str, list[Any]] | None = None, **more: Any) -> Worker:
        self.machine = checked(definition)
        self.runner = ScriptedRunner(self.clock, script or {})
        made = Worker(
            self.storage.journal,
            KnownMachine(self.machine),
            self.runner,
            self.clock,
            self.ids,
            Tokens(KEYS),
            **more,
        )
        self.workers.append(made)
        return made

    def execution(self, name: str = "x", document: Any = None) -> Execution:
        arn = f"arn:aws:states:us-east-1:000000000000:execution:m:{name}"
        return new_execution(self.machine, Json({} if document is None else document), self.clock.now(), arn=arn)

    async def row(self, key: Key) -> ExecutionRow:
        row = await self.storage.journal.row_by_key(key)
        assert row is not None
        return row

    async def closed(self, key: Key) -> ExecutionRow:
        """The row, once the execution has ended; an error after five seconds."""
        async with asyncio.timeout(5):
            while (row := await self.row(key)).status == "RUNNING":
                await asyncio.sleep(0)
        return row


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    storage = await open_storage("sqlite::memory:")
    await storage.membership.join()
    made = Site(storage)
    yield made
    for worker in made.workers:
        await worker.shut_down(0)
    await storage.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Let the event loop turn until it holds; an error after five seconds."""
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0)


# ------------------------------------------------------------------ memory
async def test_waiting_executions_leave_the_memory_the_oldest_first(site: Site) -> None:
    worker = site.worker(WAIT, loaded=2)
    executions = [site.execution(str(number)) for number in range(5)]
    for execution in executions:
        assert await worker.start(execution) is None
    assert worker.loaded == 2
    assert [worker.execution(execution.key) is not None for execution in executions] == [False] * 3 + [True] * 2


async def test_an_execution_that_left_the_memory_is_loaded_by_its_timer(site: Site) -> None:
    worker = site.worker(WAIT, loaded=0)
    execution = site.execution()
    await worker.start(execution)
    assert worker.loaded == 0
    await site.clock.advance(20)
    assert (await site.closed(execution.key)).status == "SUCCEEDED"
    assert worker.loaded == 0


async def test_an_ended_execution_leaves_the_memory(site: Site) -> None:
    worker = site.worker(TASK, {"T": [{"succeed": 1}]})
    execution = site.execution()
    await worker.start(execution)
    await site.closed(execution.key)
    await until(lambda: _true(worker.loaded == 0))


async def _true(value: bool) -> bool:
    return value


# ------------------------------------------------------------------ messages
async def test_a_message_for_an_unknown_execution_counts_for_nothing(site: Site) -> None:
    worker = site.worker(TASK)
    assert await worker.tell(Key(3, b"?" * 16), Stop()) is False
    assert worker.loaded == 0


async def test_a_message_for_an_ended_execution_counts_for_nothing(site: Site) -> None:
    worker = site.worker(TASK, {"T": [{"succeed": 1}]})
    execution = site.execution()
    await worker.start(execution)
    await site.closed(execution.key)
    assert await worker.tell(execution.key, Stop()) is False


async def test_an_answer_comes_after_its_effect_is_durable(site: Site) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)
    assert await worker.tell(execution.key, Stop("E", "c")) is True
    row = await site.row(execution.key)
    assert (row.status, row.error, row.cause) == ("ABORTED", "E", "c")


async def test_of_two_results_at_once_one_counts(site: Site) -> None:
    worker = site.worker(TASK)
    execution = site.execution()
    await worker.start(execution)
    answers = await asyncio.gather(
        worker.tell(execution.key, Succeeded(1, 3, Json("first"))),
        worker.tell(execution.key, Succeeded(1, 3, Json("second"))),
    )
    assert list(answers) == [True, False]
    assert (await site.row(execution.key)).output == '"first"'


async def test_a_name_that_is_taken_gives_the_row_that_has_it(site: Site) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    assert await worker.start(execution) is None
    twin = site.execution()
    taken = await worker.start(twin)
    assert taken is not None
    assert taken.arn == execution.arn


# ------------------------------------------------------------------ waiting for the end
async def test_wait_closed_returns_when_the_execution_ends(site: Site) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)
    waiting = asyncio.ensure_future(worker.wait_closed(execution.arn, 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await worker.tell(execution.key, Stop())
    async with asyncio.timeout(5):
        await waiting


async def test_wait_closed_gives_up_after_its_time(site: Site) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)
    await worker.wait_closed(execution.arn, 0)
    assert (await site.row(execution.key)).status == "RUNNING"


# ------------------------------------------------------------------ faults
async def test_an_execution_whose_advance_raises_is_parked_and_goes_on_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)

    def broken(*_given: Any) -> Any:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(actor, "advance", broken)
        with pytest.raises(ZeroDivisionError):
            await worker.tell(execution.key, Stop())
    row = await site.row(execution.key)
    assert (row.status, row.fault, row.faults) == ("RUNNING", "ZeroDivisionError: a bug", 1)
    assert row.retry_at is not None
    assert row.retry_at > site.clock.now()
    assert worker.execution(execution.key) is None

    site.clock.settlers.append(worker.settle)
    await site.clock.advance(row.retry_at - site.clock.now())
    await worker.retry_parked()
    await worker.settle()
    row = await site.row(execution.key)
    assert (row.status, row.fault, row.faults) == ("RUNNING", None, 0)
    assert await worker.tell(execution.key, Stop()) is True


async def test_repeated_faults_make_longer_pauses(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)

    def broken(*_given: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(actor, "advance", broken)
    pauses = []
    for _ in range(12):
        with pytest.raises(ZeroDivisionError):
            await worker.tell(execution.key, Stop())
        row = await site.row(execution.key)
        assert row.retry_at is not None
        pauses.append(row.retry_at - site.clock.now())
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == LONGEST_PAUSE


async def test_a_write_that_fails_loses_nothing_but_its_caller(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = site.worker(WAIT)
    execution = site.execution()
    await worker.start(execution)

    async def broken(_append: Any) -> None:
        raise StorageUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(site.storage.journal, "append", broken)
        with pytest.raises(StorageUnavailable):
            await worker.tell(execution.key, Stop())
    assert worker.execution(execution.key) is None
    site.clock.settlers.append(lambda: asyncio.sleep(0))
    await site.clock.advance(actor.RETRY_SECONDS)
    assert await worker.tell(execution.key, Stop()) is True


async def test_a_task_result_survives_a_write_that_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = site.worker(TASK, {"T": [{"succeed": "kept"}]})
    execution = site.execution()
    journal, failed = site.storage.journal, asyncio.Event()

    async def broken(_append: Any) -> None:
        failed.set()
        raise StorageUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append", broken)
        await worker.start(execution)
        async with asyncio.timeout(5):
            await failed.wait()
    await until(lambda: _true(site.clock.next_due() is not None))
    await site.clock.advance(actor.RETRY_SECONDS)
    row = await site.closed(execution.key)
    assert (row.status, row.output) == ("SUCCEEDED", '"kept"')


# ------------------------------------------------------------------ recovery
async def test_a_new_worker_calls_an_unfinished_task_again_with_the_same_key(site: Site) -> None:
    first = site.worker(TASK)
    execution = site.execution()
    await first.start(execution)
    await until(lambda: _true(len(site.runner.calls) == 1))
    key = site.runner.calls[0][1].key
    await first.shut_down(0)
    second = site.worker(TASK, {"T": [{"echo": 1}]})
    await second.recover()
    assert (await site.closed(execution.key)).status == "SUCCEEDED"
    assert [call.key for _, call in site.runner.calls] == [key]


async def test_a_new_worker_takes_up_timers(site: Site) -> None:
    first = site.worker(WAIT)
    execution = site.execution()
    await first.start(execution)
    await first.shut_down(0)
    second = site.worker(WAIT)
    await second.recover()
    await site.clock.advance(20)
    assert (await site.closed(execution.key)).status == "SUCCEEDED"


async def test_a_new_worker_starts_what_was_only_accepted(site: Site) -> None:
    first = site.worker(WAIT)
    await first.shut_down(0)
    execution = site.execution()
    await first.start(execution)
    assert (await site.row(execution.key)).seq == 0
    second = site.worker(WAIT)
    await second.recover()
    await until(lambda: _true(second.execution(execution.key) is not None))
    await second.tell(execution.key, Stop())
    events = await stored_events(site.storage, execution.key)
    assert [event.type for event in events] == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]


# ------------------------------------------------------------------ many
async def test_a_map_of_6000_items_ends(site: Site) -> None:
    """As many as 25,000 events allow."""
    worker = site.worker(COUNT)
    execution = site.execution(document=list(range(6_000)))
    await worker.start(execution)
    row = await _ended(site, execution.key)
    assert row.status == "SUCCEEDED"
    assert row.output is not None
    assert Json(text=row.output).value == list(range(6_000))
    assert len(await stored_events(site.storage, execution.key)) == 24_006


async def _ended(site: Site, key: Key) -> ExecutionRow:
    async with asyncio.timeout(60):
        while (row := await site.row(key)).status == "RUNNING":
            await asyncio.sleep(0)
    return row


async def test_an_express_map_of_10000_items_ends() -> None:
    clock = ManualClock()
    execution = new_execution(checked(COUNT), Json(list(range(10_000))), clock.now(), express=True)
    run = MemoryRun(execution, ScriptedRunner(clock, {}), clock, SeededIds())
    async with asyncio.timeout(60):
        await run.run()
    assert execution.status == "SUCCEEDED"
    assert execution.output is not None
    assert execution.output.value == list(range(10_000))
    assert execution.last_event == 40_006


# ------------------------------------------------------------------ activities
async def ask(site: Site, *names: str) -> Worker:
    """A worker with an execution of each name that waits for an activity."""
    worker = site.worker(ASK)
    for name in names:
        await worker.start(site.execution(name, {"n": name}))
        await site.clock.advance(1)
    return worker


async def test_polls_get_the_oldest_task_first(site: Site) -> None:
    worker = await ask(site, "1", "2", "3")
    tasks = [await worker.activities.poll(ACTIVITY, "w", 60) for _ in range(3)]
    assert [task.input for task in tasks if task] == ['{"n":"1"}', '{"n":"2"}', '{"n":"3"}']
    assert all(task and Tokens(KEYS).read(task.token) for task in tasks)


async def test_tasks_go_to_the_poll_that_waits_longest(site: Site) -> None:
    worker = site.worker(ASK)
    polls = [asyncio.ensure_future(worker.activities.poll(ACTIVITY, str(n), 60)) for n in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    for name in ("1", "2"):
        await worker.start(site.execution(name, name))
        await until(lambda done=int(name): _true(sum(poll.done() for poll in polls) == done))  # type: ignore[misc]
    assert [poll.done() for poll in polls] == [True, True, False]
    worker.activities.close()
    assert [(await poll or ActivityTask("", "")).input for poll in polls] == ['"1"', '"2"', ""]


async def test_a_poll_ends_with_nothing_after_its_time(site: Site) -> None:
    worker = site.worker(ASK)
    poll = asyncio.ensure_future(worker.activities.poll(ACTIVITY, None, 12))
    await asyncio.sleep(0)
    site.clock.settlers.append(lambda: _turns(20))
    await site.clock.advance(11.9)
    assert not poll.done()
    await site.clock.advance(0.1)
    assert poll.done()
    assert poll.result() is None


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_two_polls_never_get_the_same_task(site: Site) -> None:
    worker = await ask(site, "1")
    site.clock.settlers.append(lambda: _turns(20))
    polls = [asyncio.ensure_future(worker.activities.poll(ACTIVITY, str(n), 10)) for n in range(2)]
    await site.clock.advance(11)
    results = [await poll for poll in polls]
    assert sum(result is not None for result in results) == 1
    key = site.execution("1").key
    assert [event.type for event in await stored_events(site.storage, key)].count("ActivityStarted") == 1


@pytest.mark.parametrize("turns", range(12))
async def test_a_poll_that_goes_away_leaves_its_task_to_the_next(site: Site, turns: int) -> None:
    """Whenever it goes: only a claim that is durable already is its own."""
    worker = site.worker(ASK)
    gone = asyncio.ensure_future(worker.activities.poll(ACTIVITY, "gone", 60))
    await _turns(10)
    stays = asyncio.ensure_future(worker.activities.poll(ACTIVITY, "stays", 60))
    await _turns(10)
    execution = site.execution("1", "for whoever stays")
    starting = asyncio.ensure_future(worker.start(execution))
    await _turns(turns)
    gone.cancel()
    await asyncio.gather(gone, starting, return_exceptions=True)
    await _turns(30)
    claims = [e for e in await stored_events(site.storage, execution.key) if e.type == "ActivityStarted"]
    (claim,) = claims
    assert claim.details == {"workerName": "stays" if stays.done() else "gone"}
    worker.activities.close()
    task = await stays
    assert task is None or task.input == '"for whoever stays"'


async def test_a_task_of_before_a_restart_is_found(site: Site) -> None:
    first = await ask(site, "1")
    await first.shut_down(0)
    second = site.worker(ASK)
    task = await second.activities.poll(ACTIVITY, "w", 60)
    assert task is not None
    assert task.input == '{"n":"1"}'


async def test_a_task_of_an_ended_execution_is_not_given_out(site: Site) -> None:
    worker = await ask(site, "1", "2")
    await worker.tell(site.execution("1").key, Stop())
    task = await worker.activities.poll(ACTIVITY, "w", 60)
    assert task is not None
    assert task.input == '{"n":"2"}'


async def test_a_large_input_of_an_activity_comes_from_its_own_row(site: Site) -> None:
    worker = site.worker({"StartAt": "A", "States": {"A": {**ASK["States"]["A"], "Parameters": {"p": "x" * 9_000}}}})
    await worker.start(site.execution())
    task = await worker.activities.poll(ACTIVITY, "w", 60)
    assert task is not None
    assert Json(text=task.input).value == {"p": "x" * 9_000}


async def test_polls_end_with_nothing_when_the_desk_closes(site: Site) -> None:
    worker = site.worker(ASK)
    poll = asyncio.ensure_future(worker.activities.poll(ACTIVITY, None, 60))
    await _turns(10)
    worker.activities.close()
    async with asyncio.timeout(5):
        assert await poll is None
