"""journal.append against a bare durable append of the same bytes, in one run.

``python bench/append.py [--url URL] [--seconds 2] [--clients 16] [--bytes 1000]``

The bare append is what the machine can do at best on SQLite: one thread that commits all that gathered (synchronous=FULL),
one row a decision. Both are run in turn, several times, because flushes differ from minute to minute; quote the ratios
and the CPU.
CPU is that of this process and of the writer process (or nothing, for PostgreSQL's own processes).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import resource
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import uvloop

from stepwell.engine.journal import Append, FrameRow, Key, NewExecution, Page
from stepwell.storage.bundle import Storage, open_storage

DECISIONS = 10  # of one execution
Step = Callable[[bytes, int, bytes], Awaitable[object]]


class Result:
    def __init__(self, name: str, latencies: list[float], elapsed: float, cpu: float) -> None:
        latencies.sort()
        self.name = name
        self.rate = len(latencies) / elapsed
        self.p50 = latencies[len(latencies) // 2] * 1e3
        self.p99 = latencies[int(len(latencies) * 0.99)] * 1e3
        self.cpu = cpu / len(latencies) * 1e6

    def __str__(self) -> str:
        return (
            f"{self.name:8} {self.rate:8.0f} appends/s  p50 {self.p50:6.2f} ms  p99 {self.p99:6.2f} ms  "
            f"cpu {self.cpu:6.1f} us an append"
        )


def cpu_seconds(pid: int | None) -> float:
    """Of this process, its threads and the writer process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    own = usage.ru_utime + usage.ru_stime
    if pid is None:
        return own
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bare:
    """One thread, one table, group commit."""

    def __init__(self, path: Path) -> None:
        self._queue: queue.SimpleQueue[tuple[tuple[bytes, int, bytes], asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    async def append(self, execution: bytes, number: int, body: bytes) -> None:
        done = self._loop.create_future()
        self._queue.put(((execution, number, body), done))
        await done

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = apsw.Connection(str(self._path))
        connection.execute("PRAGMA journal_mode=wal").fetchall()
        connection.execute("PRAGMA synchronous=full")
        connection.execute("CREATE TABLE e (id BLOB, n INTEGER, body BLOB, PRIMARY KEY (id, n)) WITHOUT ROWID")
        while (item := self._queue.get()) is not None:
            batch = [item]
            while not self._queue.empty() and len(batch) < 512 and (more := self._queue.get()) is not None:
                batch.append(more)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO e VALUES (?, ?, ?)", [row for row, _ in batch])
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._answer, [done for _, done in batch])
        connection.close()

    @staticmethod
    def _answer(answers: list[asyncio.Future[None]]) -> None:
        for done in answers:
            done.set_result(None)


async def measure(name: str, step: Step, options: argparse.Namespace, pid: int | None) -> Result:
    body = os.urandom(options.bytes)
    latencies: list[float] = []
    stop = time.perf_counter() + options.seconds

    async def client() -> None:
        while time.perf_counter() < stop:
            execution = time.time_ns().to_bytes(8, "big") + os.urandom(8)
            for number in range(DECISIONS):
                begun = time.perf_counter()
                await step(execution, number, body)
                latencies.append(time.perf_counter() - begun)

    begun, cpu = time.perf_counter(), cpu_seconds(pid)
    await asyncio.gather(*(client() for _ in range(options.clients)))
    return Result(name, latencies, time.perf_counter() - begun, cpu_seconds(pid) - cpu)


def journal_step(storage: Storage) -> Step:
    async def step(execution: bytes, number: int, body: bytes) -> object:
        key = Key(execution[-1], execution)
        append = Append(
            key=key,
            expected=number,
            head=b"head of the execution",
            runnable=False,
            page=Page(number * 5 + 1, number * 5 + 5, body),
            frames=[FrameRow(1, None, b"x" * 60)],
        )
        if number:
            await storage.journal.append(append)
            return None
        name = execution.hex()
        new = NewExecution(
            key=key,
            arn=f"arn:{name}",
            machine_arn="arn:m",
            name=name,
            started=1.0,
            definition="h",
            input="{}",
            head=b"",
        )
        return await storage.journal.start(new, append)

    return step


async def run(options: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    storage = await open_storage(options.url or f"sqlite:{folder / 'journal.db'}")
    await storage.membership.join()
    pid = getattr(storage.database, "writer_pid", None)
    ratios: list[tuple[float, float, float]] = []
    for turn in range(options.turns):
        bare_append = Bare(folder / f"bare-{turn}.db")
        bare = await measure("bare", bare_append.append, options, None)
        bare_append.close()
        journal = await measure("journal", journal_step(storage), options, pid)
        print(bare, journal, sep="\n", flush=True)
        ratios.append((journal.rate / bare.rate, journal.p50 / bare.p50, journal.cpu - bare.cpu))
    await storage.close()
    shutil.rmtree(folder)
    rate, p50, cpu = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"median: rate {rate:.2f} of bare, p50 {p50:.2f} of bare, {cpu:.0f} us CPU an append more than bare")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a database; without it a SQLite file in --folder")
    parser.add_argument("--folder", default=".", help="where temporary databases go")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--bytes", type=int, default=1_000)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
