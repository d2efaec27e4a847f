"""Deleting events whose group's retention is over, and what is left of deleted groups; in the database's idle lane."""

from __future__ import annotations

from stepwell.services.logs.shelf import CHORE, SYSTEM, Shelf
from stepwell.storage.documents import Delete

DAY = 86_400_000
PAGE = 100


class Retention:
    """``sweep`` is to be called now and then. Two servers may do it at once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def sweep(self) -> None:
        """Raises StorageUnavailable; what was deleted until then stays deleted."""
        after = None
        while chores := await self._shelf.documents.list(SYSTEM, CHORE, after=after, limit=PAGE):
            for chore in chores:
                await self._do(chore.key, chore.body.get("days"))
            after = chores[-1].key

    async def _do(self, key: str, days: int | None) -> None:
        store, group = self._shelf.store, bytes.fromhex(key)
        if days is None:
            await store.delete_group(group)
            await self._shelf.documents.write([Delete(SYSTEM, CHORE, key)], lane="background")
            return
        before = self._shelf.now() - days * DAY
        while await store.forget_before(group, before):
            pass
