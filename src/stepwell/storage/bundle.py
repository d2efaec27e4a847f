"""Opening a database by its URL: everything the server needs of it, in one object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stepwell.kernel.errors import SettingError
from stepwell.storage.documents import Documents
from stepwell.storage.journal import StoredJournal
from stepwell.storage.membership import Membership, SoleOwner, new_worker
from stepwell.storage.units import Database

MEMORY = "sqlite::memory:"


@dataclass(frozen=True, slots=True)
class Storage:
    """A database and what is made of it. Join the membership before the first decision is written."""

    database: Database
    journal: StoredJournal
    documents: Documents
    membership: Membership

    async def close(self) -> None:
        """Leave, commit what was handed over, and let go of everything."""
        try:
            await self.membership.leave()
        finally:
            await self.database.close()


async def open_storage(url: str, *, address: str = "", lease: float = 10.0, pooler: bool = False) -> Storage:
    """Open ``sqlite:PATH``, ``sqlite::memory:`` or ``postgresql://...``; only the chosen back-end is imported.

    ``address`` is how other workers reach this one, ``lease`` (seconds) how long it may be silent before they take its
    partitions, ``pooler`` says that a transaction pooler stands before PostgreSQL (see ``postgresql_link``). Raises
    SettingError (no such kind of URL, in use, newer schema), StorageUnavailable.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return await _open_sqlite(url, rest, address)
    if scheme in ("postgresql", "postgres"):
        return await _open_postgresql(url, address, lease, pooler)
    raise SettingError(f"{shown(url)!r} is not a database; use sqlite:PATH, {MEMORY} or postgresql://...")


def shown(url: str) -> str:
    """A URL for people: without its password."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url


async def _open_sqlite(url: str, path: str, address: str) -> Storage:
    from stepwell.storage.journal_sqlite import SqliteJournalWriter  # noqa: PLC0415 - only the chosen back-end
    from stepwell.storage.sqlite import MemoryDatabase, SqliteDatabase  # noqa: PLC0415

    if not path:
        raise SettingError("sqlite: needs a path, as in sqlite:stepwell.db")
    database: Database = MemoryDatabase() if url == MEMORY else await SqliteDatabase.open(Path(path.removeprefix("//")))
    owner = SoleOwner(database, worker=new_worker(), address=address)
    journal = StoredJournal(database, owner, SqliteJournalWriter(database))
    return Storage(database, journal, Documents(database), owner)


async def _open_postgresql(url: str, address: str, lease: float, pooler: bool) -> Storage:
    try:
        from stepwell.storage.postgresql import open_postgresql  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as missing:
        if missing.name != "asyncpg":
            raise
        raise SettingError("PostgreSQL needs the extra: pip install 'stepwell[postgresql]'") from missing
    database, owner, writer = await open_postgresql(url, address=address, lease=lease, pooler=pooler)
    return Storage(database, StoredJournal(database, owner, writer), Documents(database), owner)
