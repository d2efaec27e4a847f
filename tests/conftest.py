"""Fixtures of all tests: a live server, and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postgres_server import PostgresServer, programs
from servers import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on SQLite, shared by all tests of a worker: make names of your own, and expect those of others."""
    live = LiveServer(tmp_path_factory.mktemp("server") / "data", "--log-level", "debug").start()
    yield live
    live.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of a worker; whoever stops it starts it again."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL wheel for this platform")
    server = PostgresServer(found)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
async def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database."""
    return await postgres_server.new_database()
