"""Fixtures of all tests: a live server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers import LiveServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on SQLite, shared by all tests of a worker: make names of your own, and expect those of others."""
    live = LiveServer(tmp_path_factory.mktemp("server") / "data", "--log-level", "debug").start()
    yield live
    live.stop()
