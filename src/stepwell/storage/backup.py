"""Backup of a SQLite database while its server runs, and restore onto data that no server uses.

A backup is a compact copy as of one moment: one read transaction, so it sees whole commits only and stops nobody from
writing (the write-ahead log grows meanwhile). It is written beside its name, checked, made durable, and only then
given the name.

The key file beside the database is not part of it: secrets in a backup are useless without the keys, so copy both,
apart.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import apsw

from stepwell.kernel.errors import SettingError
from stepwell.storage.bundle import MEMORY, shown
from stepwell.storage.lockfile import DataLock
from stepwell.storage.migrations import check_version, migrations
from stepwell.storage.sqlite_schema import APPLICATION_ID, unavailable

COPY_SUFFIX = ".partial"


def backup(url: str, target: Path) -> int:
    """Copy the database at ``url`` to ``target``; returns the size in bytes. Blocks: run it in a thread of a server.

    Raises SettingError (not a SQLite file, no database there, the target exists), StorageUnavailable (the disk is
    full ...).
    """
    source = sqlite_path(url)
    if not source.exists():
        raise SettingError(f"there is no database at {source}")
    if target.exists():
        raise SettingError(f"{target} exists; a backup does not replace a file")
    copy = target.with_name(target.name + COPY_SUFFIX)
    copy.unlink(missing_ok=True)
    try:
        connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.execute("VACUUM INTO ?", (str(copy),))
        finally:
            connection.close()
        check(copy)
    except apsw.Error as error:
        copy.unlink(missing_ok=True)
        raise unavailable(error) from error
    _publish(copy, target)
    return target.stat().st_size


def restore(source: Path, url: str, *, replace: bool = False) -> None:
    """Put the backup ``source`` in the place of the database at ``url``.

    Raises SettingError if ``source`` is not a sound backup of this or an earlier release, if a server uses the data,
    or if there is a database already and ``replace`` is not given.
    """
    target = sqlite_path(url)
    if not source.exists():
        raise SettingError(f"there is no backup at {source}")
    check(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = DataLock(target)
    try:
        if target.exists() and not replace:
            raise SettingError(f"there is a database at {target} already; say so if it shall be replaced")
        copy = target.with_name(target.name + COPY_SUFFIX)
        shutil.copyfile(source, copy)
        check(copy)
        for part in ("-wal", "-shm"):  # of the database that goes: they must not be applied to the one that comes
            target.with_name(target.name + part).unlink(missing_ok=True)
        _publish(copy, target)
    finally:
        lock.close()


def sqlite_path(url: str) -> Path:
    """The file of a ``sqlite:PATH`` URL; raises SettingError for every other kind of database."""
    scheme, _, path = url.partition(":")
    if scheme in ("postgresql", "postgres"):
        raise SettingError(f"{shown(url)} is PostgreSQL: back it up and restore it with pg_dump and pg_restore")
    if scheme != "sqlite" or url == MEMORY or not path:
        raise SettingError(f"{shown(url)!r} has no file that could be backed up or restored")
    return Path(path.removeprefix("//")).absolute()


def check(path: Path) -> None:
    """Raises SettingError unless the file is a sound Stepwell database that this release can open."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            if connection.pragma("application_id") != APPLICATION_ID:
                raise SettingError(f"{path} is not a Stepwell database")
            check_version(int(connection.pragma("user_version")), migrations("sqlite"))
            verdict = connection.pragma("quick_check")
        finally:
            connection.close()
    except apsw.Error as error:
        raise SettingError(f"{path} is not a sound database: {error}") from error
    if verdict != "ok":
        raise SettingError(f"{path} is damaged: {verdict}")


def _publish(copy: Path, target: Path) -> None:
    """Make the copy durable, give it its name, and make the name durable."""
    os.chmod(copy, 0o600)
    with copy.open("rb+") as file:
        os.fsync(file.fileno())
    copy.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
