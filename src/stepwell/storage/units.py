"""A write as a value, the two kinds of database behind one protocol, and the health of a database.

::

    Unit                    all or nothing
    `- Statement ...        a named SQL text, its parameters, and how many rows it must change

What never lives here: an interactive transaction. A unit is complete before it is handed over, so no transaction is
ever open across an ``await`` of the caller.

A check is an expected row count. It is cheapest as a unit's first statement: a unit that fails before it has changed
anything needs no undoing, so its neighbours in the same commit are not run again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

Param = None | bool | int | float | str | bytes
Params = tuple[Param, ...]
Row = Sequence[Any]
Lane = Literal["journal", "documents", "background"]

# Only to bound groups and queues: a row's keys and numbers, about.
STATEMENT_OVERHEAD = 64


class Statement(NamedTuple):
    """One named statement. With ``expect`` the unit fails unless exactly that many rows change."""

    name: str
    params: Params
    expect: int | None = None


class Unit(NamedTuple):
    """Statements that are written together or not at all, in this order."""

    statements: tuple[Statement, ...]
    lane: Lane = "documents"


def size_of(unit: Unit) -> int:
    """About how many bytes a unit writes."""
    size = 0
    for statement in unit.statements:
        size += STATEMENT_OVERHEAD
        for param in statement.params:
            if isinstance(param, (bytes, str)):
                size += len(param)
    return size


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the database can be written to; if not, why, and since when (seconds since the epoch)."""

    ok: bool = True
    reason: str | None = None
    since: float | None = None


class Database(Protocol):
    """Where units go and rows come from."""

    @property
    def health(self) -> Health: ...

    def submit(self, unit: Unit) -> Awaitable[None]:
        """Hand a unit to the committer; the awaitable is done when the unit is durable.

        Its errors: CheckFailed (the unit's check was not met: nothing written), StorageError (the database refused the
        unit: nothing written), StorageUnavailable (the outcome is unknown; or the queue is full and nothing was
        written). Raises StorageError at once for a unit that can never be written: an unknown name, a value that is none
        of SQL's.
        """
        ...

    async def read(self, name: str, params: Sequence[Any] = ()) -> Sequence[Row]:
        """The rows of a named query. A parameter that is a list is an array. Raises StorageUnavailable."""
        ...

    async def close(self) -> None:
        """Commit what was handed over, then let go of everything."""
        ...
