"""What a run waits for, as values and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stepwell.asl.states.task import TaskState
from stepwell.engine.state import Execution, Frame, TaskWait, TimerWait
from stepwell.kernel.clock import iso

Kind = Literal["time", "retry", "task", "token", "activity"]
_WORDS: dict[Kind, str] = {
    "time": "waits until {until}",
    "retry": "is tried again at {until}",
    "task": "waits for the answer of {resource}",
    "token": "waits for its task token",
    "activity": "waits for a worker of {resource}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One position of a run and what it waits for; ``str()`` says it in words.

    ``until`` is seconds since the epoch: the time it waits for, or a task's timeout or missed heartbeat, whichever is first.
    """

    state: str
    kind: Kind
    until: float | None = None
    resource: str = ""

    def __str__(self) -> str:
        until = "" if self.until is None else iso(self.until)
        words = _WORDS[self.kind].format(until=until, resource=self.resource)
        if self.until is not None and self.kind not in {"time", "retry"}:
            words += f", at most until {until}"
        return f"{self.state!r} {words}"


def waiting(execution: Execution) -> list[Waiting]:
    """Everything the execution waits for, by the age of the positions."""
    return [found for frame in execution.frames.values() if (found := _of(execution, frame)) is not None]


def task_frames(execution: Execution) -> Iterator[tuple[Frame, TaskWait]]:
    """The positions that wait for a task, those called first first."""
    frames = [(f, f.waiting) for f in execution.frames.values() if isinstance(f.waiting, TaskWait)]
    return iter(sorted(frames, key=lambda pair: pair[1].event))


def can_wait(execution: Execution) -> bool:
    """Will time alone bring anything?"""
    if execution.deadline is not None:
        return True
    return any(found.until is not None for found in waiting(execution))


def _of(execution: Execution, frame: Frame) -> Waiting | None:
    wait = frame.waiting
    if isinstance(wait, TimerWait):
        return Waiting(state=frame.state, kind="time" if wait.kind == "wait" else "retry", until=wait.until)
    if not isinstance(wait, TaskWait):
        return None
    state = execution.machine.blocks[frame.block].states[frame.state]
    assert isinstance(state, TaskState)
    limits = [limit for limit in (wait.deadline, wait.heartbeat_due) if limit is not None]
    resource = state.resource
    kind: Kind = "activity" if resource.kind == "activity" else "task"
    if resource.pattern == "waitForTaskToken" and wait.submitted:
        kind = "token"
    return Waiting(state=frame.state, kind=kind, until=min(limits, default=None), resource=resource.text)
