"""Time, handed in: the system's clock for servers, a manual one for tests and the library.

All times are seconds since the epoch as float, rounded to milliseconds where they become visible (AWS shows no more).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """Something scheduled that can be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What time is it, and call me at a time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Call ``action`` once at ``when`` (soon, if that has passed), from the event loop, unless cancelled."""
        ...


class SystemClock:
    """The machine's time and the running event loop's timers."""

    def now(self) -> float:
        return time.time()

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        delay = max(0.0, when - time.time())
        return asyncio.get_running_loop().call_later(delay, action)


class _ManualTimer:
    __slots__ = ("action", "cancelled", "order", "when")

    def __init__(self, when: float, order: int, action: Callable[[], object]) -> None:
        self.when, self.order, self.action, self.cancelled = when, order, action, False

    def cancel(self) -> None:
        self.cancelled = True

    def __lt__(self, other: _ManualTimer) -> bool:
        return (self.when, self.order) < (other.when, other.order)


class ManualClock:
    """A clock that stands still until told to move, so that a year's wait is a fast and exact test.

    Whoever does work because of a timer registers a ``settle`` coroutine function in ``settlers``; it returns when that
    worker has nothing left to do but wait for a later timer.
    """

    def __init__(self, start: float = 1_767_225_600.0) -> None:  # 2026-01-01T00:00:00Z
        self._now = start
        self._heap: list[_ManualTimer] = []
        self._order = itertools.count()
        self.settlers: list[Callable[[], Awaitable[object]]] = []

    def now(self) -> float:
        return self._now

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        timer = _ManualTimer(max(when, self._now), next(self._order), action)
        heapq.heappush(self._heap, timer)
        return timer

    def next_due(self) -> float | None:
        """When the earliest timer is due, or None when nothing is scheduled."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].when if self._heap else None

    async def advance(self, seconds: float) -> None:
        """Move on, firing what falls due in order; returns when everything is quiet at the new time."""
        target = self._now + seconds
        await self.settle()
        while (due := self.next_due()) is not None and due <= target:
            self._now = max(self._now, due)
            heapq.heappop(self._heap).action()
            await self.settle()
        self._now = target

    async def settle(self) -> None:
        """Let all registered workers finish what they can do at the present time."""
        for settler in list(self.settlers):
            await settler()


def resolve(future: asyncio.Future[None]) -> None:
    """Wake whoever awaits the future, unless that has happened."""
    if not future.done():
        future.set_result(None)


async def wait_until(clock: Clock, when: float) -> None:
    """Sleep on a clock."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.at(when, lambda: resolve(done))
    try:
        await done
    finally:
        timer.cancel()


def iso(when: float) -> str:
    """AWS's way to write a time inside JSON: ``2026-01-01T00:00:00.000Z``."""
    text = datetime.fromtimestamp(round(when, 3), UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
