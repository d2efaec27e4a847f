"""Documents: small JSON objects with a version, keyed by scope, kind and key; and immutable definitions.

State machines, versions, aliases, activities, connections and tags are documents. Changes given together are written
together; a change may demand the version it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import dumps, loads
from stepwell.storage.envelope import seal_text, unseal, unseal_text
from stepwell.storage.units import Database, Lane, Statement, Unit

ABOVE_ALL = "\U0010ffff"  # sorts after every character


class Document(NamedTuple):
    """``version`` counts its writes, from 1. Never change ``body``: build a new one."""

    key: str
    version: int
    body: dict[str, Any]


class Put(NamedTuple):
    """Write a document. ``expect``: 0, it must not exist; n, its version must be n; None, whatever is there."""

    scope: Scope
    kind: str
    key: str
    body: dict[str, Any]
    expect: int | None = None


class Delete(NamedTuple):
    """Delete a document. ``expect``: n, its version must be n; None, whatever is there, if anything is."""

    scope: Scope
    kind: str
    key: str
    expect: int | None = None


class PutDefinition(NamedTuple):
    """Keep the body of a definition under its hash; one that is there stays as it is."""

    hash: str
    body: str


Change = Put | Delete | PutDefinition


class Documents:
    """Documents of one database. All coroutines may raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, scope: Scope, kind: str, key: str) -> Document | None:
        found = await self._database.read("document", (*_place(scope), kind, key))
        return Document(key, found[0][0], loads(unseal(found[0][1]))) if found else None

    async def list(
        self, scope: Scope, kind: str, *, prefix: str = "", after: str | None = None, limit: int = 100
    ) -> list[Document]:
        """At most ``limit`` documents whose keys begin with ``prefix`` and sort (by code point) after ``after``."""
        bounds = ("" if after is None else after, prefix, prefix + ABOVE_ALL)
        found = await self._database.read("documents", (*_place(scope), kind, *bounds, limit))
        return [Document(key, version, loads(unseal(body))) for key, version, body in found]

    async def write(self, changes: Iterable[Change], *, lane: Lane = "documents") -> None:
        """Write all changes or none; raises CheckFailed if an expected version is not there."""
        statements = tuple(_statement(change) for change in changes)
        if statements:
            await self._database.submit(Unit(statements, lane))

    async def definition(self, hash_: str) -> str | None:
        """The body kept under this hash."""
        found = await self._database.read("definition", (hash_,))
        return unseal_text(found[0][0]) if found else None


def _place(scope: Scope) -> tuple[str, str, str]:
    return scope.partition, scope.account, scope.region


def _statement(change: Change) -> Statement:
    if isinstance(change, PutDefinition):
        return Statement("put_definition", (change.hash, seal_text(change.body)))
    place = (*_place(change.scope), change.kind, change.key)
    if isinstance(change, Delete):
        return _deletion(place, change.expect)
    body = seal_text(dumps(change.body))
    if change.expect is None:
        return Statement("put_document", (*place, body))
    if change.expect == 0:
        return Statement("create_document", (*place, body), 1)
    return Statement("replace_document", (*place, body, change.expect), 1)


def _deletion(place: tuple[str, ...], expect: int | None) -> Statement:
    if expect is None:
        return Statement("delete_document", place)
    if expect < 1:
        raise ValueError("a document that must not exist cannot be deleted")
    return Statement("delete_document_at", (*place, expect), 1)
