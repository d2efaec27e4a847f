"""So many clients at once for so long: rate, latencies and the CPU of whoever is under load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.processes import cpu_seconds

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Load:
    """``p50`` and ``p99`` are seconds; ``cpu`` is seconds for one piece of work."""

    done: int
    rate: float
    p50: float
    p99: float
    cpu: float


async def under_load(clients: Sequence[Work], seconds: float, pids: Sequence[int]) -> Load:
    """Every client does its work again and again; ``pids`` are the process trees whose CPU is counted."""
    latencies: list[float] = []
    begun, used = time.perf_counter(), cpu_seconds(*pids)
    stop = begun + seconds

    async def client(work: Work) -> None:
        while True:
            at = time.perf_counter()
            if at >= stop:
                return
            await work()
            latencies.append(time.perf_counter() - at)

    await asyncio.gather(*(client(work) for work in clients))
    elapsed, used = time.perf_counter() - begun, cpu_seconds(*pids) - used
    latencies.sort()
    done = len(latencies)
    return Load(done, done / elapsed, latencies[done // 2], latencies[int(done * 0.99)], used / done)
