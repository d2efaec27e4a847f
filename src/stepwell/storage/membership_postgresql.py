"""Ownership on PostgreSQL: a lease that a heartbeat keeps, and the taking of what others let go.

Time is the database's: what it was at the last heartbeat, plus what has passed here since, by a clock that never
jumps. The lease is counted from before the heartbeat was sent, so this worker gives itself up no later than the
others do.

The heartbeat writes the worker's own row in ``member`` only, never a partition: those are locked by every decision.
It reads all partitions back: what this worker no longer holds is reported as lost, what is free is taken. The first
worker takes all, a second one takes over when the first leaves or its lease runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from stepwell.kernel.errors import StorageError, StorageUnavailable
from stepwell.storage.journal_rows import Fence
from stepwell.storage.membership import READS, PartitionsChanged
from stepwell.storage.postgresql_link import Link

BEATS = 4  # in a lease
EFFECTS_SHARE = 0.7  # of the lease, after which no side effect is started
FORGET_LEASES = 60  # after which a dead worker's row is deleted
log = logging.getLogger(__name__)


def _boot_time() -> float:
    """Seconds by a clock that never jumps and also counts while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _nobody(_pids: Sequence[int]) -> None:
    """The callback of those who do not want to know."""


class LeaseHolder:
    """This worker's membership; see ``membership.Membership``."""

    def __init__(
        self,
        link: Link,
        texts: dict[str, str],
        *,
        worker: str,
        address: str,
        lease: float,
        monotonic: Callable[[], float] = _boot_time,
    ) -> None:
        self.worker = worker
        self.address = address
        self._link = link
        self._texts = texts
        self._lease = lease
        self._monotonic = monotonic
        self._fences: dict[int, Fence] = {}
        self._owned: list[int] = []
        self._owners: dict[int, tuple[str, str]] = {}
        self._renewed = float("-inf")  # monotonic, before the last successful heartbeat was sent
        self._offset = time.time() - monotonic()  # database time minus monotonic time
        self._on_gained: PartitionsChanged = _nobody
        self._on_lost: PartitionsChanged = _nobody
        self._beating: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ coming and going
    async def join(self, on_gained: PartitionsChanged | None = None, on_lost: PartitionsChanged | None = None) -> None:
        self._on_gained = on_gained or _nobody
        self._on_lost = on_lost or _nobody
        await self.beat()
        self._beating = asyncio.get_running_loop().create_task(self._keep_beating())

    async def leave(self) -> None:
        """Give everything back; if the database cannot be reached the lease runs out by itself."""
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
            self._beating = None
        self._set({})
        if self._renewed == float("-inf"):
            return
        self._renewed = float("-inf")
        with contextlib.suppress(StorageUnavailable):
            async with self._link.use() as connection, connection.transaction():
                await connection.execute(self._texts["release_partitions"], self.worker)
                await connection.execute(self._texts["forget_member"], self.worker)

    # ------------------------------------------------------------------ what the journal and the engine ask
    def fence(self, pid: int) -> Fence | None:
        return self._fences.get(pid)

    @property
    def owned(self) -> Sequence[int]:
        return self._owned

    def owner_of(self, pid: int) -> tuple[str, str] | None:
        return (self.worker, self.address) if pid in self._fences else self._owners.get(pid)

    @property
    def may_start_effects(self) -> bool:
        return self._monotonic() - self._renewed < EFFECTS_SHARE * self._lease

    def now(self) -> float:
        return self._monotonic() + self._offset

    # ------------------------------------------------------------------ the heartbeat
    async def beat(self) -> None:
        """Renew the lease, find out what is lost, take what is free. Raises StorageUnavailable."""
        async with self._link.use() as connection:
            sent = self._monotonic()
            params = (self.worker, self.address, self._lease, READS)
            database_time = await connection.fetchval(self._texts["heartbeat"], *params)
            # Between sending and answering: late rather than early, and never backwards.
            self._offset = max(database_time - self._monotonic(), self._offset if self._fences else float("-inf"))
            self._renewed = sent
            rows = await connection.fetch(self._texts["partitions"])
            self._learn(rows)
            free = [(pid, epoch) for pid, owner, epoch, _, is_free in rows if is_free and owner != self.worker]
            if free:
                await self._take(connection, free)
                await connection.execute(self._texts["forget_dead_members"], FORGET_LEASES * self._lease)

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._lease / BEATS)
            try:
                await self.beat()
            except StorageError as error:
                log.warning("the lease was not renewed: %s", error)
            except Exception:  # without a next beat this worker would lose everything and never know
                log.exception("a heartbeat failed")

    def _learn(self, rows: Sequence[Sequence[Any]]) -> None:
        self._owners = {pid: (owner, address) for pid, owner, _, address, is_free in rows if not is_free}
        self._set({pid: Fence(owner, epoch) for pid, owner, epoch, _, _ in rows if owner == self.worker})

    async def _take(self, connection: Any, free: list[tuple[int, int]]) -> None:
        pids, epochs = [pid for pid, _ in free], [epoch for _, epoch in free]
        taken = await connection.fetch(self._texts["take_partitions"], self.worker, pids, epochs)
        self._set(self._fences | {pid: Fence(self.worker, epoch) for pid, epoch in taken})

    def _set(self, fences: dict[int, Fence]) -> None:
        """Hold exactly these, and tell what changed; a partition at a new epoch is lost and gained."""
        before, self._fences = self._fences, fences
        if before == fences:
            return
        self._owned = sorted(fences)
        lost = [pid for pid, fence in before.items() if fences.get(pid) != fence]
        gained = [pid for pid, fence in fences.items() if before.get(pid) != fence]
        if lost:
            self._on_lost(sorted(lost))
        if gained:
            self._on_gained(sorted(gained))
