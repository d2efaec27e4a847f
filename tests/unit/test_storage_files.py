"""Envelopes, named SQL, migrations and health: what storage is made of, without a server."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from pathlib import Path

import apsw
import apsw.ext
import pytest

from stepwell.kernel.errors import SettingError, StorageError
from stepwell.storage import catalogue, health, migrations
from stepwell.storage.catalogue import entries, load
from stepwell.storage.envelope import seal, seal_text, unseal, unseal_optional, unseal_text
from stepwell.storage.health import HealthWatch
from stepwell.storage.migrations import check_version
from stepwell.storage.units import Unit

SOURCES = Path(catalogue.__file__).parent


class TestEnvelope:
    def test_a_body_comes_back(self) -> None:
        assert unseal(seal(b"\0body")) == b"\0body"
        assert seal(b"") == b"\x01\x00\x00"
        assert unseal_text(seal_text("ü \ud800")) == "ü \ud800"
        assert unseal_optional(None) is None

    @pytest.mark.parametrize(
        ("blob", "message"),
        [
            (b"", "shorter than its header"),
            (b"\x02\x00\x00x", "format 2"),
            (b"\x01\x01\x00x", r"codec 1 \(zstd\)"),
            (b"\x01\x02\x07x", r"codec 2 \(encrypted\) and key 7"),
            (b"\x01\x09\x00x", r"codec 9 \(unknown\)"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, blob: bytes, message: str) -> None:
        with pytest.raises(StorageError, match=message):
            unseal(blob)


class TestCatalogue:
    def test_every_sqlite_statement_can_be_prepared_on_the_schema(self) -> None:
        connection = apsw.Connection(":memory:")
        for migration in migrations.migrations("sqlite"):
            connection.execute(migration.text)
        for name, text in load("sqlite").items():
            assert apsw.ext.query_info(connection, text).query_remaining is None, name

    def test_both_databases_are_asked_the_same_shared_questions(self) -> None:
        shared = {name for kind, name, _ in entries((SOURCES / "sql" / "shared.sql").read_text()) if kind == "name"}
        assert shared <= load("sqlite").keys()
        assert shared <= load("postgresql").keys()

    def test_every_statement_is_used(self) -> None:
        """A name that no module mentions is dead text; the probe and the parts of a group are named by rule."""
        code = "".join(file.read_text() for file in SOURCES.glob("*.py"))
        for dialect in ("sqlite", "postgresql"):
            for name in load(dialect):
                assert f'"{name}"' in code or name.startswith("group_written_"), name

    def test_no_placeholder_is_left(self) -> None:
        for name, text in load("sqlite").items():
            assert not re.search(r"[$@]", text), name

    def test_a_name_without_a_purpose_is_refused(self) -> None:
        with pytest.raises(ValueError, match="purpose"):
            entries("-- name: a\nSELECT 1\n")

    def test_a_name_given_twice_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        entry = "-- name: a\n-- purpose: p\nSELECT 1;\n"
        (tmp_path / "shared.sql").write_text(entry)
        (tmp_path / "sqlite.sql").write_text(entry)
        monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
        with pytest.raises(ValueError, match="a is given twice"):
            load("sqlite")


class TestMigrations:
    def test_both_databases_have_the_same_numbers(self) -> None:
        names = [[(m.number, m.name) for m in migrations.migrations(d)] for d in ("sqlite", "postgresql")]
        assert names[0] == names[1]

    def test_what_a_database_lacks_is_applied_and_a_newer_one_is_refused(self) -> None:
        known = migrations.migrations("sqlite")
        assert check_version(0, known) == known
        assert check_version(len(known), known) == []
        with pytest.raises(SettingError, match="newer one"):
            check_version(len(known) + 1, known)

    def test_a_gap_in_the_numbers_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "sqlite").mkdir()
        (tmp_path / "sqlite" / "0002_later.sql").write_text("")
        monkeypatch.setattr(migrations, "FOLDER", tmp_path)
        with pytest.raises(ValueError, match="gap"):
            migrations.migrations("sqlite")


async def test_health_remembers_the_first_moment_and_heals_with_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0)
    results: list[Exception | None] = [StorageError("still"), None]

    async def write() -> None:
        if (result := results.pop(0)) is not None:
            raise result

    def submit(unit: Unit) -> Awaitable[None]:
        assert unit == health.PROBE
        return write()

    watch = HealthWatch(submit)
    watch.note("full")
    since = watch.health.since
    watch.note("still full")
    assert (watch.health.ok, watch.health.reason, watch.health.since) == (False, "still full", since)
    assert watch._prober is not None
    await watch._prober
    assert watch.health.ok
    assert results == []
    await watch.close()
