"""One execution in memory, from its making to its end, and the question when it is quiet.

Theory of operation
    The engine's ``MemoryRun`` works in a task of its own. It is *quiet* when everything it was told has been taken in and
    every position waits for the clock or for a result that somebody must send. To know the first, ``settle`` tells it
    something that means nothing and waits for the answer: messages are taken in order. To know the second, it compares
    the tasks that positions wait for with the calls that are held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepwell.asl.model import Machine
from stepwell.engine.events import Event
from stepwell.engine.journal import Key, partition_of
from stepwell.engine.machines import definition_hash
from stepwell.engine.memory import MemoryRun
from stepwell.engine.messages import ActivityStarted, Heartbeat, Message
from stepwell.engine.state import Execution, TaskWait
from stepwell.engine.tasks import TaskCall, TaskRunner
from stepwell.engine.tokens import Tokens
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import Json
from stepwell.kernel.keys import KEY_BYTES, KeyRing
from stepwell.local.answers import Answers
from stepwell.local.errors import StuckError
from stepwell.local.history import Entry, History
from stepwell.local.tasks import MockedTasks
from stepwell.local.waiting import task_frames, waiting

EXPRESS_EVENTS = 100_000  # an Express loop without a wait or a task would go on for ever where time stands still
_NOTHING = Heartbeat(0, 0)  # no position has the number 0
# Tokens never leave the process, and the same run has the same ones: the key is no secret.
_KEYS = KeyRing({1: bytes(KEY_BYTES)})

OnEntry = Callable[[Entry], object]


def new_execution(
    machine: Machine,
    *,
    text: str,
    machine_name: str,
    name: str | None,
    express: bool,
    argument: Json,
    now: float,
    ids: Ids,
) -> Execution:
    """An execution about to start, with the ARNs it would have on a server of default settings."""
    scope = Scope()
    name = name or ids.uuid()
    kind = f"express:{machine_name}:{name}:{ids.uuid()}" if express else f"execution:{machine_name}:{name}"
    arn = scope.states(kind)
    return Execution(
        key=Key(partition_of(arn), ids.token(16)),
        arn=arn,
        name=name,
        machine=machine,
        machine_arn=scope.states(f"stateMachine:{machine_name}"),
        machine_name=machine_name,
        role_arn=f"arn:aws:iam::{scope.account}:role/{machine_name}",
        scope=scope,
        definition=definition_hash(text),
        started=now,
        input=argument,
        express=express,
        frames={},
        payloads={},
        tasks={},
    )


class Session:
    """Drives one execution. Raises what a mock raised, and MockError, from ``settle``."""

    def __init__(
        self,
        execution: Execution,
        *,
        answers: Mapping[str, Answers],
        tasks: TaskRunner | None,
        clock: Clock,
        ids: Ids,
        on_entry: OnEntry | None = None,
    ) -> None:
        self.execution = execution
        self.clock = clock
        self.tokens = Tokens(_KEYS)
        self.history = History(execution.started)
        self.tasks = MockedTasks(answers, tasks, self._claim)
        self._on_entry = on_entry
        self._memory = MemoryRun(execution, self.tasks, clock, ids, tokens=self.tokens, on_events=self._noted)
        self._running: asyncio.Task[Execution] | None = None

    @property
    def over(self) -> bool:
        return self._running is not None and self._running.done()

    def start(self) -> None:
        self._running = asyncio.ensure_future(self._memory.run())
        self._running.add_done_callback(lambda _: self.tasks.changed.set())

    async def close(self) -> None:
        """Abandon the execution if it still runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def tell(self, message: Message) -> bool:
        """Whether the message counted."""
        assert self._running is not None
        answer = self._memory.post(message)
        either: set[asyncio.Future[Any]] = {answer, self._running}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return answer.done() and answer.result()

    async def settle(self) -> None:
        """Until the execution is over, or quiet."""
        assert self._running is not None
        while not self.over:
            self.tasks.changed.clear()
            await self.tell(_NOTHING)
            self._raise_fault()
            if any(frame.ready is not None for frame in self.execution.frames.values()):
                await asyncio.sleep(0)  # in the middle of a long turn
            elif self._only_held():
                return
            else:
                await self.tasks.changed.wait()
        self._raise_fault()
        self._running.result()

    def _only_held(self) -> bool:
        """Is no call under way whose end would move the execution?"""
        if self.execution.status != "RUNNING":
            return False
        return all(self._held(wait) for _, wait in task_frames(self.execution))

    def _held(self, wait: TaskWait) -> bool:
        """A call that is to end by token is held as soon as the execution knows that it was accepted."""
        key = self.execution.task_key(wait.event)
        return key in self.tasks.held and (self.tasks.held[key] is not None or wait.submitted)

    def stuck(self) -> StuckError:
        """The error for a run that nothing will move."""
        found = "; ".join(map(str, waiting(self.execution)))
        return StuckError(
            f"the run cannot go on by itself: {found}. Mock the result, give the state TimeoutSeconds, "
            "or run it with `async with workflow.start(...)` and send the result"
        )

    def _raise_fault(self) -> None:
        if self.tasks.fault is not None:
            raise self.tasks.fault

    def _noted(self, events: Sequence[Event]) -> None:
        for entry in self.history.add(events):
            if self._on_entry is not None:
                self._on_entry(entry)
        self.tasks.changed.set()
        if self.execution.express and len(self.history.entries) > EXPRESS_EVENTS:
            raise StuckError(
                f"an Express workflow made more than {EXPRESS_EVENTS} events; its five minutes do not pass here "
                "because it never waits: look for a loop without an end"
            )

    async def _claim(self, call: TaskCall) -> None:
        """A worker has taken an activity's task."""
        for frame, wait in task_frames(self.execution):
            if self.execution.task_key(wait.event) == call.key:
                await self.tell(ActivityStarted(frame.id, wait.event, None))


def as_value(document: Json | None) -> Any:
    """A document's value, None for none."""
    return None if document is None else document.value
