"""SQLite: this process reads, the writer process writes. ``MemoryDatabase`` is its twin for tests and the library.

The reading connection lives in the event loop's thread: reads are short, and a read transaction ends with its
statement, so the write-ahead log can always shrink.
"""

from __future__ import annotations

import asyncio
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
from stepwell.storage.sqlite_groups import CHECK, Answer, Coded, GroupWriter, UnwritableError
from stepwell.storage.sqlite_link import WriterLink
from stepwell.storage.sqlite_schema import READER_PRAGMAS, WRITER_PRAGMAS, apply_pragmas, prepare, unavailable
from stepwell.storage.units import Health, Row, Unit, size_of


class _Statements:
    """The catalogue, and units as the writer takes them."""

    def __init__(self) -> None:
        self.texts = load("sqlite")
        self.ordered = list(self.texts.values())
        self._numbers = {name: number for number, name in enumerate(self.texts)}

    def code(self, unit: Unit) -> list[Coded]:
        numbers = self._numbers
        return [(numbers[name], params, expect) for name, params, expect in unit.statements]


def _outcome(unit: Unit, answer: Answer) -> Outcome:
    if answer is None:
        return None
    name = unit.statements[answer[1]].name
    if answer[0] == CHECK:
        return CheckFailed(name)
    return StorageError(f"SQLite refused {name}: {answer[-1]}")


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
        self._committer = Committer[Unit](self._execute)

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
            await database._link.open()
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
        return self._committer.submit(unit, unit.lane, size_of(unit))

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        return self._reader.read(name, params)

    async def close(self) -> None:
        await self._watch.close()
        await self._committer.drain()
        await self._link.close()
        self._connection.close()
        self._lock.close()

    async def _execute(self, group: list[Unit]) -> Sequence[Outcome]:
        code = self._statements.code
        answers = await self._link.exchange([code(unit) for unit in group])
        if isinstance(answers, str):
            self._watch.note(answers)
            raise StorageUnavailable(f"SQLite: {answers}")
        self._watch.note(None)
        return [_outcome(unit, answer) for unit, answer in zip(group, answers, strict=True)]


def _prepare_file(path: Path) -> None:
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
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            outcome = _outcome(unit, self._writer.run([self._statements.code(unit)])[0])
        except UnwritableError as error:
            outcome = StorageUnavailable(f"SQLite: {error}")
        if isinstance(outcome, Exception):
            done.set_exception(outcome)
        else:
            done.set_result(None)
        return done

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        return self._reader.read(name, params)

    async def close(self) -> None:
        self._connection.close()
