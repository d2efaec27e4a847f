"""Opening a SQLite file: its settings, its schema, and the refusal of what is not ours or too new."""

from __future__ import annotations

import apsw

from stepwell.kernel.errors import SettingError, StorageUnavailable
from stepwell.storage.migrations import Migration, check_version, migrations

APPLICATION_ID = 0x53746570  # "Step", in the header of the file
PAGE_BYTES = 8_192

# Of a connection that writes. FULL: a commit is durable when it returns. The checkpoint is the writer's own business.
WRITER_PRAGMAS = [
    "busy_timeout = 10000",
    "journal_mode = wal",
    "synchronous = full",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {64 << 20}",
    "cache_size = -16384",
    "temp_store = memory",
]
READER_PRAGMAS = ["busy_timeout = 1000", "query_only = on", "cache_size = -16384", "temp_store = memory"]


def prepare(connection: apsw.Connection) -> None:
    """Create or migrate the schema. Raises SettingError for a file that is not ours or has a newer schema."""
    apply_pragmas(connection, [f"page_size = {PAGE_BYTES}", "auto_vacuum = incremental", *WRITER_PRAGMAS])
    with_lock = "BEGIN IMMEDIATE"
    connection.execute(with_lock)
    try:
        for migration in _missing(connection):
            connection.execute(migration.text)
            connection.pragma("user_version", migration.number)
        connection.pragma("application_id", APPLICATION_ID)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _missing(connection: apsw.Connection) -> list[Migration]:
    version = int(connection.pragma("user_version"))
    ours = connection.pragma("application_id") == APPLICATION_ID
    empty = not connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
    if not ours and not empty:
        raise SettingError("the database file belongs to another program; name another file")
    return check_version(version, migrations("sqlite"))


def apply_pragmas(connection: apsw.Connection, pragmas: list[str]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def unavailable(error: apsw.Error) -> StorageUnavailable:
    return StorageUnavailable(f"SQLite: {type(error).__name__.removesuffix('Error')}: {error}")
