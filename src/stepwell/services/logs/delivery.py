"""From executions to their log groups: a bounded buffer, written in batches off the path of the executions.

Implements ``engine.execution_log.EventLog``. Delivery is best effort, as AWS's is: what is in the buffer is lost when the
process dies, what does not fit is dropped and counted. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html

A stream is called ``states/MACHINE/YYYY-MM-DD-hh-mm/xxxxxxxx``, after the minute in which this server began it; it is used
for an hour (assumed: AWS does not say when it begins another one).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from stepwell.engine.events import PlainEvent
from stepwell.engine.execution_log import LogPlan, logged, record, tail
from stepwell.engine.state import Execution
from stepwell.kernel.arns import Arn, scope_of
from stepwell.kernel.clock import Clock, Timer
from stepwell.kernel.errors import CheckFailed, StorageError, StorageUnavailable
from stepwell.services.logs.shelf import ID_BYTES, Group, Shelf, name_in
from stepwell.storage.logs import Entry

BUFFER_BYTES = 64 << 20
ENTRY_BYTES = 120  # of a record in memory beside its text, about
FLUSH_SECONDS = 0.1
RETRY_SECONDS = 1.0
STREAM_SECONDS = 3_600.0
log = logging.getLogger(__name__)


class _Taken(NamedTuple):
    plan: LogPlan
    machine: str
    arn: str
    redrives: int
    events: Sequence[PlainEvent]


class _Stream(NamedTuple):
    id: bytes
    group: bytes
    until: float


Place = tuple[str, str]
"""ARN of the group, name of the machine: what shares a stream."""


class Delivery:
    """``close`` when executions have stopped and before the database is closed."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock
        self._taken: list[_Taken] = []
        self._ready: dict[Place, list[Entry]] = {}  # records that wait to be written
        self._bytes = 0  # of those, and of those on their way
        self._streams: dict[Place, _Stream] = {}
        self._timer: Timer | None = None
        self._flushing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0  # records that will not be in any log

    # ------------------------------------------------------------------ on the path of executions
    def take(self, execution: Execution, events: Sequence[PlainEvent]) -> None:
        plan = execution.log
        if plan is None or not (events := logged(plan, events)):
            return
        if self._bytes >= BUFFER_BYTES:
            self._drop(len(events), "they come faster than they can be written")
            return
        if not self._taken:
            asyncio.get_running_loop().call_soon(self._render)
        self._taken.append(_Taken(plan, execution.machine_name, execution.arn, execution.redrives, events))

    # ------------------------------------------------------------------ off it
    def _render(self) -> None:
        """Make records, while the events are in the processor's cache: a tenth of a second later it takes thrice as long."""
        for plan, machine, arn, redrives, events in self._taken:
            end = tail(arn, redrives)
            made = [(round(event[2] * 1000), record(event, end, data=plan.data)) for event in events]
            self._ready.setdefault((plan.group, machine), []).extend(made)
            self._bytes += _size(made)
        self._taken.clear()
        if self._ready:
            self._flush_in(FLUSH_SECONDS)

    def _flush_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._clock.at(self._clock.now() + seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        task = asyncio.ensure_future(self._attempt())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self) -> None:
        try:
            await self.flush()
        except Exception:  # our bug: it must not end in silence
            log.exception("log records cannot be written")

    async def flush(self) -> None:
        """Write everything taken so far. What cannot be written now is tried again a second later."""
        async with self._flushing:
            self._render()
            ready, self._ready = self._ready, {}
            for place, entries in ready.items():
                if await self._deliver(place, entries):
                    self._bytes -= _size(entries)
                else:
                    self._ready[place] = entries + self._ready.get(place, [])
                    self._flush_in(RETRY_SECONDS)

    async def close(self) -> None:
        """Write what there is; what cannot be written now is lost."""
        await self.flush()
        if self._timer is not None:
            self._timer.cancel()
        left = sum(map(len, self._ready.values()))
        if left:
            self._drop(left, "the server is stopping and the database cannot be written to")

    async def settle(self) -> None:
        """Until no record waits to be made and no flush is going on (for tests with a manual clock)."""
        self._render()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _deliver(self, place: Place, entries: list[Entry]) -> bool:
        """Whether these records are done with: written, or given up."""
        try:
            if not await self._append(place, entries):
                self._drop(len(entries), f"there is no log group {place[0]}")
        except StorageUnavailable as error:
            log.warning("%s log records wait: %s", len(entries), error)
            return False
        except StorageError as error:
            self._drop(len(entries), str(error))
        return True

    async def _append(self, place: Place, entries: list[Entry]) -> bool:
        """Whether there is such a group."""
        arn = Arn.parse(place[0])
        name = name_in(scope_of(arn), place[0])
        group = None if name is None else await self._shelf.find(scope_of(arn), name)
        if group is None:
            self._streams.pop(place, None)
            return False
        try:
            await self._append_to(group, await self._stream(group, place), entries)
        except CheckFailed:  # somebody deleted the stream
            del self._streams[place]
            await self._append_to(group, await self._stream(group, place), entries)
        return True

    async def _append_to(self, group: Group, stream: _Stream, entries: list[Entry]) -> None:
        await self._shelf.store.append(group.id, stream.id, entries, self._shelf.now())

    async def _stream(self, group: Group, place: Place) -> _Stream:
        now = self._clock.now()
        stream = self._streams.get(place)
        if stream is None or stream.group != group.id or stream.until <= now:
            identity = self._shelf.ids.token(ID_BYTES)
            minute = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d-%H-%M")
            name = f"states/{place[1]}/{minute}/{identity.hex()[:8]}"
            await self._shelf.store.create_stream(group.id, name, identity, self._shelf.now())
            stream = self._streams[place] = _Stream(identity, group.id, now + STREAM_SECONDS)
            self._forget_old(now)
        return stream

    def _forget_old(self, now: float) -> None:
        self._streams = {place: stream for place, stream in self._streams.items() if stream.until > now}

    def _drop(self, count: int, why: str) -> None:
        if not self.dropped:
            log.warning("log records are dropped: %s", why)
        self.dropped += count


def _size(entries: Sequence[Entry]) -> int:
    return sum(len(message) for _, message in entries) + ENTRY_BYTES * len(entries)
