"""PostgreSQL: the same database protocol over asyncpg.

::

    journal link      groups of starts and decisions, one statement each (journal_postgresql)
    unit link         all other units: a group is one transaction, each unit under a savepoint
    membership link   the heartbeat, which must not wait for either
    reading links     a few, handed out in turn

``now`` and leases follow the database's clock (membership_postgresql).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import asyncpg

from stepwell.kernel.errors import CheckFailed, SettingError, StorageError, StorageUnavailable
from stepwell.storage.catalogue import load
from stepwell.storage.committer import Committer, Outcome
from stepwell.storage.health import HealthWatch
from stepwell.storage.journal_postgresql import PostgresJournalWriter
from stepwell.storage.membership import new_worker
from stepwell.storage.membership_postgresql import LeaseHolder
from stepwell.storage.postgresql_link import Link, LinkOptions, as_storage_error
from stepwell.storage.postgresql_schema import prepare
from stepwell.storage.units import Health, Row, Unit, size_of

READERS = 4


class _UndoError(Exception):
    """Leaves a savepoint; carries the unit's outcome."""

    def __init__(self, outcome: StorageError) -> None:
        self.outcome = outcome


class PostgresDatabase:
    """See ``units.Database`` for the promises."""

    def __init__(self, options: LinkOptions) -> None:
        self._texts = load("postgresql")
        self._watch = HealthWatch(self.submit)
        note = self._watch.note
        self._writing = Link(options, note)
        journal_link = Link(options, note)
        self.membership_link = Link(options, note)
        self._links = [self._writing, journal_link, self.membership_link]
        self._readers: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for _ in range(READERS):
            reader = Link(options, note)
            self._links.append(reader)
            self._readers.put_nowait(reader)
        self._committer = Committer[Unit](self._execute)
        self.journal_writer = PostgresJournalWriter(journal_link, self._texts)

    @property
    def health(self) -> Health:
        return self._watch.health

    @property
    def texts(self) -> dict[str, str]:
        return self._texts

    async def prepare(self) -> None:
        """Create or migrate the schema; raises SettingError, StorageUnavailable."""
        async with self._writing.use() as connection:
            await prepare(connection)

    def submit(self, unit: Unit) -> Awaitable[None]:
        unknown = [statement.name for statement in unit.statements if statement.name not in self._texts]
        if unknown:
            raise StorageError(f"there is no statement {unknown[0]!r}")
        return self._committer.submit(unit, unit.lane, size_of(unit))

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        reader = await self._readers.get()
        try:
            async with reader.use() as connection:
                rows: Sequence[Row] = await connection.fetch(self._texts[name], *params)
                return rows
        finally:
            self._readers.put_nowait(reader)

    async def close(self) -> None:
        await self._watch.close()
        await self.journal_writer.drain()
        await self._committer.drain()
        for link in self._links:
            await link.close()

    async def _execute(self, group: list[Unit]) -> Sequence[Outcome]:
        """One transaction for all; a unit that fails takes only itself back. A unit alone needs no savepoint."""
        async with self._writing.use() as connection:
            if len(group) == 1:
                outcomes = [await self._apart(connection, group[0])]
            else:
                async with connection.transaction():
                    outcomes = [await self._apart(connection, unit) for unit in group]
        self._watch.note(None)
        return outcomes

    async def _apart(self, connection: Any, unit: Unit) -> StorageError | None:
        try:
            async with connection.transaction():
                await self._run(connection, unit)
        except _UndoError as undo:
            return undo.outcome
        return None

    async def _run(self, connection: Any, unit: Unit) -> None:
        for name, params, expect in unit.statements:
            try:
                tag = await connection.execute(self._texts[name], *params)
            except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                outcome = as_storage_error(error)
                if isinstance(outcome, StorageUnavailable):
                    raise
                raise _UndoError(outcome) from error
            if expect is not None and int(tag.rpartition(" ")[2]) != expect:
                raise _UndoError(CheckFailed(name))


async def open_postgresql(
    url: str, *, address: str, lease: float, pooler: bool
) -> tuple[PostgresDatabase, LeaseHolder, PostgresJournalWriter]:
    """Connect, migrate and hand out the parts of a ``Storage``. Raises SettingError, StorageUnavailable."""
    database = PostgresDatabase(LinkOptions(url, lease, pooler))
    try:
        await database.prepare()
    except (SettingError, StorageUnavailable, StorageError):
        await database.close()
        raise
    owner = LeaseHolder(database.membership_link, database.texts, worker=new_worker(), address=address, lease=lease)
    return database, owner, database.journal_writer
