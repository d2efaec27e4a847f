"""A redrive on every database: the execution's row is reopened with the decision, and a crash anywhere changes nothing."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest

from crash.harness import Outside, Trial, chains, keys_per_effect
from crash.machines import CALL, Plan, plan
from stepwell.engine import codec
from stepwell.engine.journal import Append, Closed, FrameRow, Key, NewExecution, Page, TaskRow, TimerRow
from stepwell.engine.machines import Machines
from stepwell.engine.messages import Redrive, Stop
from stepwell.engine.tasks import TaskFailed, TaskOutcome
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import StorageUnavailable
from stepwell.storage.bundle import Storage

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:orders"
NEW = NewExecution(
    key=Key(7, b"redrive contract"),
    arn="arn:aws:states:us-east-1:000000000000:execution:orders:r",
    machine_arn=MACHINE,
    name="r",
    started=1_000.0,
    definition="hash",
    input="{}",
    head=b"new",
)
MOST_STOPS = 5
FAILED = Closed(status="FAILED", stopped=1_001.0, error="E", cause="c")


def decision(expected: int, **changes: Any) -> Append:
    return Append(key=NEW.key, expected=expected, head=b"head", runnable=False, **changes)


async def failed(storage: Storage) -> None:
    first = decision(0, page=Page(1, 3, b"failed"), frames=[FrameRow(1, None, b"root"), FrameRow(2, 1, b"child")])
    assert await storage.journal.start(NEW, first) is None
    await storage.journal.append(decision(1, page=Page(4, 4, b"end"), closed=FAILED))


async def test_a_reopened_execution_runs_and_nothing_is_left_of_its_end(storage: Storage) -> None:
    await failed(storage)
    again = decision(
        2,
        page=Page(5, 7, b"redriven"),
        reopened=True,
        frames=[FrameRow(2, 1, b"child again")],
        tasks=[TaskRow(6, 2, "call", "r", b"t")],
        timers=[TimerRow(0, "execution", 2_000.0)],
        outbox="{}",
    )
    await storage.journal.append(again)
    stored = await storage.journal.load(NEW.key)
    assert stored is not None
    row = stored.row
    assert (row.status, row.stopped, row.output, row.error, row.cause) == ("RUNNING", None, None, None, None)
    assert (row.seq, row.started) == (3, NEW.started)
    assert stored.frames == [FrameRow(1, None, b"root"), FrameRow(2, 1, b"child again")]
    assert (stored.tasks, stored.timers) == (again.tasks, again.timers)
    assert await storage.journal.open_count(MACHINE) == 1
    assert [found.arn for found in await storage.journal.rows(MACHINE, status="RUNNING")] == [NEW.arn]
    assert await storage.journal.rows(MACHINE, status="FAILED") == []
    assert await storage.journal.runnable(None, 10) == [NEW.key]


async def test_a_reopened_execution_may_end_well(storage: Storage) -> None:
    await failed(storage)
    await storage.journal.append(decision(2, page=Page(5, 5, b"redriven"), reopened=True))
    done = Closed(status="SUCCEEDED", stopped=1_009.0, output="1")
    await storage.journal.append(decision(3, page=Page(6, 6, b"end"), closed=done))
    stored = await storage.journal.load(NEW.key)
    assert stored is not None
    assert (stored.row.status, stored.row.stopped, stored.row.output) == ("SUCCEEDED", 1_009.0, "1")
    assert (stored.row.error, stored.row.cause, list(stored.frames)) == (None, None, [])


# ------------------------------------------------------------------------------------------ crash anywhere
def _block(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


def _call(name: str) -> dict[str, Any]:
    return {"Type": "Task", "Resource": CALL, "Parameters": {"QueueUrl": "q", "MessageBody": name}}


ITEMS = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "MaxConcurrency": 1,
    "ToleratedFailureCount": 1,
    "ItemProcessor": _block(
        "I", {"Type": "Parallel", "Branches": [_block("X", _call("X")), _block("Bad", _call("Bad"))]}
    ),
    "End": True,
}
LATE = {"StartAt": "L", "States": {"L": {"Type": "Wait", "Seconds": 50, "Next": "M"}, "M": ITEMS}}
SLOW = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 1_000, "Next": "C"}, "C": {**_call("C"), "End": True}},
}
DEFINITION = {
    "StartAt": "First",
    "States": {
        "First": {**_call("First"), "ResultPath": "$.first", "Next": "S"},
        "S": {"Type": "Parallel", "Branches": [_block("A", _call("A")), LATE, SLOW], "Next": "Last"},
        "Last": {**_call("Last"), "End": True},
    },
}


class World(Outside):
    """``Bad`` fails until the world is healed, which happens before the redrive."""

    healed = False

    def answer(self, state: str, attempt: int) -> TaskOutcome:
        if state == "Bad" and not self.healed:
            return TaskFailed(error="E", cause="c")
        return super().answer(state, attempt)


class RedriveTrial(Trial):
    """Runs until the execution has failed, redrives it, and runs on. A redrive without answer is asked for again."""

    def __init__(self, storage: Storage, name: str, crash_seed: int | None) -> None:
        machine = Plan(DEFINITION, {})
        super().__init__(storage, machine, name, crash_seed)
        self.outside = self.world = World(machine)

    async def _live(self, worker: Worker, machines: Machines, clock: ManualClock) -> None:
        await super()._live(worker, machines, clock)
        while codec.redrive_record(await self._row()).times == 0:
            assert (await self._row()).status == "FAILED"
            self.world.healed = True
            with contextlib.suppress(StorageUnavailable):
                await worker.tell(self._key, Redrive("token"))
        await super()._live(worker, machines, clock)


@pytest.mark.parametrize("seed", range(12))
async def test_a_redrive_with_crashes_has_the_history_of_one_without(storage: Storage, seed: int) -> None:
    calm = RedriveTrial(storage, f"calm-{seed}", None)
    expected = chains(await calm.run())
    stormy = RedriveTrial(storage, f"stormy-{seed}", seed)
    events = await stormy.run()
    assert chains(events) == expected
    assert events[-1].type == "ExecutionSucceeded"
    assert keys_per_effect(stormy.outside) == keys_per_effect(calm.outside)
    assert keys_per_effect(calm.outside) == {"First": 1, "A": 1, "X": 3, "Bad": 5, "C": 1, "Last": 1}
    row = await storage.journal.row(stormy.arn)
    assert row is not None
    assert codec.redrive_record(row).times == 1


# ------------------------------------------------------------------------------------------ stopped and redriven anywhere
class InterruptedTrial(Trial):
    """Somebody stops the execution at points drawn from a seed, and redrives it."""

    def __init__(self, storage: Storage, seed: int, crash_seed: int | None) -> None:
        super().__init__(storage, plan(seed), f"interrupted-{seed}-{crash_seed}", crash_seed)
        self._draw = random.Random(f"stops {seed}")
        self._left = MOST_STOPS

    async def _live(self, worker: Worker, machines: Machines, clock: ManualClock) -> None:
        await super()._live(worker, machines, clock)
        while (await self._row()).status == "ABORTED":
            with contextlib.suppress(StorageUnavailable):
                await worker.tell(self._key, Redrive(f"token {self._left}"))
            await super()._live(worker, machines, clock)

    async def _answer_tokens(self, worker: Worker) -> bool:
        if self._left and self._draw.random() < 0.3:
            self._left -= 1
            with contextlib.suppress(StorageUnavailable):
                await worker.tell(self._key, Stop())
            return True
        return await super()._answer_tokens(worker)


@pytest.mark.parametrize("crash_seed", [None, 1], ids=["calm", "stormy"])
@pytest.mark.parametrize("seed", range(20))
async def test_an_execution_that_is_stopped_and_redriven_comes_to_the_same_end(
    storage: Storage, seed: int, crash_seed: int | None
) -> None:
    calm = Trial(storage, plan(seed), f"calm-{seed}-{crash_seed}", None)
    await calm.run()
    interrupted = InterruptedTrial(storage, seed, crash_seed)
    events = await interrupted.run()
    expected, row = await storage.journal.row(calm.arn), await storage.journal.row(interrupted.arn)
    assert expected is not None
    assert row is not None
    assert (row.status, row.output, row.error, row.cause) == (
        expected.status,
        expected.output,
        expected.error,
        expected.cause,
    )
    times = codec.redrive_record(row).times
    assert [event.type for event in events].count("ExecutionRedriven") == times
    assert [event.type for event in events].count("ExecutionAborted") == times
