"""The Journal on a database: reads, and writes that find out why they were refused.

The promises are those of ``engine.journal``.

What differs between the databases, how a decision is written, is a ``JournalWriter``: ``journal_sqlite`` makes one
unit of it, ``journal_postgresql`` one row of a statement that writes hundreds.

Assumed of the engine: the 16 bytes of ``key.id`` are unique by themselves; the number of a payload is used once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stepwell.engine.journal import (
    ActivityRow,
    Append,
    DueTimer,
    ExecutionRow,
    Key,
    NewExecution,
    OutboxRow,
    Page,
    Status,
    Stored,
)
from stepwell.kernel.errors import CheckFailed, Fenced, StorageError
from stepwell.storage.envelope import seal_optional, unseal, unseal_text
from stepwell.storage.journal_rows import (
    Fence,
    Write,
    check_page,
    execution_row,
    frame_row,
    page_row,
    payload_row,
    task_row,
    timer_row,
)
from stepwell.storage.units import Database, Row, Statement, Unit

NEWEST = (float("inf"), b"\xff" * 17)
LAST_EVENT = 2**31 - 1
FIRST_KEY = Key(-1, b"")


class Owner(Protocol):
    """What the journal asks of the membership."""

    def fence(self, pid: int) -> Fence | None:
        """In whose name to write a partition; None if it is not owned."""
        ...

    @property
    def owned(self) -> Sequence[int]:
        """The partitions owned now."""
        ...


class JournalWriter(Protocol):
    """Writes one start or decision durably."""

    async def write(self, write: Write) -> bool:
        """True when written; False when its guard was not met (name taken, seq, event ids, ownership). Atomic.

        Raises StorageUnavailable, StorageError.
        """
        ...


class StoredJournal:
    """Implements ``engine.journal.Journal``."""

    def __init__(self, database: Database, owner: Owner, writer: JournalWriter) -> None:
        self._database = database
        self._owner = owner
        self._writer = writer

    # ------------------------------------------------------------------ writes
    async def start(self, new: NewExecution, first: Append | None) -> ExecutionRow | None:
        fence = None
        if first is not None:
            check_page(first, first=True)
            fence = self._fence(new.key.pid)
        if await self._writer.write(Write(new, first, fence)):
            return None
        row = await self.row(new.arn)
        if row is None:
            raise Fenced(f"partition {new.key.pid} has another owner")
        return row

    async def append(self, append: Append) -> None:
        check_page(append, first=False)
        fence = self._fence(append.key.pid)
        if not await self._writer.write(Write(None, append, fence)):
            await self._explain(append, fence)

    async def park(self, key: Key, fault: str | None, faults: int, retry_at: float | None) -> None:
        self._fence(key.pid)
        statement = Statement("park", (key.id, seal_optional(fault), faults, retry_at), 1)
        await self._database.submit(Unit((statement,), "journal"))

    async def forget_outbox(self, numbers: Sequence[int]) -> None:
        if numbers:
            statements = tuple(Statement("forget_outbox", (number,)) for number in numbers)
            await self._database.submit(Unit(statements, "background"))

    def _fence(self, pid: int) -> Fence:
        fence = self._owner.fence(pid)
        if fence is None:
            raise Fenced(f"partition {pid} is not owned by this worker")
        return fence

    async def _explain(self, append: Append, fence: Fence) -> None:
        """Return if the append is already there (its first answer was lost), else raise what stood in its way."""
        progress = await self._database.read("progress_of", (append.key.id,))
        seq, last_event, head = progress[0] if progress else (-1, -1, b"")
        if seq == append.expected + 1 and unseal(head) == append.head and await self._has_page(append):
            return
        owners = await self._database.read("fence_of", (append.key.pid,))
        if not owners or tuple(owners[0]) != fence:
            raise Fenced(f"partition {append.key.pid} has another owner")
        if seq == append.expected and append.page is not None and last_event != append.page.first - 1:
            raise StorageError(f"a page that begins with event {append.page.first} cannot follow event {last_event}")
        raise CheckFailed("append")

    async def _has_page(self, append: Append) -> bool:
        if append.page is None:
            return False  # nothing tells it from another worker's quiet decision: let the caller load again
        first, last, body = append.page
        found = await self._database.read("page_at", (append.key.id, first))
        return bool(found) and found[0][0] == last and unseal(found[0][1]) == body

    # ------------------------------------------------------------------ reads
    async def row(self, arn: str) -> ExecutionRow | None:
        found = await self._database.read("execution_by_arn", (arn,))
        return execution_row(found[0]) if found else None

    async def row_by_key(self, key: Key) -> ExecutionRow | None:
        found = await self._database.read("execution_by_id", (key.id,))
        return execution_row(found[0]) if found else None

    async def rows(
        self,
        machine_arn: str,
        *,
        status: Status | None = None,
        after: tuple[float, bytes] | None = None,
        limit: int = 100,
    ) -> list[ExecutionRow]:
        started, last = after or NEWEST
        if status is None:
            found = await self._database.read("executions_of_machine", (machine_arn, started, last, limit))
        else:
            params = (machine_arn, status, started, last, limit)
            found = await self._database.read("executions_of_machine_by_status", params)
        return [execution_row(row) for row in found]

    async def open_count(self, machine_arn: str) -> int:
        found = await self._database.read("open_count", (machine_arn,))
        return int(found[0][0])

    async def load(self, key: Key) -> Stored | None:
        read = self._database.read
        row = await self.row_by_key(key)
        if row is None:
            return None
        frames = [frame_row(found) for found in await read("frames_of", (key.id,))]
        tasks = [task_row(found) for found in await read("tasks_of", (key.id,))]
        timers = [timer_row(found) for found in await read("timers_of", (key.id,))]
        if row.status == "SUCCEEDED" and frames:
            raise StorageError(f"{row.arn} has succeeded and still has frames: the database is damaged")
        return Stored(row=row, frames=frames, tasks=tasks, timers=timers)

    async def payloads(self, key: Key, numbers: Sequence[int]) -> dict[int, str]:
        if not numbers:
            return {}
        found = await self._database.read("payloads_of", (key.id, list(numbers)))
        return dict(payload_row(row) for row in found)

    async def pages(self, key: Key, *, after: int, before: int | None, limit: int, newest_first: bool) -> list[Page]:
        name = "pages_backward" if newest_first else "pages_forward"
        found = await self._database.read(name, (key.id, after, LAST_EVENT if before is None else before, limit))
        return [page_row(row) for row in found]

    async def outbox(self, limit: int) -> list[OutboxRow]:
        found = await self._of_owned("outbox", limit)
        return [OutboxRow(number, unseal_text(body)) for number, body in found]

    # ------------------------------------------------------------------ recovery
    async def runnable(self, after: Key | None, limit: int) -> list[Key]:
        pid, last = after or FIRST_KEY
        return [Key(*row) for row in await self._of_owned("runnable", pid, last, limit)]

    async def due(self, until: float, limit: int) -> list[DueTimer]:
        found = await self._of_owned("timers_due", until, limit)
        return [DueTimer(Key(pid, execution), frame, kind, due) for pid, execution, frame, kind, due in found]

    async def waiting_activities(self, activity_arn: str, limit: int) -> list[ActivityRow]:
        found = await self._database.read("activities_waiting", (activity_arn, limit))
        return [ActivityRow(Key(pid, execution), event, frame) for pid, execution, event, frame in found]

    async def parked(self, limit: int) -> list[ExecutionRow]:
        return [execution_row(row) for row in await self._of_owned("parked", limit)]

    async def _of_owned(self, name: str, *params: object) -> Sequence[Row]:
        owned = list(self._owner.owned)
        return await self._database.read(name, (owned, *params)) if owned else []
