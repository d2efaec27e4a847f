"""The physical limits of durable writing: one flush, one SQLite commit, and a bare group-committed append.

The bare append is what this machine can do at best on SQLite: one table, one thread that commits all that gathered
(``synchronous=FULL``), one row a decision.
"""

from __future__ import annotations

import asyncio
import os
import queue
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

GROUP = 512
TABLE = "CREATE TABLE e (id BLOB, n INTEGER, body BLOB, PRIMARY KEY (id, n)) WITHOUT ROWID"
INSERT = "INSERT INTO e VALUES (?, ?, ?)"
Row = tuple[bytes, int, bytes]


def flush_seconds(folder: Path, seconds: float) -> float:
    """Median of one write and fsync."""
    path = folder / "flush.bin"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)

    def flush() -> None:
        os.pwrite(descriptor, b"x" * 4096, 0)
        os.fsync(descriptor)

    try:
        return _median(flush, seconds)
    finally:
        os.close(descriptor)
        path.unlink()


def commit_seconds(folder: Path, seconds: float, body: bytes) -> float:
    """Median of one durable commit of one row, inline."""
    connection = _open(folder / f"commit-{os.urandom(4).hex()}.db")
    try:
        return _median(lambda: _commit(connection, [(os.urandom(16), 1, body)]), seconds)
    finally:
        connection.close()


def commit_cpu(folder: Path, commits: int) -> float:
    """CPU seconds of one durable commit of one row, the kernel's part included."""
    connection = _open(folder / f"cpu-{os.urandom(4).hex()}.db")
    try:
        begun = time.process_time()
        for number in range(commits):
            _commit(connection, [(os.urandom(16), number, b"x" * 1_000)])
        return (time.process_time() - begun) / commits
    finally:
        connection.close()


class BareAppend:
    """See the module's docstring. An async context manager; ``append`` returns when the row is durable."""

    def __init__(self, path: Path) -> None:
        self._queue: queue.SimpleQueue[tuple[Row, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._thread = threading.Thread(target=self._run)

    async def append(self, execution: bytes, number: int, body: bytes) -> None:
        done = self._loop.create_future()
        self._queue.put(((execution, number, body), done))
        await done

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = _open(self._path)
        while (item := self._queue.get()) is not None:
            batch = [item]
            while not self._queue.empty() and len(batch) < GROUP and (more := self._queue.get()) is not None:
                batch.append(more)
            _commit(connection, [row for row, _ in batch])
            self._loop.call_soon_threadsafe(_settle, [done for _, done in batch])
        connection.close()


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=wal").fetchall()
    connection.execute("PRAGMA synchronous=full")
    connection.execute(TABLE)
    return connection


def _commit(connection: apsw.Connection, rows: list[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, rows)
    connection.execute("COMMIT")


def _settle(answers: list[asyncio.Future[None]]) -> None:
    for done in answers:
        done.set_result(None)


def _median(action: Callable[[], None], seconds: float) -> float:
    taken: list[float] = []
    stop = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < stop:
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
