"""The Journal: what the engine asks of a database, described by promises.

What lives here: the records that cross the border between engine and storage, and the protocol of the border. What never
does: SQL, policy, the meaning of the blobs.

Vocabulary
    key         an execution's place: ``pid`` (partition id 0..255, for ever) and ``id`` (16 bytes, time-ordered)
    decision    what one call of ``advance`` decided; it becomes one ``Append``
    seq         the execution's version: the number of decisions written so far
    page        the history events of one decision, as one blob
    frame       one position in one block of states, as one blob
    payload     a JSON text of more than 4 KiB, in a row of its own, numbered within its execution

Promises of every implementation
    1. ``start`` and ``append`` return after their rows are durable, and never before. They are atomic: all rows or none.
    2. ``append`` writes only if the execution's seq is ``expected`` and this worker owns the partition at the epoch it
       believes in; otherwise it raises ``Fenced`` (not the owner any more) or ``CheckFailed`` (seq differs) and writes
       nothing. Appends of different executions are committed in groups; one bad append does not fail its neighbours.
    3. After ``StorageUnavailable`` the outcome is unknown. The engine drops what it holds of the execution and loads again.
    4. Reads see every write that was acknowledged before the read began.
    5. ``start`` never replaces an execution: if the ARN is taken it writes nothing and returns the row that has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from stepwell.kernel.arns import Arn

PARTITIONS = 256
PAYLOAD_BYTES = 4_096  # a text longer than this lives in a row of its own

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
TaskKind = Literal["call", "callback", "activity", "worker"]
"""``call``: to be called, again after a crash. ``callback``: called and accepted, waits for its token. ``activity``: waits
for a worker's poll. ``worker``: a worker has it."""
TimerKind = Literal["wait", "retry", "timeout", "heartbeat", "execution"]


class Key(NamedTuple):
    """Where an execution's rows are."""

    pid: int
    id: bytes


def partition_of(execution_arn: str) -> int:
    """The partition of a Standard execution, from account, region, machine and execution name; it never changes."""
    arn = Arn.parse(execution_arn)
    machine, name = arn.names[0], ":".join(arn.names[1:])
    text = "\0".join((arn.account, arn.region, machine, name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % PARTITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExecution:
    """The row of an execution about to start. ``head`` is the engine's own blob (see ``engine.codec``)."""

    key: Key
    arn: str
    machine_arn: str  # without version or alias: what ListExecutions asks by
    name: str
    started: float
    definition: str  # hash of the immutable definition body
    input: str  # JSON text
    head: bytes
    version: str | None = None  # version or alias ARN it was started by
    trace_header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRow:
    """An execution as it stands in the database."""

    key: Key
    arn: str
    machine_arn: str
    name: str
    status: Status
    seq: int
    started: float
    stopped: float | None
    definition: str
    input: str
    output: str | None
    error: str | None
    cause: str | None
    head: bytes
    runnable: bool  # has something to do right now: its start or a Continue
    fault: str | None = None  # why it is parked
    faults: int = 0  # how many times in a row it failed to advance
    retry_at: float | None = None  # when a parked execution is tried again
    version: str | None = None
    trace_header: str | None = None


class FrameRow(NamedTuple):
    frame: int
    parent: int | None
    body: bytes


class PayloadRow(NamedTuple):
    number: int
    body: str


class TaskRow(NamedTuple):
    """One task in flight: the outbox. ``event`` is the id of its Scheduled event and names it within the execution."""

    event: int
    frame: int
    kind: TaskKind
    resource: str  # the activity's ARN for activities, else the Resource as written
    body: bytes


class TimerRow(NamedTuple):
    frame: int  # 0 for the execution's own timeout
    kind: TimerKind
    due: float


class DueTimer(NamedTuple):
    key: Key
    frame: int
    kind: TimerKind
    due: float


class Page(NamedTuple):
    first: int  # id of its first event
    last: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """How an execution ended. Frames of a SUCCEEDED one are deleted; of the others they stay, for redrive."""

    status: Status
    stopped: float
    output: str | None = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Everything one decision writes. Whatever is empty is not touched.

    Order of effect: ``children_dropped`` (all frames whose parent is one of these), ``frames`` (insert or
    replace), ``tasks_done``, ``tasks`` (insert or replace by event), ``timers_done``, ``timers`` (insert or replace by frame
    and kind). ``closed`` then removes all tasks and timers, and all frames if it succeeded. ``reopened`` makes the execution
    RUNNING again and wipes how it had ended.
    """

    key: Key
    expected: int  # the seq it builds on; the row's seq becomes expected + 1
    head: bytes
    runnable: bool
    page: Page | None = None
    frames: Sequence[FrameRow] = ()
    children_dropped: Sequence[int] = ()
    payloads: Sequence[PayloadRow] = ()
    tasks: Sequence[TaskRow] = ()
    tasks_done: Sequence[int] = ()
    timers: Sequence[TimerRow] = ()
    timers_done: Sequence[tuple[int, TimerKind]] = ()
    reopened: bool = False  # the execution had ended and is RUNNING again; never together with ``closed``
    closed: Closed | None = None
    outbox: str | None = None  # a status change for subscribers of the event port, JSON text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An execution with everything needed to go on."""

    row: ExecutionRow
    frames: Sequence[FrameRow]
    tasks: Sequence[TaskRow]
    timers: Sequence[TimerRow]


class ActivityRow(NamedTuple):
    key: Key
    event: int
    frame: int


class OutboxRow(NamedTuple):
    number: int
    body: str


class Journal(Protocol):
    """See the promises above. All coroutines may raise StorageUnavailable."""

    # ------------------------------------------------------------------ writes
    async def start(self, new: NewExecution, first: Append | None) -> ExecutionRow | None:
        """Write a new execution, and its first decision with it if given (``first.expected`` is 0).

        Without ``first`` the row has seq 0 and is runnable. Returns None when written, else the row that has the ARN.
        Needs no ownership without ``first``.
        """
        ...

    async def append(self, append: Append) -> None:
        """Write one decision. Raises Fenced, CheckFailed."""
        ...

    async def park(self, key: Key, fault: str | None, faults: int, retry_at: float | None) -> None:
        """Note how often an execution could not be advanced and, unless ``fault`` is None, that it is parked.

        The next ``append`` wipes it all. Raises Fenced.
        """
        ...

    async def forget_outbox(self, numbers: Sequence[int]) -> None: ...

    # ------------------------------------------------------------------ reads
    async def row(self, arn: str) -> ExecutionRow | None: ...

    async def row_by_key(self, key: Key) -> ExecutionRow | None: ...

    async def rows(
        self,
        machine_arn: str,
        *,
        status: Status | None = None,
        after: tuple[float, bytes] | None = None,
        limit: int = 100,
    ) -> list[ExecutionRow]:
        """Executions of a machine, newest first; ``after`` is (started, key.id) of the last row already seen."""
        ...

    async def open_count(self, machine_arn: str) -> int:
        """How many executions of a machine are RUNNING."""
        ...

    async def load(self, key: Key) -> Stored | None: ...

    async def payloads(self, key: Key, numbers: Sequence[int]) -> dict[int, str]: ...

    async def pages(self, key: Key, *, after: int, before: int | None, limit: int, newest_first: bool) -> list[Page]:
        """Pages holding events with ids above ``after`` and below ``before``; at most ``limit`` pages."""
        ...

    async def outbox(self, limit: int) -> list[OutboxRow]:
        """The oldest status changes of owned partitions."""
        ...

    # ------------------------------------------------------------------ recovery: of owned partitions only
    async def runnable(self, after: Key | None, limit: int) -> list[Key]:
        """Executions with something to do now: runnable ones, and those with a task of kind ``call``; by key."""
        ...

    async def due(self, until: float, limit: int) -> list[DueTimer]:
        """Timers due up to ``until``, earliest first."""
        ...

    async def waiting_activities(self, activity_arn: str, limit: int) -> list[ActivityRow]:
        """Tasks of kind ``activity`` that wait for a worker, oldest first; of all partitions."""
        ...

    async def parked(self, limit: int) -> list[ExecutionRow]: ...
