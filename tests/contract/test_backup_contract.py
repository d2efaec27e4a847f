"""Backup while a server writes, and restore."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import SettingError
from stepwell.storage.backup import backup, restore
from stepwell.storage.bundle import Storage
from stepwell.storage.documents import Put

Opener = Callable[..., Awaitable[Storage]]
SCOPE = Scope()


async def test_a_backup_of_a_running_server_is_restored(sqlite_url: str, opener: Opener, tmp_path: Path) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "kept", {})])
    target = tmp_path / "backup.db"
    writes = [storage.documents.write([Put(SCOPE, "k", f"during-{n}", {})]) for n in range(50)]
    size, *_ = await asyncio.gather(asyncio.to_thread(backup, sqlite_url, target), *writes)
    assert size == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.partial*"))
    await storage.documents.write([Put(SCOPE, "k", "later", {})])
    with pytest.raises(SettingError, match="in use"):
        restore(target, sqlite_url, replace=True)
    await storage.close()
    with pytest.raises(SettingError, match="already"):
        restore(target, sqlite_url)
    restore(target, sqlite_url, replace=True)
    again = await opener(sqlite_url)
    keys = [document.key for document in await again.documents.list(SCOPE, "k")]
    assert "kept" in keys
    assert "later" not in keys
    await again.documents.write([Put(SCOPE, "k", "new", {})])


async def test_a_backup_is_restored_where_nothing_is(sqlite_url: str, opener: Opener, tmp_path: Path) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "kept", {})])
    backup(sqlite_url, tmp_path / "backup.db")
    elsewhere = f"sqlite:{tmp_path / 'other' / 'stepwell.db'}"
    restore(tmp_path / "backup.db", elsewhere)
    assert await (await opener(elsewhere)).documents.get(SCOPE, "k", "kept")


def test_what_cannot_be_backed_up_or_restored_says_why(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    with pytest.raises(SettingError, match="pg_dump"):
        backup("postgresql://me:secret@host/db", target)
    with pytest.raises(SettingError, match="no file"):
        backup("sqlite::memory:", target)
    with pytest.raises(SettingError, match="no database"):
        backup(sqlite_url, target)
    with pytest.raises(SettingError, match="no backup"):
        restore(target, sqlite_url)
    target.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(SettingError, match="not a sound database"):
        restore(target, sqlite_url)
    other = tmp_path / "other.db"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(SettingError, match="not a Stepwell database"):
        restore(other, sqlite_url)
    with pytest.raises(SettingError, match="not a Stepwell database"):
        backup(f"sqlite:{other}", target.with_name("b.db"))
    with pytest.raises(SettingError, match="exists"):
        backup(f"sqlite:{other}", target)


async def test_a_damaged_backup_is_refused(sqlite_url: str, opener: Opener, tmp_path: Path) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", str(n), {"text": "x" * 5_000}) for n in range(100)])
    target = tmp_path / "backup.db"
    backup(sqlite_url, target)
    content = bytearray(target.read_bytes())
    content[-60_000:-20_000] = b"\xff" * 40_000
    target.write_bytes(content)
    with pytest.raises(SettingError, match=r"damaged|not a sound"):
        restore(target, f"sqlite:{tmp_path / 'new.db'}")
