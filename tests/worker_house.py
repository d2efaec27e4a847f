"""A durable worker on a database in memory whose journal can be held up, made to fail, or watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from engine_house import KEYS, KnownMachine, checked, new_execution, stored_events
from stepwell.engine.journal import Append, ExecutionRow, Journal, Key, NewExecution
from stepwell.engine.state import Execution
from stepwell.engine.tasks import Submitted, TaskCall, TaskOutcome, TaskSucceeded
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from stepwell.storage.bundle import Storage, open_storage

CALL = "arn:aws:states:::sqs:sendMessage"
SYNC = "arn:aws:states:::states:startExecution.sync:2"
CALLBACK = f"{CALL}.waitForTaskToken"
TURNS = 50

Trouble = Callable[[], Coroutine[Any, Any, None]]


def task(resource: str = CALL, **more: Any) -> dict[str, Any]:
    parameters = {"StateMachineArn": "a"} if resource == SYNC else {"QueueUrl": "q", "MessageBody": "b"}
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **more}


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {**state, "End": True}}}


class TroubledJournal:
    """Before and after a write it does what the test wants: nothing, wait, or raise."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.before: Trouble | None = None
        self.after: Trouble | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def start(self, new: NewExecution, first: Append | None) -> ExecutionRow | None:
        await self._now(self.before)
        taken = await self._journal.start(new, first)
        await self._now(self.after)
        return taken

    async def append(self, append: Append) -> None:
        await self._now(self.before)
        await self._journal.append(append)
        await self._now(self.after)

    @staticmethod
    async def _now(trouble: Trouble | None) -> None:
        if trouble is not None:
            await trouble()


class Tasks:
    """Answers calls when told to. ``waiting`` are the calls that have no answer yet."""

    def __init__(self) -> None:
        self.calls: list[TaskCall] = []
        self.waiting: list[asyncio.Future[TaskOutcome]] = []

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        self.calls.append(call)
        if ".sync" in call.resource.text:
            await submitted(Json({}))
        answer: asyncio.Future[TaskOutcome] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        return await answer

    def succeed(self) -> None:
        """The oldest call that waits."""
        self.waiting.pop(0).set_result(TaskSucceeded(output=Json({})))


class Ownership:
    """Owns everything until told otherwise."""

    def __init__(self) -> None:
        self.everything = True
        self.acting = asyncio.Event()
        self.acting.set()

    def owns(self, pid: int) -> bool:
        return self.everything and pid >= 0

    def certain(self) -> bool:
        return True

    async def may_act(self) -> None:
        await self.acting.wait()


class WorkerHouse:
    """One database, and one worker at a time; ``restart`` puts a new one in its place, as after a crash."""

    def __init__(self, storage: Storage, definition: dict[str, Any]) -> None:
        self.storage = storage
        self.machine = checked(definition)
        self.clock = ManualClock()
        self.ownership = Ownership()
        self.journal = TroubledJournal(storage.journal)
        self.machines = KnownMachine(self.machine)
        self.restart()

    def restart(self, **options: Any) -> None:
        """The old worker is dead: it gets nothing more from anybody."""
        self.tasks = Tasks()
        ids, tokens = SeededIds(1), Tokens(KEYS)
        self.worker = Worker(
            self.journal,
            self.machines,
            self.tasks,
            self.clock,
            ids,
            tokens,
            ownership=self.ownership,
            **options,
        )

    def execution(self, name: str = "x") -> Execution:
        arn = f"arn:aws:states:us-east-1:000000000000:execution:m:{name}"
        return new_execution(self.machine, Json({}), self.clock.now(), arn=arn)

    async def start(self, name: str = "x") -> Key:
        execution = self.execution(name)
        assert await self.worker.start(execution) is None
        await turns()
        return execution.key

    async def row(self, key: Key) -> ExecutionRow:
        row = await self.storage.journal.row_by_key(key)
        assert row is not None
        return row

    async def types(self, key: Key) -> list[str]:
        """Types of the events in the history."""
        return [event.type for event in await stored_events(self.storage, key)]

    async def gained(self) -> None:
        """What the worker does when it becomes the owner of everything."""
        await self.worker.recover(range(256))
        await turns()


async def turns() -> None:
    """Let the event loop turn until what needs no time is done."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


@asynccontextmanager
async def open_worker(definition: dict[str, Any]) -> AsyncIterator[WorkerHouse]:
    storage = await open_storage("sqlite::memory:")
    await storage.membership.join()
    house = WorkerHouse(storage, definition)
    try:
        yield house
    finally:
        await house.worker.shut_down(0)
        await storage.close()
