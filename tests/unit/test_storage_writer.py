"""The writer process from inside: groups on a connection, the work of idle moments, the end of the link."""

from __future__ import annotations

import marshal
import socket
from pathlib import Path

import apsw
import pytest

from stepwell.storage.sqlite_groups import CHECK, REFUSED, Coded, GroupWriter, UnwritableError
from stepwell.storage.sqlite_schema import WRITER_PRAGMAS, apply_pragmas
from stepwell.storage.sqlite_writer import CLOSED, Housekeeping, receive, send

STATEMENTS = ["INSERT INTO t (a) VALUES (?1)", "UPDATE t SET a = a + 1 WHERE a = ?1"]


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(tmp_path / "a.db"))
    apply_pragmas(connection, ["auto_vacuum = incremental", *WRITER_PRAGMAS])
    connection.execute("CREATE TABLE t (a INTEGER UNIQUE)")
    return connection


def encoded(*units: list[Coded]) -> list[bytes]:
    return [marshal.dumps(unit) for unit in units]


def rows(connection: apsw.Connection) -> list[object]:
    return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY a")]


def test_a_unit_that_has_changed_nothing_is_left_out_without_running_the_group_again(
    connection: apsw.Connection,
) -> None:
    statements: list[str] = []
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: statements.append(event["sql"]))
    writer = GroupWriter(connection, STATEMENTS)
    group = encoded([(0, (1,), 1)], [(1, (7,), 1), (0, (8,), None)], [(0, (2,), None)])
    assert writer.run(group) == [None, (CHECK, 0), None]
    assert rows(connection) == [1, 2]
    assert not [text for text in statements if "SAVEPOINT" in text]


def test_a_unit_that_fails_late_is_taken_back_alone(connection: apsw.Connection) -> None:
    writer = GroupWriter(connection, STATEMENTS)
    group = encoded([(0, (1,), 1)], [(0, (5,), 1), (0, (1,), 1)], [(0, (2,), None)], [(0, (6,), 1), (1, (9,), 1)])
    first, second, third, fourth = writer.run(group)
    assert (first, third, fourth) == (None, None, (CHECK, 1))
    assert second is not None
    assert second[:2] == (REFUSED, 1)
    assert rows(connection) == [1, 2]


def test_a_database_that_cannot_be_written_to_writes_nothing_and_can_be_tried_again(
    connection: apsw.Connection,
) -> None:
    writer = GroupWriter(connection, STATEMENTS)
    connection.pragma("query_only", True)
    with pytest.raises(UnwritableError, match="ReadOnly"):
        writer.run(encoded([(0, (1,), 1)]))
    connection.pragma("query_only", False)
    assert writer.run(encoded([(0, (1,), 1)])) == [None]
    assert rows(connection) == [1]


def test_freed_pages_are_given_back_in_idle_moments(connection: apsw.Connection, tmp_path: Path) -> None:
    housekeeping = Housekeeping(connection)
    connection.execute("CREATE TABLE big (b)")
    connection.execute("INSERT INTO big VALUES (zeroblob(2000000))")
    housekeeping.when_idle()
    full = (tmp_path / "a.db").stat().st_size
    connection.execute("DELETE FROM big")
    for _ in range(10):
        housekeeping.when_idle()
    assert (tmp_path / "a.db").stat().st_size < full / 4


def test_the_log_is_carried_over_after_an_answer_once_it_is_long(connection: apsw.Connection, tmp_path: Path) -> None:
    housekeeping = Housekeeping(connection)
    connection.execute("CREATE TABLE big (b)")
    housekeeping.after_answer()
    before = (tmp_path / "a.db").stat().st_size
    connection.execute("INSERT INTO big VALUES (zeroblob(10000000))")
    housekeeping.after_answer()
    assert (tmp_path / "a.db").stat().st_size > before + 5_000_000


def test_messages_cross_the_link_until_it_is_closed() -> None:
    here, there = socket.socketpair()
    with here, there:
        send(here, ("ready", 7))
        assert marshal.loads(receive(there)) == ("ready", 7)
        here.sendall(b"\0\0\0\x09part")
        here.close()
        assert receive(there) == CLOSED
