"""What is stored of state machines and activities, and how it is found.

Documents, by kind and key::

    sfn-machine    name                 the machine as it is now
    sfn-revision   name/age             one for each create and update, the newest first; never changed, outlives the machine
    sfn-activity   name

What was published of a machine is in ``published``. Every change to a machine, its versions and its aliases also writes the
machine's own document from the version it was read at, so that two of them never happen side by side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from stepwell.engine.journal import Journal
from stepwell.engine.machines import definition_hash
from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import CheckFailed
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.naming import arn_of, own_name
from stepwell.storage.documents import Change, Delete, Document, Documents, Put, PutDefinition

T = TypeVar("T")
MACHINE, REVISION, ACTIVITY = "sfn-machine", "sfn-revision", "sfn-activity"
ATTEMPTS = 10
_END_OF_TIME = 10**15  # milliseconds; a revision's age counts down from it
_SAME_DEFINITION = 20  # revisions looked at to find an execution's
ACTIVE, DELETING = "ACTIVE", "DELETING"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """A state machine. Times are seconds since the epoch; ``revision`` is None until the first update."""

    scope: Scope
    arn: str
    name: str
    type: str
    role: str
    definition: str  # hash
    created: float
    updated: float
    revision: str | None
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any] | None  # as given; None when not given
    status: str
    tags: dict[str, str]
    created_with: list[Any] | None = None  # publish and versionDescription of its creation, if it was to publish
    published: int = 0  # the highest version number there ever was
    versions: int = 0  # how many versions there are
    aliases: int = 0  # how many aliases there are
    latest: int | None = None  # the version that was published from the present revision, while it is there
    version: int = 0  # of the document; 0 when it is new

    @property
    def express(self) -> bool:
        return self.type == "EXPRESS"

    def body(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NOT_STORED}


_NOT_STORED = frozenset({"scope", "version"})


def machine_of(scope: Scope, document: Document) -> MachineRecord:
    return MachineRecord(scope=scope, version=document.version, **document.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What an execution needs to know of the machine it was started from."""

    updated: float
    revision: str | None
    definition: str
    role: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any] | None


def revision_of(record: MachineRecord) -> Revision:
    return Revision(**{field.name: getattr(record, field.name) for field in fields(Revision)})


def as_of(record: MachineRecord, revision: Revision) -> MachineRecord:
    """The machine with the settings of another revision."""
    return replace(record, **asdict(revision))


class MachineStore:
    """State machines in documents. ``listeners`` are told the ARN of each machine that was written."""

    def __init__(self, documents: Documents, journal: Journal) -> None:
        self._documents = documents
        self._journal = journal
        self.listeners: list[Callable[[str], None]] = []

    async def by_arn(self, scope: Scope, arn: str) -> MachineRecord:
        """As it is stored now. Raises InvalidArn, StateMachineDoesNotExist."""
        name = own_name(arn_of(arn, "stateMachine"), scope)
        record = None if name is None else await self.find(scope, name)
        if record is None:
            raise faults.machine_missing(arn)
        return record

    async def find(self, scope: Scope, name: str) -> MachineRecord | None:
        """As it is stored now. A machine that was only waiting for its last execution to end is gone with it."""
        document = await self._documents.get(scope, MACHINE, name)
        return None if document is None else await self._still_there(machine_of(scope, document))

    async def page(self, scope: Scope, after: str | None, limit: int) -> list[MachineRecord]:
        """At most ``limit`` machines in the order of their names."""
        found = await self._documents.list(scope, MACHINE, after=after, limit=limit)
        return [machine_of(scope, document) for document in found]

    async def _still_there(self, record: MachineRecord) -> MachineRecord | None:
        if record.status != DELETING or await self._journal.open_count(record.arn):
            return record
        with suppress(CheckFailed):  # another request did it
            await self.delete(record)
        return None

    async def definition(self, hash_: str) -> str:
        """A definition's text."""
        text = await self._documents.definition(hash_)
        if text is None:
            raise KeyError(hash_)
        return text

    # ------------------------------------------------------------------ writes; raise CheckFailed
    async def save(self, record: MachineRecord, definition: str | None, also: Sequence[Change] = ()) -> None:
        """Write a new or changed machine and the revision it makes. ``definition`` is the text, if it may be new."""
        changes: list[Change] = []
        if definition is not None:
            changes.append(PutDefinition(record.definition, definition))
        revision = asdict(revision_of(record))
        changes.append(Put(record.scope, REVISION, _revision_key(record.name, record.updated), revision))
        await self._write(record, [*changes, _put(record), *also])

    async def touch(self, record: MachineRecord, also: Sequence[Change] = ()) -> None:
        """Write a machine whose tags, status, versions or aliases changed, and those with it."""
        await self._write(record, [_put(record), *also])

    async def delete(self, record: MachineRecord, also: Sequence[Change] = ()) -> None:
        await self._write(record, [Delete(record.scope, MACHINE, record.name, expect=record.version), *also])

    async def _write(self, record: MachineRecord, changes: list[Change]) -> None:
        self._tell(record)
        try:
            await self._documents.write(changes)
        finally:
            self._tell(record)

    def _tell(self, record: MachineRecord) -> None:
        for listener in self.listeners:
            listener(record.arn)

    # ------------------------------------------------------------------ revisions
    async def revision_at(self, scope: Scope, name: str, when: float, definition: str) -> Revision | None:
        """The revision that an execution of this definition was started from at a time."""
        started = _revision_key(name, when + 0.001)
        for after in (started, None):  # None: the clock of the server that made the revision may have been ahead
            found = await self._documents.list(scope, REVISION, prefix=f"{name}/", after=after, limit=_SAME_DEFINITION)
            for document in found:
                if document.body["definition"] == definition:
                    return Revision(**document.body)
        return None


def _put(record: MachineRecord) -> Put:
    return Put(record.scope, MACHINE, record.name, record.body(), expect=record.version)


def _revision_key(name: str, updated: float) -> str:
    """Newer ones sort first."""
    return f"{name}/{_END_OF_TIME - round(updated * 1000):015d}"


def changed(record: MachineRecord, **members: Any) -> MachineRecord:
    return replace(record, **members)


def hash_of(definition: str) -> str:
    return definition_hash(definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRecord:
    """An activity."""

    scope: Scope
    arn: str
    name: str
    created: float
    tags: dict[str, str]
    version: int = 0

    def body(self) -> dict[str, Any]:
        return {"arn": self.arn, "name": self.name, "created": self.created, "tags": self.tags}


class ActivityStore:
    """Activities in documents."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def by_arn(self, scope: Scope, arn: str) -> ActivityRecord:
        """Raises InvalidArn, ActivityDoesNotExist."""
        name = own_name(arn_of(arn, "activity"), scope)
        record = None if name is None else await self.find(scope, name)
        if record is None:
            raise faults.activity_missing(arn)
        return record

    async def find(self, scope: Scope, name: str) -> ActivityRecord | None:
        document = await self._documents.get(scope, ACTIVITY, name)
        return None if document is None else _activity_of(scope, document)

    async def page(self, scope: Scope, after: str | None, limit: int) -> list[ActivityRecord]:
        found = await self._documents.list(scope, ACTIVITY, after=after, limit=limit)
        return [_activity_of(scope, document) for document in found]

    async def save(self, record: ActivityRecord) -> None:
        """Raises CheckFailed."""
        await self._documents.write([Put(record.scope, ACTIVITY, record.name, record.body(), expect=record.version)])

    async def delete(self, scope: Scope, name: str) -> None:
        await self._documents.write([Delete(scope, ACTIVITY, name)])


def _activity_of(scope: Scope, document: Document) -> ActivityRecord:
    return ActivityRecord(scope=scope, version=document.version, **document.body)


async def repeated(operation: Callable[[], Awaitable[T]]) -> T:
    """Read, change and write again when another caller changed the same document in between."""
    for _ in range(ATTEMPTS):
        try:
            return await operation()
        except CheckFailed:
            continue
    raise faults.conflict("The resource is being changed by other requests; try again.")
