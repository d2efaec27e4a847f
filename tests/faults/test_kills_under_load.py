"""Several clients at work while the server, its writer or its database is killed: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from faults.asking import get, health, server_on, wait_for
from faults.load import Load
from faults.partner import Partner
from postgres_server import PostgresServer
from servers import LiveServer

EXECUTIONS = 24
BLOWS = 3
Blow = Callable[[], None]


def under_load(server: LiveServer, partner: Partner, blow: Blow, seed: str) -> None:
    """Start the server and the clients, strike a few times at random moments, and check what was promised."""
    load: Load | None = None
    try:
        server.start()
        load = Load([server], partner, EXECUTIONS)
        load.begin()
        chance = random.Random(seed)
        for _ in range(BLOWS):
            load.reach(min(load.progress + chance.randint(1, 12), EXECUTIONS * 2))
            blow()
        load.check()
    except BaseException:
        print("".join(server.log[-200:]), get(server))
        raise
    finally:
        if load is not None:
            load.end()
        server.stop()


def sqs(partner: Partner) -> tuple[str, ...]:
    return ("--endpoint", f"sqs={partner.url}")


def test_a_killed_server_on_sqlite_goes_on_by_itself(tmp_path: Path, partner: Partner) -> None:
    server = server_on(f"sqlite:{tmp_path / 'stepwell.db'}", tmp_path, *sqs(partner))

    def blow() -> None:
        server.kill()
        server.start()

    under_load(server, partner, blow, "sqlite")


def test_a_killed_server_on_postgresql_goes_on_by_itself(
    postgres_server: PostgresServer, tmp_path: Path, partner: Partner
) -> None:
    url = asyncio.run(postgres_server.new_database())
    server = server_on(url, tmp_path, *sqs(partner), "--lease-seconds", "1")

    def blow() -> None:
        server.kill()
        server.start()

    under_load(server, partner, blow, "postgresql")


def test_a_killed_writer_is_replaced_and_the_server_lives(tmp_path: Path, partner: Partner) -> None:
    server = server_on(f"sqlite:{tmp_path / 'stepwell.db'}", tmp_path, *sqs(partner))

    def blow() -> None:
        pid = server.pid
        writer = wait_for(lambda: health(server)["writer"])
        os.kill(writer, signal.SIGKILL)
        wait_for(lambda: health(server), lambda h: h["writer"] not in (None, writer) and h["status"] == "ok")
        assert server.pid == pid

    under_load(server, partner, blow, "writer")


def test_a_restarted_postgresql_stops_acknowledgements_and_heals(
    postgres_server: PostgresServer, tmp_path: Path, partner: Partner
) -> None:
    url = asyncio.run(postgres_server.new_database())
    server = server_on(url, tmp_path, *sqs(partner), "--lease-seconds", "1")

    def blow() -> None:
        postgres_server.stop()
        try:
            report = wait_for(lambda: health(server), lambda h: h["status"] != "ok")
            assert "database" in report["status"]
        finally:
            postgres_server.start()
        wait_for(lambda: health(server), lambda h: h["status"] == "ok")

    under_load(server, partner, blow, "restart")


def test_sigterm_under_load_ends_with_zero_and_loses_nothing(tmp_path: Path, partner: Partner) -> None:
    server = server_on(f"sqlite:{tmp_path / 'stepwell.db'}", tmp_path, *sqs(partner))

    def blow() -> None:
        assert server.stop() == 0
        server.start()

    under_load(server, partner, blow, "term")
