"""Messages: what happened, told to ``advance``. A message that no longer fits what its frame waits for changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from stepwell.kernel.jsontext import Json


@dataclass(frozen=True, slots=True)
class Start:
    """The execution begins."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on where the last decision ended because it was long enough."""


@dataclass(frozen=True, slots=True)
class Stop:
    """StopExecution."""

    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Redrive:
    """RedriveExecution. ``token`` tells a repeated request from another one."""

    token: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A Wait state's or a retry's time has come, or the execution's (frame 0, kind "execution")."""

    frame: int
    kind: str
    due: float


@dataclass(frozen=True, slots=True)
class TaskTimedOut:
    """TimeoutSeconds passed (kind "timeout") or a heartbeat is missing (kind "heartbeat": only if it still is)."""

    frame: int
    kind: str
    due: float


@dataclass(frozen=True, slots=True)
class ActivityStarted:
    """A worker polled the task."""

    frame: int
    event: int
    worker: str | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The call of a ``.sync`` or ``.waitForTaskToken`` task was accepted."""

    frame: int
    event: int
    output: Json


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A task's result. ``callback``: it came by task token."""

    frame: int
    event: int
    output: Json
    callback: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """A task's failure. ``callback``: it came by task token."""

    frame: int
    event: int
    error: str | None
    cause: str | None
    callback: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """SendTaskHeartbeat."""

    frame: int
    event: int


Message = (
    Start
    | Continue
    | Stop
    | Redrive
    | TimerFired
    | TaskTimedOut
    | ActivityStarted
    | Submitted
    | Succeeded
    | Failed
    | Heartbeat
)
