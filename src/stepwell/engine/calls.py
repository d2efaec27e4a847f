"""Calls of tasks in flight: from a scheduled task to the message with its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from stepwell.engine.decisions import ScheduleTask
from stepwell.engine.messages import Failed, Message, Submitted, Succeeded
from stepwell.engine.state import Execution
from stepwell.engine.tasks import SHUTDOWN, TaskCall, TaskFailed, TaskOutcome, TaskRunner, TaskSubmitted, TaskSucceeded
from stepwell.kernel.jsontext import Json

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


async def perform(runner: TaskRunner, call: TaskCall, frame: int, event: int, deliver: Deliver) -> None:
    """Have the task called and its outcome delivered."""

    async def submitted(answer: Json) -> None:
        await deliver(Submitted(frame, event, answer))

    try:
        outcome = await runner.run(call, submitted)
    except asyncio.CancelledError:
        raise
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

    def start(self, event: int, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._running[event] = task
        task.add_done_callback(
            lambda done: self._running.pop(event, None) if self._running.get(event) is done else None
        )

    def abandon(self, event: int) -> None:
        """Cancel a call, unless it is the one that is speaking."""
        task = self._running.pop(event, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def abandon_all(self) -> None:
        for event in list(self._running):
            self.abandon(event)

    def suspend(self) -> None:
        """The server stops: end all calls, to be made again when it is back; jobs that they started go on."""
        for task in list(self._running.values()):
            task.cancel(SHUTDOWN)

    async def settle(self) -> None:
        """Until no call is running."""
        while self._running:
            await asyncio.wait(list(self._running.values()))
