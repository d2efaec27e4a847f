"""An execution in memory: a tree of frames, each at one position in one block of states.

``advance`` owns and changes these objects; nobody else does. They are written to the journal frame by frame (see ``codec``),
so that a step of one branch never writes its siblings again.

::

    frame 1   the machine's top block
    |- frame 2   iteration 0 of a Map (or branch 0 of a Parallel) that frame 1 stands in
    |- frame 3   iteration 1, finished: keeps its output on its own row until the parent closes
    `- ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stepwell.asl.model import Machine
from stepwell.asl.step import MapPlan
from stepwell.engine.execution_log import LogPlan
from stepwell.engine.journal import Key, Status, TaskRow
from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import EXPRESS_SECONDS

TOP = 1  # id of the frame of the top block


@dataclass(slots=True)
class TaskWait:
    """The frame waits for a task's result.

    ``event`` is the id of the Scheduled event and names the task. ``outcome`` holds a callback that came before the call
    itself was answered; it counts as soon as that answer is there. Times are seconds since the epoch.
    """

    event: int
    nonce: bytes  # part of the task token; b"" when the task has none
    submitted: bool = False
    deadline: float | None = None  # of the task
    heartbeat: float | None = None  # seconds between heartbeats
    heartbeat_due: float | None = None
    outcome: tuple[bool, Any, Any] | None = None  # (True, output text, None) or (False, error, cause)
    activity: bool = False
    claimed: bool = False


@dataclass(slots=True)
class TimerWait:
    """The frame waits for a time: a Wait state, or the delay before a retry."""

    kind: Literal["wait", "retry"]
    until: float


@dataclass(slots=True)
class ChildrenWait:
    """The frame waits for its children. ``running`` counts those not finished."""

    total: int
    started: int = 0
    running: int = 0
    failed: int = 0
    limit: int = 0  # how many may run at once; 0 is no limit
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None
    pending: int = 0  # children that ended unsuccessfully and are still to be taken up by a redrive

    def tolerates(self, failed: int) -> bool:
        """May this many children fail without failing the parent?"""
        if self.tolerated_count is None and self.tolerated_percentage is None:
            return failed == 0
        if self.tolerated_count is not None and failed > self.tolerated_count:
            return False
        return self.tolerated_percentage is None or failed * 100 <= self.tolerated_percentage * self.total


Waiting = TaskWait | TimerWait | ChildrenWait


class Frame:
    """One position. ``last`` is the event that the frame's next event follows."""

    __slots__ = (
        "attempts",
        "before",
        "block",
        "children",
        "entered",
        "entered_at",
        "failed",
        "id",
        "index",
        "input",
        "item",
        "last",
        "output",
        "parent",
        "plan",
        "ready",
        "retries",
        "state",
        "variables",
        "waiting",
    )

    def __init__(
        self, number: int, parent: int | None, block: str, state: str, argument: Json, last: int, index: int = 0
    ) -> None:
        self.id = number
        self.parent = parent
        self.block = block
        self.state = state
        self.input = argument
        self.last = last
        self.index = index
        self.item: Json | None = None  # of a Map iteration: $$.Map.Item.Value
        self.entered = 0  # id of the event that entered the state; 0 before
        self.before = 0  # id of the event that entering followed
        self.variables: dict[str, Json] | None = None  # assigned in this frame's block
        self.entered_at = 0.0
        self.waiting: Waiting | None = None
        # What it does next, if the decision ended before it could: "enter" its state, enter it "again" (a retry; no event),
        # or "iterate": start a further child. "redrive": its parent takes it up when there is room for it.
        self.ready: str | None = "enter"
        self.retries: list[int] = []  # retries used, by retrier
        self.attempts = 0  # $$.State.RetryCount
        self.output: Json | None = None  # of a finished frame
        self.failed: tuple[str | None, str | None] | None = None  # of a tolerated failure: error and cause
        self.children: list[int] = []  # ids in order of start; rebuilt on load
        self.plan: MapPlan | None = None  # made anew when needed, never stored

    @property
    def finished(self) -> bool:
        return self.output is not None or self.failed is not None


@dataclass(slots=True, kw_only=True)
class Execution:
    """One execution and what it stands for. ``seq`` is the number of decisions written so far.

    An Express execution gets a new ``key.id`` for each run, so its tasks' idempotency keys are never those of another run.
    """

    key: Key
    arn: str
    name: str
    machine: Machine
    machine_arn: str
    machine_name: str
    role_arn: str
    scope: Scope
    definition: str
    started: float
    input: Json
    express: bool = False
    sync: bool = False  # somebody waits for the answer: StartSyncExecution
    version: str | None = None  # see ``association``
    trace_header: str | None = None
    log: LogPlan | None = None  # None: nothing is logged
    redrives: int = 0
    redriven: float | None = None  # when that was the last time
    redrive_tokens: list[tuple[str, float]] = field(default_factory=list)  # client tokens and when they redrove it
    seq: int = 0
    last_event: int = 0
    last_frame: int = 0
    last_payload: int = 0
    status: Status = "RUNNING"
    output: Json | None = None
    error: str | None = None
    cause: str | None = None
    stopped: float | None = None
    frames: dict[int, Frame]
    payloads: dict[bytes, int]  # numbers of texts that have rows of their own, by digest
    tasks: dict[int, TaskRow]  # in flight, by event

    @property
    def deadline(self) -> float | None:
        """When the whole execution times out: an Express one after five minutes at the latest; a redrive starts anew."""
        seconds = self.machine.timeout
        if self.express:
            seconds = EXPRESS_SECONDS if seconds is None else min(seconds, EXPRESS_SECONDS)
        begun = self.started if self.redriven is None else self.redriven
        return None if seconds is None else begun + seconds

    def task_key(self, event: int) -> str:
        """The idempotency key of a task: the same for every repetition of the same call."""
        return f"{self.key.id.hex()}-{event}"
