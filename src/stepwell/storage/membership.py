"""Who owns which partition: the protocol, and its simple form where one process owns them all.

A partition is owned by one worker at one epoch. The epoch grows whenever the partition is taken, and every decision
is written only at the epoch its worker believes in; so a worker that was taken for dead and comes back can write
nothing.

::

    join     take what is free, call on_gained
    (lease)  PostgreSQL only: a heartbeat keeps it; whoever finds it expired takes the partitions
    leave    give everything back
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from stepwell.engine.journal import PARTITIONS
from stepwell.storage.envelope import FORMAT
from stepwell.storage.journal_rows import Fence
from stepwell.storage.units import Database, Statement, Unit

READS = f"1-{FORMAT}"  # the formats of stored blobs this release reads
NEVER = 1e18

PartitionsChanged = Callable[[Sequence[int]], object]


class Membership(Protocol):
    """This worker's place among the workers of a database."""

    worker: str
    address: str

    async def join(self, on_gained: PartitionsChanged | None = None, on_lost: PartitionsChanged | None = None) -> None:
        """Take what is free; from now on the callbacks hear, from the event loop, what was gained and lost.

        Raises StorageUnavailable.
        """
        ...

    async def leave(self) -> None:
        """Give everything back. Called after the last decision was written."""
        ...

    def fence(self, pid: int) -> Fence | None:
        """In whose name to write a partition; None if it is not owned."""
        ...

    @property
    def owned(self) -> Sequence[int]:
        """The partitions owned now, in order."""
        ...

    def owner_of(self, pid: int) -> tuple[str, str] | None:
        """The (worker, address) that owned a partition when last looked at; None if nobody did."""
        ...

    @property
    def may_start_effects(self) -> bool:
        """False once so much of the lease has passed that another worker may soon own the partitions."""
        ...

    def now(self) -> float:
        """Seconds since the epoch, by the clock all workers of the database share."""
        ...


def new_worker() -> str:
    """A name no other worker has, also not this process's next start."""
    return uuid.uuid4().hex


class SoleOwner:
    """SQLite: the one process owns all partitions, at a new epoch each time it joins."""

    def __init__(self, database: Database, *, worker: str, address: str, now: Callable[[], float] = time.time) -> None:
        self.worker = worker
        self.address = address
        self.now = now
        self._database = database
        self._fences: dict[int, Fence] = {}
        self._owned: list[int] = []

    async def join(self, on_gained: PartitionsChanged | None = None, on_lost: PartitionsChanged | None = None) -> None:
        del on_lost  # nobody else can take them
        statements = (
            Statement("take_partitions", (self.worker,), PARTITIONS),
            Statement("forget_members", ()),
            Statement("enrol", (self.worker, self.address, NEVER, READS)),
        )
        await self._database.submit(Unit(statements, "journal"))
        rows = await self._database.read("owned", (self.worker,))
        self._fences = {pid: Fence(self.worker, epoch) for pid, epoch in rows}
        self._owned = sorted(self._fences)
        if on_gained is not None:
            on_gained(self._owned)

    async def leave(self) -> None:
        self._fences, self._owned = {}, []

    def fence(self, pid: int) -> Fence | None:
        return self._fences.get(pid)

    @property
    def owned(self) -> Sequence[int]:
        return self._owned

    def owner_of(self, pid: int) -> tuple[str, str] | None:
        return (self.worker, self.address) if pid in self._fences else None

    @property
    def may_start_effects(self) -> bool:
        return True
