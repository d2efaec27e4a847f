"""Connections to PostgreSQL that heal: each is made when it is needed, and again after it was lost.

A link keeps no state in its session that a statement needs, so a transaction pooler may stand in between. With
``pooler`` the links prepare no named statements and send no settings when they connect; set these on the role instead
(``ALTER ROLE ... SET``): ``statement_timeout`` and ``idle_in_transaction_session_timeout``, both below the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg import exceptions as pg

from stepwell.kernel.errors import StorageError, StorageUnavailable

CONNECT_SECONDS = 5.0
STATEMENTS = 200
TIMEOUT_SHARE = 0.6  # of the lease: a statement that takes longer could end after its worker was given up

# The server cannot do it now, or the answer was lost: try again later.
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.TransactionRollbackError,
    pg.ReadOnlySQLTransactionError,
    pg.PostgresSystemError,
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
)
# After these the connection is still good.
HARMLESS = (pg.TransactionRollbackError, pg.QueryCanceledError)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Where to connect and how."""

    url: str
    lease: float
    pooler: bool = False

    def arguments(self) -> dict[str, Any]:
        limit = max(1.0, self.lease * TIMEOUT_SHARE)
        arguments: dict[str, Any] = {"dsn": self.url, "timeout": CONNECT_SECONDS, "command_timeout": limit}
        if self.pooler:
            return arguments | {"statement_cache_size": 0}
        milliseconds = str(int(limit * 1000))
        settings = {
            "application_name": "stepwell",
            "statement_timeout": milliseconds,
            "idle_in_transaction_session_timeout": milliseconds,
            "jit": "off",
            "enable_seqscan": "off",  # a plan made while a table was small must not read it whole later
        }
        return arguments | {"statement_cache_size": STATEMENTS, "server_settings": settings}


def as_storage_error(error: Exception) -> StorageError:
    """What an error of the driver means to the caller of a unit or a query."""
    text = str(error) or type(error).__name__
    if isinstance(error, UNAVAILABLE) and not isinstance(error, ValueError):  # a ValueError: a value it cannot send
        return StorageUnavailable(f"PostgreSQL: {text}")
    return StorageError(f"PostgreSQL refused a statement: {text}")


class Link:
    """One connection, used by one task at a time."""

    def __init__(self, options: LinkOptions, note: Callable[[str | None], object]) -> None:
        self._options = options
        self._note = note
        self._connection: Any = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """The connection. Errors of the driver leave as StorageError or StorageUnavailable."""
        async with self._turn:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(**self._options.arguments())
                yield self._connection
            except (*UNAVAILABLE, asyncpg.PostgresError) as error:
                outcome = as_storage_error(error)
                if isinstance(outcome, StorageUnavailable) and not isinstance(error, HARMLESS):
                    self._drop()
                    self._note(str(outcome))
                raise outcome from error
            except asyncio.CancelledError:
                self._drop()  # whatever was under way on it is of no interest any more
                raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        async with self._turn:
            connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=CONNECT_SECONDS)
            except (*UNAVAILABLE, asyncpg.PostgresError):
                connection.terminate()
