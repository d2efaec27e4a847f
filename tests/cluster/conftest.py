"""Two servers on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.asking import health, server_on
from faults.partner import Partner
from postgres_server import PostgresServer
from servers import LiveServer

LEASE = ("--lease-seconds", "1.5")


@pytest.fixture
def partner() -> Iterator[Partner]:
    made = Partner()
    yield made
    made.close()


@pytest.fixture
def pair(postgres_server: PostgresServer, partner: Partner, tmp_path: Path) -> Iterator[tuple[LiveServer, LiveServer]]:
    """The first owns every execution, the second none until the first is gone."""
    url = asyncio.run(postgres_server.new_database())
    arguments = (*LEASE, "--endpoint", f"sqs={partner.url}")
    owner, other = (server_on(url, tmp_path / name, *arguments) for name in ("owner", "other"))
    try:
        owner.start()
        other.start()
        assert health(owner)["member"]["partitions"] == 256
        assert health(other)["member"]["partitions"] == 0
        yield owner, other
    except BaseException:
        print("".join(owner.log), "".join(other.log))
        raise
    finally:
        other.stop()
        owner.stop()
