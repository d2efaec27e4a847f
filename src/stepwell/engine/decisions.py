"""What ``advance`` decides: events that happened, frames that changed, and what is to be done once all that is durable.

Effects are kept as their net sum: a task that is scheduled and abandoned within one decision was never scheduled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stepwell.asl.step import TaskRequest
from stepwell.engine.events import PlainEvent
from stepwell.engine.journal import TimerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTask:
    """Call a task (or offer it to activity workers). ``event`` names it within the execution."""

    frame: int
    event: int
    state: str
    attempt: int
    request: TaskRequest
    token: str | None


@dataclass(slots=True)
class Decision:
    """The outcome of one ``advance``. ``runnable``: there is more to do at once (a Continue follows)."""

    events: list[PlainEvent] = field(default_factory=list)
    dirty: set[int] = field(default_factory=set)  # frames to write
    orphaned: set[int] = field(default_factory=set)  # frames whose children are to be deleted
    tasks: dict[int, ScheduleTask] = field(default_factory=dict)  # to call, by event
    tasks_done: set[int] = field(default_factory=set)  # of no interest any more: abandon the call, delete the row
    tasks_marked: dict[int, Literal["callback", "worker"]] = field(default_factory=dict)
    timers: dict[tuple[int, TimerKind], float] = field(default_factory=dict)
    timers_done: set[tuple[int, TimerKind]] = field(default_factory=set)
    runnable: bool = False
    reopened: bool = False  # an execution that had ended runs again
    closed: bool = False

    @property
    def empty(self) -> bool:
        """Nothing to write."""
        return not (self.events or self.dirty or self.orphaned or self.timers or self.timers_done or self.closed)

    def schedule(self, task: ScheduleTask) -> None:
        self.tasks[task.event] = task

    def cancel(self, event: int) -> None:
        if self.tasks.pop(event, None) is None:
            self.tasks_done.add(event)
        self.tasks_marked.pop(event, None)

    def mark(self, event: int, kind: Literal["callback", "worker"]) -> None:
        self.tasks_marked[event] = kind

    def start_timer(self, frame: int, kind: TimerKind, due: float) -> None:
        self.timers[frame, kind] = due
        self.timers_done.discard((frame, kind))

    def stop_timer(self, frame: int, kind: TimerKind) -> None:
        self.timers.pop((frame, kind), None)
        self.timers_done.add((frame, kind))

    def end(self) -> None:
        """The execution is over: what this decision scheduled before is not to happen any more."""
        self.closed = True
        self.runnable = False
        self.tasks.clear()
        self.tasks_marked.clear()
        self.timers.clear()
