"""What is stored of a machine's versions and aliases, and how it is found.

Documents, by kind and key::

    sfn-version     machine/age      a version, the newest first; never changed
    sfn-published   machine/age      the revision a version was made from; outlives version and machine, for executions
    sfn-alias       machine/alias

Numbers grow and are never given twice, also after deletions (recorded: test_version_ids_between_deletions); they begin again
at 1 with a new machine of an old one's name (assumed).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from stepwell.kernel.arns import Scope
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.records import MachineRecord, Revision, changed, revision_of
from stepwell.storage.documents import Change, Delete, Document, Documents, Put

VERSION, PUBLISHED, ALIAS = "sfn-version", "sfn-published", "sfn-alias"
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#quotas-versions-aliases
VERSIONS, ALIASES = 1_000, 100
_END = 10**9  # above every version number; a key's age counts down from it


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """A version: its number and what the machine was when it was published. Times are seconds since the epoch."""

    number: int
    created: float
    description: str | None
    revision: Revision


class Route(NamedTuple):
    """A version and its share of an alias's executions, in per cent."""

    number: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRecord:
    """An alias and its one or two routes."""

    name: str
    created: float
    updated: float
    description: str | None
    routes: tuple[Route, ...]

    def leads_to(self, number: int) -> bool:
        return any(route.number == number for route in self.routes)


class PublishedStore:
    """Versions and aliases in documents. What is written of them goes with the machine: see ``MachineStore``."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def version(self, scope: Scope, machine: str, number: int) -> VersionRecord | None:
        document = await self._documents.get(scope, VERSION, _version_key(machine, number))
        return None if document is None else _version_of(document)

    async def versions(self, scope: Scope, machine: str, before: int | None, limit: int) -> list[VersionRecord]:
        """At most ``limit`` versions below a number, the newest first."""
        after = None if before is None else _version_key(machine, before)
        found = await self._documents.list(scope, VERSION, prefix=f"{machine}/", after=after, limit=limit)
        return [_version_of(document) for document in found]

    async def revision(self, scope: Scope, machine: str, number: int) -> Revision | None:
        """The revision behind a version, also of one that was deleted."""
        document = await self._documents.get(scope, PUBLISHED, _version_key(machine, number))
        return None if document is None else Revision(**document.body)

    async def alias(self, scope: Scope, machine: str, name: str) -> AliasRecord | None:
        document = await self._documents.get(scope, ALIAS, f"{machine}/{name}")
        return None if document is None else _alias_of(document)

    async def aliases(self, scope: Scope, machine: str) -> list[AliasRecord]:
        """All of a machine, in the order of their names."""
        found = await self._documents.list(scope, ALIAS, prefix=f"{machine}/", limit=ALIASES)
        return [_alias_of(document) for document in found]

    async def all_gone(self, record: MachineRecord) -> list[Change]:
        """The changes that delete all versions and aliases of a machine."""
        aliases = await self.aliases(record.scope, record.name) if record.aliases else []
        versions = await self.versions(record.scope, record.name, None, VERSIONS) if record.versions else []
        return [
            *(delete_alias(record, alias.name) for alias in aliases),
            *(delete_version(record, version.number) for version in versions),
        ]


# ---------------------------------------------------------------------- changes
def publish(record: MachineRecord, description: str | None, now: float) -> tuple[MachineRecord, list[Change]]:
    """The machine with a version more, and the changes that make the version. Raises ServiceQuotaExceededException."""
    if record.versions >= VERSIONS:
        raise faults.quota_exceeded("state machine versions", VERSIONS, record.arn)
    number, revision = record.published + 1, asdict(revision_of(record))
    key, body = _version_key(record.name, number), {"number": number, "created": now, "description": description}
    made = changed(record, published=number, versions=record.versions + 1, latest=number)
    return made, [
        Put(record.scope, VERSION, key, {**body, "revision": revision}, expect=0),
        Put(record.scope, PUBLISHED, key, revision),
    ]


def delete_version(record: MachineRecord, number: int) -> Change:
    return Delete(record.scope, VERSION, _version_key(record.name, number))


def put_alias(record: MachineRecord, alias: AliasRecord) -> Change:
    return Put(record.scope, ALIAS, f"{record.name}/{alias.name}", asdict(alias))


def delete_alias(record: MachineRecord, name: str) -> Change:
    return Delete(record.scope, ALIAS, f"{record.name}/{name}")


def _version_key(machine: str, number: int) -> str:
    """Newer ones sort first."""
    return f"{machine}/{_END - number:09d}"


def _version_of(document: Document) -> VersionRecord:
    body: dict[str, Any] = document.body
    return VersionRecord(**{**body, "revision": Revision(**body["revision"])})


def _alias_of(document: Document) -> AliasRecord:
    body: dict[str, Any] = document.body
    return AliasRecord(**{**body, "routes": tuple(Route(*route) for route in body["routes"])})
