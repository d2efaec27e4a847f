"""Log groups as stored documents, and what the operations share.

Documents, by kind and key::

    logs-group   name   the group: id, created, retention (days or None), class, tags
    logs-chore   id     what is to be deleted of a group: older than so many ``days``, or all of it (``gone``). These are
                        the server's own, of no account, so that they are found without knowing accounts
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepwell.kernel.arns import Arn, Scope, scope_of
from stepwell.kernel.caller import Params
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import Ids
from stepwell.storage.documents import Document, Documents
from stepwell.storage.logs import LogStore, LogStream

GROUP, CHORE = "logs-group", "logs-chore"
SYSTEM = Scope("stepwell", "", "")
ID_BYTES = 16
NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."


@dataclass(frozen=True, slots=True)
class Group:
    """A log group as it was read. ``created`` is milliseconds since the epoch, ``retention`` days."""

    scope: Scope
    name: str
    id: bytes
    created: int
    retention: int | None
    kind: str  # its class: STANDARD or INFREQUENT_ACCESS
    tags: dict[str, str]
    version: int

    @property
    def arn(self) -> str:
        return self.scope.arn("logs", f"log-group:{self.name}")

    def body(self) -> dict[str, Any]:
        return {
            "id": self.id.hex(),
            "created": self.created,
            "retention": self.retention,
            "class": self.kind,
            "tags": self.tags,
        }


def group_of(scope: Scope, document: Document) -> Group:
    body = document.body
    return Group(
        scope=scope,
        name=document.key,
        id=bytes.fromhex(body["id"]),
        created=body["created"],
        retention=body["retention"],
        kind=body["class"],
        tags=body["tags"],
        version=document.version,
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the operations keep things, and whose time and ids they use."""

    documents: Documents
    store: LogStore
    clock: Clock
    ids: Ids

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.clock.now() * 1000)

    async def find(self, scope: Scope, name: str) -> Group | None:
        document = await self.documents.get(scope, GROUP, name)
        return None if document is None else group_of(scope, document)

    async def group(self, scope: Scope, name: str) -> Group:
        """Raises ResourceNotFoundException."""
        found = await self.find(scope, name)
        if found is None:
            raise missing(NO_GROUP)
        return found

    async def stream(self, group: Group, name: str) -> LogStream:
        """Raises ResourceNotFoundException."""
        found = await self.store.stream(group.id, name)
        if found is None:
            raise missing(NO_STREAM)
        return found

    async def named(self, scope: Scope, params: Params) -> Group:
        """The group that ``logGroupName`` or ``logGroupIdentifier`` (a name or an ARN) means.

        Raises InvalidParameterException for both or neither, ResourceNotFoundException.
        """
        name, identifier = params.get("logGroupName"), params.get("logGroupIdentifier")
        if (name is None) == (identifier is None):
            raise invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
        if identifier is not None:
            name = name_in(scope, identifier) if identifier.startswith("arn:") else identifier
        if name is None:
            raise missing(NO_GROUP)
        return await self.group(scope, name)


def name_in(scope: Scope, text: str) -> str | None:
    """The name in the ARN of a log group (``:*`` at its end or not) of this account and region, else None."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return None
    names = arn.names
    ours = arn.service == "logs" and arn.kind == "log-group" and scope_of(arn) == scope
    return names[0] if ours and names and names[0] and names[1:] in ([], ["*"]) else None


def missing(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def exists(message: str) -> ServiceError:
    return ServiceError("ResourceAlreadyExistsException", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def aborted() -> ServiceError:
    text = "Multiple concurrent requests to update the same resource were in conflict."
    return ServiceError("OperationAbortedException", text)
