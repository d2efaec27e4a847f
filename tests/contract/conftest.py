"""The databases of the contract tests: a SQLite file, SQLite in memory, and PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from postgres_server import PostgresServer
from stepwell.storage.bundle import Storage, open_storage

Opener = Callable[..., Awaitable[Storage]]


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    """Opens databases and joins them; closes what is still open at the end."""
    opened: list[Storage] = []

    async def open_joined(url: str, *, join: bool = True, lease: float = 10.0, address: str = "") -> Storage:
        storage = await open_storage(url, lease=lease, address=address)
        opened.append(storage)
        if join:
            await storage.membership.join()
        return storage

    yield open_joined
    for storage in reversed(opened):
        with contextlib.suppress(Exception):
            await storage.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'stepwell.db'}"


@pytest.fixture(params=["file", "memory", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of database in turn, empty."""
    if request.param == "file":
        return f"sqlite:{tmp_path / 'stepwell.db'}"
    if request.param == "memory":
        return "sqlite::memory:"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return await server.new_database()


@pytest.fixture
async def storage(url: str, opener: Opener) -> Storage:
    return await opener(url)
