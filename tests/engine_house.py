"""One execution driven by hand with a manual clock: in memory, or durably with nothing kept in memory between messages.

The tasks of a case follow a script; see ``tests/unit/test_engine_spec.py`` for its form.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from stepwell.asl.check import check
from stepwell.asl.model import Machine
from stepwell.asl.parser import parse
from stepwell.engine import codec
from stepwell.engine.events import Event
from stepwell.engine.journal import Key, partition_of
from stepwell.engine.machines import Machines
from stepwell.engine.memory import MemoryRun
from stepwell.engine.messages import Message
from stepwell.engine.pages import events_of_page, payloads_of_page
from stepwell.engine.state import Execution
from stepwell.engine.tasks import Submitted, TaskCall, TaskFailed, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from stepwell.kernel.keys import KeyRing
from stepwell.storage.bundle import Storage, open_storage

ROLE = "arn:aws:iam::000000000000:role/r"
ARN = "arn:aws:states:us-east-1:000000000000:execution:m:x"
KEYS = KeyRing({1: b"k" * 32})
QUIET_TURNS = 40  # turns of the event loop without news after which nothing more is coming


def checked(definition: dict[str, Any]) -> Machine:
    """The machine of a definition that must pass the checker."""
    faults = [fault for fault in check(definition) if fault.severity == "ERROR"]
    assert not faults, faults
    return parse(definition)


def new_execution(machine: Machine, document: Json, started: float, *, arn: str = ARN, **more: Any) -> Execution:
    """An execution about to start; its name is the last word of its ARN."""
    return Execution(
        key=Key(partition_of(arn), arn.encode()[-16:].rjust(16, b".")),
        arn=arn,
        name=arn.rsplit(":", 1)[1],
        machine=machine,
        machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:m",
        machine_name="m",
        role_arn=ROLE,
        scope=Scope(),
        definition="d",
        started=started,
        input=document,
        frames={},
        payloads={},
        tasks={},
        **more,
    )


class ScriptedRunner:
    """Answers calls by state, in order; ``calls`` keeps what was called and when. Whatever has no answer hangs."""

    def __init__(self, clock: ManualClock, script: dict[str, list[Any]]) -> None:
        self._clock = clock
        self._started = clock.now()
        self._script = {state: list(answers) for state, answers in script.items()}
        self.calls: list[tuple[float, TaskCall]] = []

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        self.calls.append((round(self._clock.now() - self._started, 3), call))
        answers = self._script.get(call.state)
        if not answers or answers[0] == "hang":
            if answers:
                answers.pop(0)
            await asyncio.get_running_loop().create_future()
            raise AssertionError("unreachable")
        return await self._answer(answers.pop(0), call, submitted)

    @staticmethod
    async def _answer(answer: dict[str, Any], call: TaskCall, submitted: Submitted) -> TaskOutcome:
        if "submit" in answer:
            if call.resource.pattern == "waitForTaskToken":
                return TaskSubmitted(output=Json(answer["submit"]))
            await submitted(Json(answer["submit"]))
        if "fail" in answer:
            error, cause = answer["fail"]
            return TaskFailed(error=error, cause=cause)
        if "text" in answer:
            return TaskSucceeded(output=Json(text=answer["text"]))
        if "echo" in answer:
            return TaskSucceeded(output=call.parameters)
        if "succeed" in answer:
            return TaskSucceeded(output=Json(answer["succeed"]))
        await asyncio.get_running_loop().create_future()  # submitted, and the job never ends
        raise AssertionError("unreachable")


class Drive(Protocol):
    """An execution at work."""

    clock: ManualClock
    runner: ScriptedRunner

    async def start(self) -> None: ...

    async def advance_to(self, when: float) -> None: ...

    async def next_due(self) -> float | None: ...

    async def tell(self, message: Message) -> bool: ...

    async def execution(self) -> Execution:
        """As it stands; to be read only."""
        ...

    async def events(self) -> list[Event]: ...


async def quiet(*progress: Any) -> None:
    """Let the event loop turn until nothing happens any more. ``progress`` are coroutine functions that count news."""
    still, seen = 0, None
    while still < QUIET_TURNS:
        await asyncio.sleep(0)
        now = [await count() for count in progress]
        still = still + 1 if now == seen else 0
        seen = now


class MemoryDrive:
    """``MemoryRun``, the way of Express workflows and the library."""

    def __init__(
        self, machine: Machine, document: Json, script: dict[str, list[Any]], *, express: bool = False
    ) -> None:
        self.clock = ManualClock()
        self.runner = ScriptedRunner(self.clock, script)
        self._events: list[Event] = []
        self._run = MemoryRun(
            new_execution(machine, document, self.clock.now(), express=express),
            self.runner,
            self.clock,
            SeededIds(1),
            tokens=Tokens(KEYS),
            on_events=self._events.extend,
        )
        self._task: asyncio.Task[Execution] | None = None
        self.clock.settlers.append(lambda: quiet(self._progress))

    async def _progress(self) -> tuple[int, int]:
        return len(self._events), len(self.runner.calls)

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._run.run())
        await self.clock.settle()

    async def advance_to(self, when: float) -> None:
        await self.clock.advance(when - self.clock.now())

    async def next_due(self) -> float | None:
        return self.clock.next_due()

    async def tell(self, message: Message) -> bool:
        counted = await self._run.post(message)
        await self.clock.settle()
        return counted

    async def execution(self) -> Execution:
        return self._run.execution

    async def events(self) -> list[Event]:
        return self._events

    async def close(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class DurableDrive:
    """``Worker`` on a database in memory that forgets an execution whenever it waits: every message loads it anew."""

    def __init__(self, storage: Storage, machine: Machine, document: Json, script: dict[str, list[Any]]) -> None:
        self.clock = ManualClock()
        self.runner = ScriptedRunner(self.clock, script)
        self.storage = storage
        self._machine = machine
        self._execution = new_execution(machine, document, self.clock.now())
        self._key = self._execution.key
        self.worker = Worker(
            storage.journal,
            KnownMachine(machine),
            self.runner,
            self.clock,
            SeededIds(1),
            Tokens(KEYS),
            loaded=0,
        )
        self.clock.settlers.append(lambda: quiet(self._progress))

    async def _progress(self) -> tuple[int, int]:
        row = await self.storage.journal.row_by_key(self._key)
        return 0 if row is None else row.seq, len(self.runner.calls)

    async def start(self) -> None:
        assert await self.worker.start(self._execution) is None
        await self.clock.settle()

    async def advance_to(self, when: float) -> None:
        while (due := await self.next_due()) is not None and due <= when:
            if due - 30 > self.clock.now():
                await self.clock.advance(due - 30 - self.clock.now())
            await self.worker.scan_timers()
            await self.clock.advance(max(0.0, due - self.clock.now()))
        await self.clock.advance(max(0.0, when - self.clock.now()))

    async def next_due(self) -> float | None:
        timers = await self.storage.journal.due(math.inf, 1)
        return timers[0].due if timers else None

    async def tell(self, message: Message) -> bool:
        counted = await self.worker.tell(self._key, message)
        await self.clock.settle()
        return counted

    async def execution(self) -> Execution:
        return await stored_execution(self.storage, self._key, self._machine)

    async def events(self) -> list[Event]:
        return await stored_events(self.storage, self._key)


class KnownMachine(Machines):
    """One machine, whatever the hash."""

    def __init__(self, machine: Machine) -> None:
        async def nothing(_hash: str) -> str | None:
            return None

        super().__init__(nothing)
        self._machine = machine

    async def get(self, definition: str) -> Machine:
        del definition
        return self._machine


async def stored_execution(storage: Storage, key: Key, machine: Machine) -> Execution:
    """What the journal would give after a restart."""
    stored = await storage.journal.load(key)
    assert stored is not None
    payloads = await storage.journal.payloads(key, sorted(codec.referenced_payloads(stored)))
    return codec.from_stored(stored, machine, payloads)


async def stored_events(storage: Storage, key: Key) -> list[Event]:
    """The whole history."""
    row = await storage.journal.row_by_key(key)
    assert row is not None
    pages = await storage.journal.pages(key, after=0, before=None, limit=10_000, newest_first=False)
    events: list[Event] = []
    for page in pages:
        payloads = await storage.journal.payloads(key, sorted(payloads_of_page(page)))
        events.extend(events_of_page(page, row, payloads))
    return events


@asynccontextmanager
async def open_drive(
    kind: str, definition: dict[str, Any], document: Json, script: dict[str, list[Any]], *, express: bool = False
) -> AsyncIterator[Drive]:
    """``memory`` or ``durable``."""
    machine = checked(definition)
    if kind == "memory":
        run = MemoryDrive(machine, document, script, express=express)
        try:
            yield run
        finally:
            await run.close()
        return
    storage = await open_storage("sqlite::memory:")
    await storage.membership.join()
    drive = DurableDrive(storage, machine, document, script)
    try:
        yield drive
    finally:
        await drive.worker.shut_down(0)
        await storage.close()


def text_of(value: Any) -> str:
    """JSON as a client may write it: with spaces."""
    return json.dumps(value, ensure_ascii=False)
