"""What happens when the database, its process or its disk fails: nothing false is acknowledged, and it heals by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest
import uvloop

from stepwell.engine.journal import Key, NewExecution
from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import SettingError, StorageUnavailable
from stepwell.storage.bundle import Storage, open_storage
from stepwell.storage.documents import Put
from stepwell.storage.sqlite import SqliteDatabase

Opener = Callable[..., Awaitable[Storage]]
DEADLINE = 30.0
SCOPE = Scope()
BIG = {"text": "x" * 300_000}


async def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def writer_of(storage: Storage) -> int:
    assert isinstance(storage.database, SqliteDatabase)
    pid = storage.database.writer_pid
    assert pid is not None
    return pid


async def test_a_killed_writer_process_is_replaced(sqlite_url: str, opener: Opener) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "before", {})])
    killed = writer_of(storage)
    os.kill(killed, signal.SIGSTOP)
    pending = [asyncio.ensure_future(storage.documents.write([Put(SCOPE, "k", str(n), BIG)])) for n in range(20)]
    await asyncio.sleep(0)
    os.kill(killed, signal.SIGKILL)
    outcomes = await asyncio.gather(*pending, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}
    await until(lambda: storage.database.health.ok)
    assert writer_of(storage) != killed
    await storage.documents.write([Put(SCOPE, "k", "after", {})])
    assert [d.key for d in await storage.documents.list(SCOPE, "k")] == ["after", "before"]


async def test_health_says_that_the_writer_is_gone(sqlite_url: str, opener: Opener) -> None:
    storage = await opener(sqlite_url)
    assert storage.database.health.ok
    os.kill(writer_of(storage), signal.SIGKILL)
    await until(lambda: not storage.database.health.ok)
    health = storage.database.health
    assert "writer process" in str(health.reason)
    assert health.since is not None
    await until(lambda: storage.database.health.ok)


async def test_signals_to_end_do_not_reach_the_writer_before_its_parent_is_done(
    sqlite_url: str, opener: Opener
) -> None:
    storage = await opener(sqlite_url)
    pid = writer_of(storage)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    await storage.documents.write([Put(SCOPE, "k", "a", {})])
    assert writer_of(storage) == pid
    assert os.getpgid(pid) != os.getpgid(0)


def test_the_writer_leaves_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, signal, sys\n"
        "from stepwell.storage.bundle import open_storage\n"
        "async def main():\n"
        "    storage = await open_storage(sys.argv[1])\n"
        "    print(storage.database.writer_pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, f"sqlite:{tmp_path / 'a.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    writer = int(done.stdout)
    deadline = time.monotonic() + DEADLINE
    while Path(f"/proc/{writer}").exists() and "Z" not in Path(f"/proc/{writer}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline


async def test_a_full_disk_stops_acknowledgements_and_heals(sqlite_url: str, opener: Opener) -> None:
    """A limit on the size of the writer's files stands for a disk without room."""
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "before", {})])
    room = Path(sqlite_url.removeprefix("sqlite:") + "-wal").stat().st_size + 100_000
    hard = resource.prlimit(writer_of(storage), resource.RLIMIT_FSIZE)[1]
    resource.prlimit(writer_of(storage), resource.RLIMIT_FSIZE, (room, hard))
    for key in ("x", "y"):
        with pytest.raises(StorageUnavailable):
            await storage.documents.write([Put(SCOPE, "k", key, BIG)])
    health = storage.database.health
    assert not health.ok
    assert health.reason
    assert health.since is not None
    assert [d.key for d in await storage.documents.list(SCOPE, "k")] == ["before"]
    resource.prlimit(writer_of(storage), resource.RLIMIT_FSIZE, (hard, hard))
    await until(lambda: storage.database.health.ok)
    await storage.documents.write([Put(SCOPE, "k", "after", BIG)])
    assert [d.key for d in await storage.documents.list(SCOPE, "k")] == ["after", "before"]


def test_the_writer_process_serves_a_uvloop_server(sqlite_url: str) -> None:
    async def run() -> list[str]:
        storage = await open_storage(sqlite_url)
        await asyncio.gather(*(storage.documents.write([Put(SCOPE, "k", key, BIG)]) for key in "abcdefgh"))
        keys = [document.key for document in await storage.documents.list(SCOPE, "k")]
        await storage.close()
        return keys

    assert uvloop.run(run()) == list("abcdefgh")


async def test_nothing_is_left_beside_the_file_after_a_graceful_stop(sqlite_url: str, opener: Opener) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "a", {})])
    await storage.close()
    path = Path(sqlite_url.removeprefix("sqlite:"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["stepwell.db", "stepwell.db.lock"]


async def test_acknowledged_writes_survive_the_end_of_the_process(sqlite_url: str, opener: Opener) -> None:
    storage = await opener(sqlite_url)
    await storage.documents.write([Put(SCOPE, "k", "a", BIG)])
    await storage.close()
    again = await opener(sqlite_url)
    found = await again.documents.get(SCOPE, "k", "a")
    assert found is not None
    assert found.body == BIG


async def test_a_second_server_on_the_same_file_is_refused(sqlite_url: str, opener: Opener) -> None:
    first = await opener(sqlite_url)
    with pytest.raises(SettingError, match=f"process {os.getpid()}"):
        await open_storage(sqlite_url)
    await first.close()
    await opener(sqlite_url)


async def test_a_newer_sqlite_schema_is_refused(sqlite_url: str, opener: Opener, tmp_path: Path) -> None:
    await (await opener(sqlite_url)).close()
    connection = apsw.Connection(str(tmp_path / "stepwell.db"))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(SettingError, match="schema 99"):
        await open_storage(sqlite_url)


async def test_a_file_of_another_program_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "stepwell.db"))
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(SettingError, match="another program"):
        await open_storage(sqlite_url)


async def test_a_newer_postgresql_schema_is_refused(postgres_url: str, opener: Opener) -> None:
    await (await opener(postgres_url)).close()
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("INSERT INTO schema_version (version) VALUES (99)")
    await connection.close()
    with pytest.raises(SettingError, match="schema 99"):
        await open_storage(postgres_url)


async def test_postgresql_that_gives_up_durability_is_refused(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"ALTER DATABASE {postgres_url.rpartition('/')[2]} SET synchronous_commit = off")
    await connection.close()
    with pytest.raises(SettingError, match="synchronous_commit"):
        await open_storage(postgres_url)


async def test_postgresql_without_named_statements_works_behind_a_pooler(postgres_url: str) -> None:
    storage = await open_storage(postgres_url, pooler=True)
    await storage.membership.join()
    await storage.documents.write([Put(SCOPE, "k", "a", {}), Put(SCOPE, "k", "b", {})])
    assert len(await storage.documents.list(SCOPE, "k")) == 2
    await storage.close()


async def test_a_restarted_postgresql_heals(postgres_server: Any, postgres_url: str, opener: Opener) -> None:
    storage = await opener(postgres_url, lease=2.0)
    await storage.documents.write([Put(SCOPE, "k", "before", {})])
    new = NewExecution(
        key=Key(1, b"1" * 16), arn="a", machine_arn="m", name="n", started=1.0, definition="h", input="{}", head=b""
    )
    postgres_server.stop()
    try:
        with pytest.raises(StorageUnavailable):
            await storage.documents.write([Put(SCOPE, "k", "lost", {})])
        with pytest.raises(StorageUnavailable):
            await storage.documents.get(SCOPE, "k", "before")
        with pytest.raises(StorageUnavailable):
            await storage.journal.start(new, None)
        health = storage.database.health
        assert not health.ok
        assert health.reason
    finally:
        postgres_server.start()
    await until(lambda: storage.database.health.ok and storage.membership.may_start_effects)
    await storage.documents.write([Put(SCOPE, "k", "after", {})])
    assert [d.key for d in await storage.documents.list(SCOPE, "k")] == ["after", "before"]
    assert await storage.journal.start(new, None) is None
    assert len(storage.membership.owned) == 256


async def test_an_unreachable_postgresql_is_a_clear_error() -> None:
    with pytest.raises(StorageUnavailable, match="PostgreSQL"):
        await open_storage("postgresql://postgres:secret@127.0.0.1:1/none")


async def test_an_unknown_kind_of_database_is_refused_without_its_password() -> None:
    for bad in ("mysql://me:secret@host/db", "sqlite:"):
        with pytest.raises(SettingError) as caught:
            await open_storage(bad)
        assert "secret" not in str(caught.value)
