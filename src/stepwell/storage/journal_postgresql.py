"""Groups of starts and decisions for PostgreSQL: one autocommit statement writes up to 512 of them.

::

    WITH mine      partitions held at the believed epoch, FOR SHARE: a takeover waits for this commit
       , appended  UPDATE progress where seq and last event are as expected and the partition is mine
       , started   INSERT execution ... ON CONFLICT DO NOTHING
       , written   which writes passed; mask, the same as bits
       , pages, frames, tasks, timers ...   everything else of the writes that passed
    SELECT n FROM written

The text is put together from the parts a group needs (``postgresql.sql``, ``group_*``), so there are few texts and
the server keeps their plans. All parts see the database as it was before the statement, in no order; so a row may be
touched by one part only, and ``_Rows`` leaves out what a later step of ``Append``'s order of effect would undo.

A write that did not come back was refused by its guard: the journal finds out why. If the statement fails the group
is halved until the bad write stands alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from stepwell.engine.journal import Append, Closed
from stepwell.kernel.errors import StorageUnavailable
from stepwell.storage.committer import Committer, Outcome
from stepwell.storage.envelope import seal, seal_optional, seal_text
from stepwell.storage.journal_rows import Fence, Write, execution_params, progress_params
from stepwell.storage.postgresql_link import Link
from stepwell.storage.units import STATEMENT_OVERHEAD

# The parts with rows of their own, in the order of the text, and how many columns each has.
PARTS = {
    "group_append": 8,
    "group_start": 21,
    "group_pages": 5,
    "group_payloads": 4,
    "group_children_dropped": 3,
    "group_frames": 5,
    "group_tasks_done": 3,
    "group_tasks": 8,
    "group_timers_done": 4,
    "group_timers": 6,
    "group_closed": 8,
    "group_reopened": 2,
    "group_outbox": 3,
}
GUARDS = ("group_append", "group_start")
_PARAMETER = re.compile(r"\$(\d+)")


class PostgresJournalWriter:
    """Writes starts and decisions; see ``journal.JournalWriter``."""

    def __init__(self, link: Link, texts: dict[str, str]) -> None:
        self._link = link
        self._texts = texts
        self._statements: dict[tuple[str, ...], str] = {}
        self._committer = Committer[Write](self._execute)

    async def write(self, write: Write) -> bool:
        written: bool = await self._committer.submit(write, "journal", _size(write))
        return written

    async def drain(self) -> None:
        """Return when everything handed over so far has its outcome."""
        await self._committer.drain()

    async def _execute(self, group: list[Write]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = [None] * len(group)
        for places in _waves(group):
            wave = await self._wave([group[place] for place in places])
            for place, outcome in zip(places, wave, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _wave(self, group: list[Write]) -> list[Outcome]:
        try:
            return list(await self._statement(group))
        except StorageUnavailable as error:
            return [error] * len(group)
        except Exception as error:  # of whatever kind: it is the bad write's error, not its neighbours'
            if len(group) == 1:
                return [error]
            half = len(group) // 2
            return await self._wave(group[:half]) + await self._wave(group[half:])

    async def _statement(self, group: list[Write]) -> list[bool]:
        rows = _Rows()
        for n, write in enumerate(group):
            rows.add(n, write)
        text, params = self._compose(rows)
        async with self._link.use() as connection:
            found = await connection.fetch(text, *params)
        written = {row[0] for row in found}
        return [n in written for n in range(len(group))]

    def _compose(self, rows: _Rows) -> tuple[str, list[object]]:
        names = tuple(name for name in PARTS if rows.of[name])
        text = self._statements.get(names)
        if text is None:
            text = self._statements[names] = _text(names, self._texts)
        params: list[object] = [rows.worker, *_columns(rows.fences, 3)]
        for name in names:
            params += _columns(rows.of[name], PARTS[name])
            if name == "group_children_dropped":
                params += _columns(rows.kept, 2)
        return text, params


def _text(names: tuple[str, ...], texts: dict[str, str]) -> str:
    """The statement for a group with rows in these parts."""
    guards = [name for name in names if name in GUARDS]
    passed = "group_written_both" if len(guards) == len(GUARDS) else guards[0].replace("group_", "group_written_")
    order = ["group_fence", *guards, passed, "group_mask"]
    order += ["group_progress"] if "group_start" in guards else []
    order += [name for name in names if name not in GUARDS]
    parts, base = [], 0
    for name in order:
        part = texts[name]
        numbers = [int(number) for number in _PARAMETER.findall(part)]
        parts.append(_shifted(part, base))
        base += max(numbers, default=0)
    return f"WITH {', '.join(parts)} SELECT n FROM written"  # noqa: S608 - all of it is our own text


def _shifted(part: str, base: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + base}", part)


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _waves(group: list[Write]) -> list[list[int]]:
    """The places of a group's writes, so that no execution has two in one wave; nearly always there is one wave."""
    waves: list[list[int]] = []
    seen: dict[bytes, int] = {}
    for place, write in enumerate(group):
        wave = seen.get(write.key.id, -1) + 1
        seen[write.key.id] = wave
        if wave == len(waves):
            waves.append([])
        waves[wave].append(place)
    return waves


def _size(write: Write) -> int:
    size = STATEMENT_OVERHEAD
    if write.new is not None:
        size += len(write.new.input) + len(write.new.head)
    append = write.append
    if append is not None:
        size += len(append.head) + (len(append.page.body) if append.page is not None else 0)
        size += sum(len(frame.body) for frame in append.frames) + sum(len(task.body) for task in append.tasks)
        size += sum(len(payload.body) for payload in append.payloads)
        if append.closed is not None:
            size += len(append.closed.output or "")
    return size


class _Rows:
    """The rows of a group, by part."""

    def __init__(self) -> None:
        self.worker = ""
        self.fences: list[tuple[Any, ...]] = []
        self.of: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.kept: list[tuple[Any, ...]] = []
        self._places: dict[tuple[int, int], int] = {}

    def add(self, n: int, write: Write) -> None:
        new, append, fence = write
        k = self._fence(write.key.pid, fence) if fence is not None else -1
        if new is not None:
            params = execution_params(new, append)
            self.of["group_start"].append((n, k, *params, *progress_params(new, append)[2:]))
        elif append is not None:
            self._guard(n, k, append)
        if append is not None:
            if new is None:
                self._dropped(n, append)
                if append.closed is not None:
                    self._closed(n, append.key.id, append.closed)
            self._added(n, append)

    def _fence(self, pid: int, fence: Fence) -> int:
        self.worker = fence.worker
        place = (pid, fence.epoch)
        k = self._places.get(place)
        if k is None:
            k = self._places[place] = len(self.fences)
            self.fences.append((k, *place))
        return k

    def _guard(self, n: int, k: int, append: Append) -> None:
        page = append.page
        before, last = (page.first - 1, page.last) if page is not None else (None, None)
        row = (n, k, append.key.id, append.expected, before, last, append.runnable, seal(append.head))
        self.of["group_append"].append(row)

    def _dropped(self, n: int, append: Append) -> None:
        execution, closed = append.key.id, append.closed
        if closed is not None and closed.status == "SUCCEEDED":
            return  # every row goes with the closing
        if append.children_dropped:
            self.of["group_children_dropped"] += [(n, execution, frame) for frame in append.children_dropped]
            self.kept += [(execution, row.frame) for row in append.frames]
        if closed is None:
            tasks = {row.event for row in append.tasks}
            timers = {(row.frame, row.kind) for row in append.timers}
            self.of["group_tasks_done"] += [(n, execution, event) for event in append.tasks_done if event not in tasks]
            done = [(n, execution, *timer) for timer in append.timers_done if timer not in timers]
            self.of["group_timers_done"] += done

    def _added(self, n: int, append: Append) -> None:
        (pid, execution), closed, of = append.key, append.closed, self.of
        if append.page is not None:
            first, last, body = append.page
            of["group_pages"].append((n, execution, first, last, seal(body)))
        of["group_payloads"] += [(n, execution, row.number, seal_text(row.body)) for row in append.payloads]
        if closed is None or closed.status != "SUCCEEDED":
            frames = {row.frame: row for row in append.frames}.values()  # the last one counts
            of["group_frames"] += [(n, execution, row.frame, row.parent, seal(row.body)) for row in frames]
        if closed is None:
            tasks = {row.event: row for row in append.tasks}.values()
            of["group_tasks"] += [
                (n, execution, pid, row.event, row.frame, row.kind, row.resource, seal(row.body)) for row in tasks
            ]
            timers = {(row.frame, row.kind): row for row in append.timers}.values()
            of["group_timers"] += [(n, execution, pid, row.frame, row.kind, row.due) for row in timers]
        if append.reopened:
            of["group_reopened"].append((n, execution))
        if append.outbox is not None:
            of["group_outbox"].append((n, pid, seal_text(append.outbox)))

    def _closed(self, n: int, execution: bytes, closed: Closed) -> None:
        ending = (seal_optional(closed.output), seal_optional(closed.error), seal_optional(closed.cause))
        row = (n, execution, closed.status, closed.stopped, *ending, closed.status == "SUCCEEDED")
        self.of["group_closed"].append(row)
