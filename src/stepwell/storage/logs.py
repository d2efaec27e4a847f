"""Log streams and their events, in the order of time whatever order they came in.

Events are stored in bundles (chunks), one row each: what came together for one stream. Bundles overlap, so readers merge:
an event is handed out when no bundle that was not read yet can hold an earlier one. A bundle spans at most SPAN
milliseconds, which bounds how far back a reader that begins at a time has to look.

::

    Key(time, chunk, place)     where an event stands among all others, for ever; times are milliseconds since the epoch
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import orjson

from stepwell.kernel.errors import CheckFailed
from stepwell.storage.documents import ABOVE_ALL
from stepwell.storage.envelope import seal, unseal
from stepwell.storage.units import Database, Row, Statement, Unit

SPAN = 60_000
CHUNK_EVENTS = 1_000
CHUNK_BYTES = 512 * 1_024
BATCH = 4  # bundles read at a time
TURN_EVENTS = 500  # handed out before the event loop may turn to others
UNIT_ROWS = 200  # bundles deleted in one commit
END_OF_TIME = 1 << 60
_LAST = 1 << 62
_CHUNKS = {  # of one stream, backwards
    (False, False): "log_chunks_of_group",
    (False, True): "log_chunks_of_group_down",
    (True, False): "log_chunks_of_stream",
    (True, True): "log_chunks_of_stream_down",
}

Entry = tuple[int, bytes]
"""Time and message, in UTF-8."""


class Key(NamedTuple):
    time: int
    chunk: int
    place: int


class LogEvent(NamedTuple):
    key: Key
    ingested: int
    stream: str  # its name
    message: str


class LogStream(NamedTuple):
    """A stream. ``first``, ``last`` and ``ingested`` are 0 while it is empty."""

    name: str
    id: bytes
    created: int
    first: int
    last: int
    ingested: int


class LogStore:
    """The streams and events of one database. A group is named by its id. All coroutines may raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------------ streams
    async def create_stream(self, group: bytes, name: str, identity: bytes, now: int) -> None:
        """Raises CheckFailed if there is one of this name."""
        await self._database.submit(Unit((Statement("create_log_stream", (group, name, identity, now), 1),)))

    async def stream(self, group: bytes, name: str) -> LogStream | None:
        found = await self._database.read("log_stream", (group, name))
        return LogStream(*found[0]) if found else None

    async def streams(
        self, group: bytes, *, prefix: str = "", after: str | None = None, limit: int, down: bool = False
    ) -> list[LogStream]:
        """By name (code points), beyond ``after``."""
        start = (ABOVE_ALL if down else "") if after is None else after
        name = "log_streams_down" if down else "log_streams"
        found = await self._database.read(name, (group, start, prefix, prefix + ABOVE_ALL, limit))
        return [LogStream(*row) for row in found]

    async def recent_streams(
        self, group: bytes, *, after: tuple[int, str] | None = None, limit: int, down: bool = False
    ) -> list[LogStream]:
        """By the time of the last event, beyond ``after`` (that time, and the name)."""
        start = ((END_OF_TIME, "") if down else (-1, "")) if after is None else after
        name = "log_streams_recent_down" if down else "log_streams_recent"
        found = await self._database.read(name, (group, *start, limit))
        return [LogStream(*row) for row in found]

    async def stored_bytes(self, group: bytes) -> int:
        return int((await self._database.read("log_group_bytes", (group,)))[0][0])

    # ------------------------------------------------------------------ events
    async def append(self, group: bytes, stream: bytes, entries: Sequence[Entry], now: int) -> None:
        """Add events, durably, all or none. Raises CheckFailed if the stream is gone."""
        if not entries:
            return
        chunks = list(_chunks(entries))
        sizes = [sum(len(message) for _, message in chunk) for chunk in chunks]
        first, last = min(chunk[0][0] for chunk in chunks), max(chunk[-1][0] for chunk in chunks)
        statements = [Statement("grow_log_stream", (stream, first, last, now, sum(sizes)), 1)]
        for chunk, size in zip(chunks, sizes, strict=True):
            body = seal(_packed(chunk))
            statements.append(Statement("put_log_chunk", (group, stream, chunk[0][0], chunk[-1][0], now, size, body)))
        await self._database.submit(Unit(tuple(statements)))

    async def events(
        self,
        *,
        group: bytes,
        stream: bytes | None = None,
        start: int = 0,
        end: int = END_OF_TIME,
        at: Key | None = None,
        down: bool = False,
    ) -> AsyncGenerator[LogEvent, None]:
        """Events of a group, or of one of its streams, from ``start`` up to and not including ``end``.

        ``at`` is a place between events: they begin with the one of this key, or backwards with the one before it.
        """
        low, high = Key(start, 0, 0), Key(end, 0, 0)
        if at is not None:
            low, high = (low, min(high, at)) if down else (max(low, at), high)
        place = group if stream is None else stream
        beyond = (high.time + SPAN + 1, _LAST) if down else (low.time - SPAN - 1, 0)
        bound = low.time if down else high.time + 1
        waiting: list[tuple[Key, LogEvent]] = []
        more = True
        count = 0
        while more or waiting:
            if more:
                rows = await self._database.read(_CHUNKS[stream is not None, down], (place, *beyond, bound, BATCH))
                more = len(rows) == BATCH
                for row in rows:
                    _gather(waiting, row, low, high, down)
                if rows:
                    beyond = (rows[-1][0], rows[-1][1])
            reached = _turned(Key(beyond[0], beyond[1], 0), True) if down else Key(beyond[0], beyond[1] + 1, 0)
            while waiting and (not more or waiting[0][0] <= reached):
                count += 1
                if count % TURN_EVENTS == 0:
                    await asyncio.sleep(0)
                yield heapq.heappop(waiting)[1]

    # ------------------------------------------------------------------ deleting
    async def forget_before(self, group: bytes, before: int) -> bool:
        """Delete some bundles whose events are all older than a time; whether there were any."""
        return await self._forget(await self._database.read("log_chunks_before", (group, before, UNIT_ROWS)))

    async def delete_stream(self, stream: bytes) -> None:
        """Its events first, so that a stop in between leaves a stream that can be deleted again."""
        while await self._forget(await self._database.read("log_chunks_in", (stream, UNIT_ROWS))):
            pass
        await self._database.submit(Unit((Statement("forget_log_stream", (stream,)),)))

    async def delete_group(self, group: bytes) -> None:
        """Everything of a group that nobody can find any more."""
        while await self.forget_before(group, END_OF_TIME):
            pass
        while streams := await self.streams(group, limit=UNIT_ROWS):
            forget = tuple(Statement("forget_log_stream", (stream.id,)) for stream in streams)
            await self._database.submit(Unit(forget, "background"))

    async def _forget(self, rows: Sequence[Row]) -> bool:
        freed: dict[bytes, int] = {}
        for _, stream, size in rows:
            freed[stream] = freed.get(stream, 0) + size
        forget = [Statement("forget_log_chunk", (number,), 1) for number, _, _ in rows]
        forget += [Statement("shrink_log_stream", (stream, size)) for stream, size in freed.items()]
        if forget:
            with suppress(CheckFailed):  # another server is at the same work
                await self._database.submit(Unit(tuple(forget), "background"))
        return bool(rows)


def _chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    size = 0
    for entry in sorted(entries, key=lambda e: e[0]):
        full = len(chunk) == CHUNK_EVENTS or size >= CHUNK_BYTES
        if chunk and (full or entry[0] - chunk[0][0] > SPAN):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += len(entry[1])
    yield chunk


def _packed(chunk: list[Entry]) -> bytes:
    """Times and lengths as JSON in the first line, then the messages, one behind the other."""
    head = orjson.dumps(([time for time, _ in chunk], [len(message) for _, message in chunk]))
    return b"".join((head, b"\n", *(message for _, message in chunk)))


def _unpacked(body: bytes) -> Iterator[tuple[int, str]]:
    head, _, messages = body.partition(b"\n")
    times, sizes = orjson.loads(head)
    at = 0
    for time, size in zip(times, sizes, strict=True):
        yield time, messages[at : at + size].decode()
        at += size


def _gather(waiting: list[tuple[Key, LogEvent]], row: Row, low: Key, high: Key, down: bool) -> None:
    _, number, ingested, stream, body = row
    for index, (time, message) in enumerate(_unpacked(unseal(body))):
        key = Key(time, number, index)
        if low <= key < high:
            heapq.heappush(waiting, (_turned(key, down), LogEvent(key, ingested, stream, message)))


def _turned(key: Key, down: bool) -> Key:
    """A key that sorts the other way round when reading backwards."""
    return Key(-key.time, -key.chunk, -key.place) if down else key
