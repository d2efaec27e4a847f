"""SQLite: this process reads, the writer process writes. ``MemoryDatabase`` is its twin for tests and the library.

The reading connection lives in the event loop's thread: reads are short, and a read transaction ends with its
statement, so the write-ahead log can always shrink.
"""

from __future__ import annotations

import asyncio
import marshal
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import apsw
import orjson

from stepwell.kernel.errors import CheckFailed, StorageError, StorageUnavailable
from stepwell.storage.catalogue import load
from stepwell.storage.committer import Committer, Outcome
from stepwell.storage.health import HealthWatch
from stepwell.storage.lockfile import DataLock
from stepwell.storage.sqlite_groups import CHECK, MARSHAL_VERSION, Answer, GroupWriter, UnwritableError
from stepwell.storage.sqlite_link import WriterLink
from stepwell.storage.sqlite_schema import READER_PRAGMAS, WRITER_PRAGMAS, apply_pragmas, prepare, unavailable
from stepwell.storage.units import Health, Row, Unit


class _Statements:
    """The catalogue, and units encoded for the writer: one by one, so that a bad value fails alone."""

    def __init__(self) -> None:
        self.texts = load("sqlite")
        self.ordered = list(self.texts.values())
        self._numbers = {name: number for number, name in enumerate(self.texts)}

    def encode(self, unit: Unit) -> bytes:
        """Raises StorageError for a name that is not in the catalogue, or a value that is none of SQL's."""
        numbers = self._numbers
        try:
            coded = [(numbers[name], params, expect) for name, params, expect in unit.statements]
            return marshal.dumps(coded, MARSHAL_VERSION)
        except KeyError as unknown:
            raise StorageError(f"there is no statement {unknown}") from unknown
        except ValueError as error:
            names = ", ".join(statement.name for statement in unit.statements)
            raise StorageError(f"a value cannot be written ({names}): {error}") from error


def _outcome(unit: Unit, answer: Answer) -> StorageError | None:
    if answer is None:
        return None
    name = unit.statements[answer[1]].name
    if answer[0] == CHECK:
        return CheckFailed(name)
    return StorageError(f"SQLite refused {name}: {answer[-1]}")


def _done(outcome: StorageError | None) -> Awaitable[None]:
    """What ``submit`` returns when the outcome is known already."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if outcome is None:
        done.set_result(None)
    else:
        done.set_exception(outcome)
    return done


class _Reader:
    """Named queries on one connection."""

    def __init__(self, connection: apsw.Connection, texts: dict[str, str]) -> None:
        self._connection = connection
        self._texts = texts

    def read(self, name: str, params: Sequence[Any]) -> Sequence[Row]:
        bound = [orjson.dumps(p).decode() if isinstance(p, list) else p for p in params]
        try:
            return self._connection.execute(self._texts[name], bound).fetchall()
        except apsw.Error as error:
            raise unavailable(error) from error


class SqliteDatabase:
    """A database file. Made by ``open``; see ``units.Database`` for the promises."""

    def __init__(self, path: Path, lock: DataLock) -> None:
        self.path = path
        self._lock = lock
        self._statements = _Statements()
        self._watch = HealthWatch(self.submit)
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=256)
        apply_pragmas(self._connection, READER_PRAGMAS)
        self._reader = _Reader(self._connection, self._statements.texts)
        self._link = WriterLink((str(path), self._statements.ordered, WRITER_PRAGMAS), self._watch.note)
        self._committer = Committer[tuple[Unit, bytes]](self._execute)

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """Create or migrate the file, lock it and start its writer.

        Raises SettingError (in use, newer schema, not ours, no such folder), StorageUnavailable.
        """
        path = path.absolute()  # noqa: ASYNC240 - once, at the start
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = DataLock(path)
        try:
            _prepare_file(path)
            database = cls(path, lock)
            try:
                await database._link.open()
            except BaseException:
                database._connection.close()
                raise
        except apsw.Error as error:
            lock.close()
            raise unavailable(error) from error
        except BaseException:
            lock.close()
            raise
        return database

    @property
    def health(self) -> Health:
        return self._watch.health

    @property
    def writer_pid(self) -> int | None:
        """The process id of the writer, or None while it is being started again."""
        return self._link.pid

    def submit(self, unit: Unit) -> Awaitable[None]:
        encoded = self._statements.encode(unit)
        return self._committer.submit((unit, encoded), unit.lane, len(encoded))

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        return self._reader.read(name, params)

    async def close(self) -> None:
        await self._watch.close()
        await self._committer.drain()
        self._connection.close()  # before the writer: the last one to leave takes the write-ahead log away
        await self._link.close()
        self._lock.close()

    async def _execute(self, group: list[tuple[Unit, bytes]]) -> Sequence[Outcome]:
        answers = await self._link.exchange([encoded for _, encoded in group])
        if isinstance(answers, str):
            self._watch.note(answers)
            raise StorageUnavailable(f"SQLite: {answers}")
        self._watch.note(None)
        return [_outcome(unit, answer) for (unit, _), answer in zip(group, answers, strict=True)]


def _prepare_file(path: Path) -> None:
    path.touch(mode=0o600)  # the files beside it take their mode from it
    connection = apsw.Connection(str(path))
    try:
        prepare(connection)
    finally:
        connection.close()


class MemoryDatabase:
    """The same schema in memory; every unit is committed before ``submit`` returns."""

    def __init__(self) -> None:
        self._statements = _Statements()
        self._connection = apsw.Connection(":memory:", statementcachesize=256)
        prepare(self._connection)
        self._reader = _Reader(self._connection, self._statements.texts)
        self._writer = GroupWriter(self._connection, self._statements.ordered)

    @property
    def health(self) -> Health:
        return Health()

    def submit(self, unit: Unit) -> Awaitable[None]:
        try:
            return _done(_outcome(unit, self._writer.run([self._statements.encode(unit)])[0]))
        except UnwritableError as error:
            return _done(StorageUnavailable(f"SQLite: {error}"))

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        return self._reader.read(name, params)

    async def close(self) -> None:
        self._connection.close()
