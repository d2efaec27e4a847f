"""What the engine asks of whoever executes a Task's Resource, and what comes back.

``integrations`` implements ``TaskRunner``; the library implements it with mocks. The engine never knows a service's name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stepwell.asl.resources import Resource
from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """One call of a task. ``key`` is the idempotency key: the same for every repetition of the same call."""

    key: str
    resource: Resource
    parameters: Json
    state: str  # name of the state, for messages
    attempt: int  # 0 for the first call, then one more for each Retry
    execution_arn: str
    machine_arn: str
    role_arn: str
    scope: Scope
    token: str | None = None  # the task token of a .waitForTaskToken task
    credentials: Json | None = None
    timeout: float | None = None  # seconds
    trace_header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSucceeded:
    """The task's result."""

    output: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """The task's failure: ``error`` is the name that Retry and Catch match."""

    error: str | None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSubmitted:
    """A ``.waitForTaskToken`` task's call was accepted (``output`` its answer), and its token is awaited."""

    output: Json


TaskOutcome = TaskSucceeded | TaskFailed | TaskSubmitted

SHUTDOWN = "shutdown"
"""The message of a cancellation by a server that stops: the call is made again when it is back, so a job lives on."""

Submitted = Callable[[Json], Awaitable[Any]]


class TaskRunner(Protocol):
    """Executes tasks. A failure of the task is a value, never an exception."""

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        """Execute one call.

        A request-response task returns TaskSucceeded or TaskFailed. A ``.sync`` task first awaits ``submitted(answer)``
        with the answer of the call that started the job, then returns the job's result. A ``.waitForTaskToken`` task
        returns TaskSubmitted (or TaskFailed, if the call itself failed). Cancelling the coroutine abandons the call; a
        ``.sync`` task then stops the job it started, where AWS does.
        """
        ...
