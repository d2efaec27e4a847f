"""The schema of a PostgreSQL database: created and migrated in one transaction, under a lock that ends with it."""

from __future__ import annotations

from typing import Any

from stepwell.kernel.errors import SettingError
from stepwell.storage.migrations import check_version, migrations

LOCK = 0x53746570  # of pg_advisory_xact_lock: two nodes that start together migrate one after the other


async def prepare(connection: Any) -> None:
    """Create or migrate the schema. Raises SettingError for a newer one, or a server that gives up durability."""
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        raise SettingError("PostgreSQL has synchronous_commit = off, which loses acknowledged writes; switch it on")
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
        version = await connection.fetchval("SELECT max(version) FROM schema_version") or 0
        for migration in check_version(version, migrations("postgresql")):
            await connection.execute(migration.text)
            await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", migration.number)
