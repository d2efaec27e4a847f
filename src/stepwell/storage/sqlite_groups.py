"""One group of units, one commit: shared by the writer process and the in-memory database.

A unit arrives marshalled, as a list of ``(statement number, parameters, expected rows or None)``. The answer is one entry a
unit: ``None`` when written, ``(CHECK, i)`` when the check of its i-th statement was not met, ``(REFUSED, i, text)`` when
the database refused that statement. If the commit itself cannot be made nothing is written and ``UnwritableError`` is
raised.

First all units run in one go. A unit that fails before it has changed a row is simply left out. One that fails later
must be undone, which one go cannot do: the whole group is rolled back and run again, each unit under a savepoint.

Imports are kept to apsw: the writer process must be small and start at once.
"""

import marshal

import apsw

MARSHAL_VERSION = 2  # without the search for repeated objects, which costs more than it saves
CHECK, REFUSED = 1, 2
UNWRITABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.NoMemError,
    apsw.ProtocolError,
    apsw.SchemaChangeError,
)

# (statement number, parameters, expected rows or None)
Coded = tuple[int, tuple[object, ...], int | None]
Answer = tuple[int, int] | tuple[int, int, str] | None


class UnwritableError(Exception):
    """The database cannot be written to now; the text says why."""


class GroupWriter:
    """Runs groups on a connection that nobody else writes with."""

    def __init__(self, connection: apsw.Connection, statements: list[str]) -> None:
        self._connection = connection
        self._statements = statements

    def run(self, encoded: list[bytes]) -> list[Answer]:
        """Write a group in one commit. Raises UnwritableError when nothing of it was written."""
        group: list[list[Coded]] = [marshal.loads(unit) for unit in encoded]  # noqa: S302 - our own process wrote it
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = self._plainly(group)
            if answers is None:
                self._connection.execute("ROLLBACK")
                self._connection.execute("BEGIN IMMEDIATE")
                answers = [self._apart(unit) for unit in group]
            self._connection.execute("COMMIT")
        except UNWRITABLE as error:
            self._abandon()
            raise UnwritableError(f"{type(error).__name__.removesuffix('Error')}: {error}") from error
        return answers

    def _plainly(self, group: list[list[Coded]]) -> list[Answer] | None:
        """Run all units; None as soon as one fails after it has changed something."""
        answers: list[Answer] = []
        for unit in group:
            answer, touched = self._unit(unit)
            if answer is not None and touched:
                return None
            answers.append(answer)
        return answers

    def _apart(self, unit: list[Coded]) -> Answer:
        self._connection.execute("SAVEPOINT unit")
        answer, _ = self._unit(unit)
        if answer is not None:
            self._connection.execute("ROLLBACK TO unit")
        self._connection.execute("RELEASE unit")
        return answer

    def _unit(self, unit: list[Coded]) -> tuple[Answer, int]:
        """Run one unit; with its answer, how many rows it has changed."""
        connection, statements = self._connection, self._statements
        touched = 0
        for position, (number, params, expect) in enumerate(unit):
            try:
                connection.execute(statements[number], params)
            except UNWRITABLE:
                raise
            except (apsw.Error, TypeError, ValueError, OverflowError) as error:
                return (REFUSED, position, str(error)), touched
            changed = connection.changes()
            if expect is not None and changed != expect:
                return (CHECK, position), touched + changed
            touched += changed
        return None, touched

    def _abandon(self) -> None:
        """Undo what is open, unless the failure has done so already."""
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except UNWRITABLE:
                return
