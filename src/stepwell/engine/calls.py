"""Calls of tasks in flight: from a scheduled task to the message with its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from stepwell.engine.decisions import ScheduleTask
from stepwell.engine.messages import Failed, Message, Submitted, Succeeded
from stepwell.engine.state import Execution
from stepwell.engine.tasks import SHUTDOWN, TaskCall, TaskFailed, TaskOutcome, TaskRunner, TaskSubmitted, TaskSucceeded
from stepwell.kernel.clock import Clock, wait_until
from stepwell.kernel.errors import StorageUnavailable
from stepwell.kernel.jsontext import Json

AGAIN_SECONDS = 0.5
log = logging.getLogger(__name__)

Deliver = Callable[[Message], Awaitable[object]]


def call_of(execution: Execution, task: ScheduleTask) -> TaskCall:
    """The call that a scheduled task stands for."""
    request = task.request
    return TaskCall(
        key=execution.task_key(task.event),
        resource=request.resource,
        parameters=request.parameters,
        state=task.state,
        attempt=task.attempt,
        execution_arn=execution.arn,
        machine_arn=execution.machine_arn,
        role_arn=execution.role_arn,
        scope=execution.scope,
        token=task.token,
        credentials=request.credentials,
        timeout=request.timeout,
        trace_header=execution.trace_header,
    )


def message_of(frame: int, event: int, outcome: TaskOutcome) -> Message:
    """The outcome as news for the execution."""
    if isinstance(outcome, TaskSucceeded):
        return Succeeded(frame, event, outcome.output)
    if isinstance(outcome, TaskSubmitted):
        return Submitted(frame, event, outcome.output)
    return Failed(frame, event, outcome.error, outcome.cause)


async def perform(runner: TaskRunner, call: TaskCall, frame: int, event: int, deliver: Deliver, clock: Clock) -> None:
    """Have the task called and its outcome delivered. While the database fails it is called again, under the same key."""

    async def submitted(answer: Json) -> None:
        await deliver(Submitted(frame, event, answer))

    outcome: TaskOutcome | None = None
    while outcome is None:
        try:
            outcome = await runner.run(call, submitted)
        except asyncio.CancelledError:
            raise
        except StorageUnavailable as error:
            log.warning("task %s of %s is called again: %s", call.resource.text, call.execution_arn, error)
            await wait_until(clock, clock.now() + AGAIN_SECONDS)
        except Exception:
            log.exception("task %s of %s: the runner raised", call.resource.text, call.execution_arn)
            outcome = TaskFailed(error="States.Runtime", cause="An internal error occurred while the task was called.")
    await deliver(message_of(frame, event, outcome))


class Calls:
    """The running calls of one execution, by the event that names the task."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: dict[int, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, event: int) -> bool:
        return event in self._running

    def start(self, event: int, work: Awaitable[None], ended: Callable[[], object] | None = None) -> None:
        """``ended`` is called when it runs no more."""
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._running[event] = task

        def leave(done: asyncio.Task[None]) -> None:
            if self._running.get(event) is done:
                del self._running[event]
            if ended is not None:
                ended()

        task.add_done_callback(leave)

    def abandon(self, event: int) -> None:
        """Cancel a call, unless it is the one that is speaking."""
        task = self._running.pop(event, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def abandon_all(self) -> None:
        for event in list(self._running):
            self.abandon(event)

    def suspend(self) -> list[asyncio.Task[None]]:
        """The server stops: end all calls, to be made again when it is back; jobs that they started go on."""
        running = list(self._running.values())
        for task in running:
            task.cancel(SHUTDOWN)
        return running

    async def settle(self) -> None:
        """Until no call is running."""
        while self._running:
            await asyncio.wait(list(self._running.values()))


class Slot:
    """A place among the calls that may be under way at once; it can be left before the call's end."""

    __slots__ = ("_held", "_slots")

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._held = False

    async def __aenter__(self) -> Slot:
        await self._slots.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.leave()

    def leave(self) -> None:
        if self._held:
            self._held = False
            self._slots.release()
