"""Roles and policies as stored documents, read, changed and written again until nobody was faster.

IAM is global: its documents lie in the account's scope with an empty region. A role is one document, with its inline
policies, attachments and tags in it; a managed policy is one document. Both lie under their name in lower case, because
names that differ in case only are the same: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import CheckFailed, ServiceError
from stepwell.kernel.ids import Ids
from stepwell.storage.documents import Document, Documents, Put

ROLE = "iam-role"
POLICY = "iam-policy"
ATTEMPTS = 10
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the operations keep things, and whose time and ids they use."""

    documents: Documents
    clock: Clock
    ids: Ids

    async def role(self, scope: Scope, name: str) -> Document:
        """Raises NoSuchEntity."""
        found = await self.documents.get(scope, ROLE, name.lower())
        if found is None:
            raise missing(f"The role with name {name} cannot be found.")
        return found

    async def policy(self, scope: Scope, arn: str, message: str = "Policy {} was not found.") -> Document:
        """A customer-managed policy by ARN. Raises NoSuchEntity."""
        found = await self.documents.get(scope, POLICY, arn.rsplit("/", 1)[-1].lower())
        if found is None or found.body["arn"] != arn:
            raise missing(message.format(arn))
        return found

    def unique_id(self, prefix: str) -> str:
        """``AROA`` or ``ANPA`` and 17 letters, as in
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
        """
        return prefix + "".join(_ID_LETTERS[byte % 32] for byte in self.ids.token(17))


def account_of(scope: Scope) -> Scope:
    """IAM knows accounts, not regions."""
    return Scope(scope.partition, "", scope.account)


def changed(scope: Scope, kind: str, document: Document, **members: Any) -> Put:
    """The document with some members replaced, to be written if it is still the one that was read."""
    return Put(scope, kind, document.key, {**document.body, **members}, expect=document.version)


def missing(message: str) -> ServiceError:
    return ServiceError("NoSuchEntity", message, status=404)


def conflict(message: str) -> ServiceError:
    return ServiceError("DeleteConflict", message, status=409)


def exists(message: str) -> ServiceError:
    return ServiceError("EntityAlreadyExists", message, status=409)


def too_many(message: str) -> ServiceError:
    return ServiceError("LimitExceeded", message, status=409)


async def create(shelf: Shelf, put: Put, message: str) -> None:
    """Write a new document; raises EntityAlreadyExists with ``message`` when the name is taken."""
    try:
        await shelf.documents.write([put])
    except CheckFailed:
        raise exists(message) from None


async def repeated(operation: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Run a read-and-write again when another caller changed the same document in between."""
    for _ in range(ATTEMPTS):
        try:
            return await operation()
        except CheckFailed:
            continue
    raise ServiceError("ConcurrentModification", "Request was rejected, the entity is being modified.", status=409)
