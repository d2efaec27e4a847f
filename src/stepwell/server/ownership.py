"""What the engine asks about partitions and time, answered by the database's membership."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stepwell.kernel.clock import Clock, SystemClock, Timer
from stepwell.storage.membership import Membership

LOOK_SECONDS = 0.1  # between looks while the lease is too old to act on


class Leased:
    """The engine's ``Ownership`` where other servers share the database."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    def owns(self, pid: int) -> bool:
        return self._membership.fence(pid) is not None

    def certain(self) -> bool:
        return self._membership.may_start_effects

    async def may_act(self) -> None:
        while not self._membership.may_start_effects:  # noqa: ASYNC110 - the lease is a moment, not an event
            await asyncio.sleep(LOOK_SECONDS)


class SharedClock:
    """The time that all servers of a database share, and this process's timers."""

    def __init__(self, now: Callable[[], float], timers: Clock | None = None) -> None:
        self.now = now
        self._timers = timers or SystemClock()

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        return self._timers.at(self._timers.now() + (when - self.now()), action)
