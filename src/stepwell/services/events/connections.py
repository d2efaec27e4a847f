"""The operations on connections.

AWS authorises a new connection in the background; here it is AUTHORIZED at once, and an OAuth token is fetched when a
request needs one. Private connectivity (VPC) and customer keys are refused by name.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html and its neighbours; the
text about a missing connection is EventBridge's (public reports), those about existing ones and wrong parameters are
assumed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Protocol

from stepwell.kernel.arns import Arn, Scope, scope_of
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import CheckFailed, ServiceError
from stepwell.kernel.ids import Ids
from stepwell.kernel.keys import KeyRing
from stepwell.services.events import connection as record
from stepwell.services.events.connection import Connection
from stepwell.storage.documents import Change, Delete, Document, Put

KIND = "connection"
PAGE = 100
UPDATE_ATTEMPTS = 5
OPENED = 1_000  # connections kept decrypted
SECRET_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - of an ARN's end

Params = dict[str, Any]


class Store(Protocol):
    """What is needed of ``storage.documents.Documents``."""

    async def get(self, scope: Scope, kind: str, key: str) -> Document | None: ...

    async def list(
        self, scope: Scope, kind: str, *, prefix: str = "", after: str | None = None, limit: int = 100
    ) -> list[Document]: ...

    async def write(self, changes: Iterable[Change]) -> None: ...


class Connections:
    """Connections in a document store. ``resolve`` gives one with its secrets to whoever makes its requests."""

    def __init__(self, store: Store, keys: KeyRing, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._open: dict[str, tuple[int, Connection | None]] = {}

    async def resolve(self, arn: str) -> Connection:
        """Raises ServiceError ResourceNotFoundException for an ARN of no connection here."""
        try:
            parsed = Arn.parse(arn)
            kind, name, _ = parsed.resource.split("/")
        except ValueError:
            raise _missing_arn(arn) from None
        found = await self._store.get(scope_of(parsed), KIND, name) if kind == KIND else None
        if found is None or found.body["arn"] != arn:
            raise _missing_arn(arn)
        return self._opened(arn, found)

    def _opened(self, arn: str, document: Document) -> Connection:
        """The connection of a document, decrypted once for each version of it."""
        version, connection = self._open.get(arn, (0, None))
        if connection is None or version != document.version:
            if len(self._open) >= OPENED:
                self._open.clear()
            connection = record.connection_of(self._keys, document.body)
            self._open[arn] = (document.version, connection)
        return connection

    # ---------------------------------------------------------------------------------------------- operations

    async def create(self, scope: Scope, params: Params) -> Params:
        _refuse_unsupported(params)
        name, kind = params["Name"], params["AuthorizationType"]
        given = _complete(kind, params["AuthParameters"])
        now, unique = self._now(), self._ids.uuid()
        arn = scope.arn("events", f"connection/{name}/{unique}")
        body = {
            "arn": arn,
            "name": name,
            "type": kind,
            "state": record.AUTHORIZED,
            "secretArn": scope.arn(
                "secretsmanager", f"secret:events!connection/{name}/{self._ids.uuid()}-{self._letters()}"
            ),
            "shown": record.shown(given),
            "secret": record.seal(self._keys, arn, given),
            "created": now,
            "modified": now,
            "authorized": now,
        }
        if params.get("Description") is not None:
            body["description"] = params["Description"]
        try:
            await self._store.write([Put(scope, KIND, name, body, expect=0)])
        except CheckFailed:
            raise ServiceError("ResourceAlreadyExistsException", f"Connection {name} already exists.") from None
        return _summary(body, "ConnectionArn", "ConnectionState", "CreationTime", "LastModifiedTime")

    async def update(self, scope: Scope, params: Params) -> Params:
        _refuse_unsupported(params)

        def change(body: Params) -> Params:
            kind = params.get("AuthorizationType") or body["type"]
            old = record.unseal(self._keys, body["arn"], body["secret"]) if "secret" in body else {}
            given = _complete(kind, _merged(old, params.get("AuthParameters") or {}))
            now = self._now()
            changed = body | {
                "type": kind,
                "state": record.AUTHORIZED,
                "shown": record.shown(given),
                "secret": record.seal(self._keys, body["arn"], given),
                "modified": max(now, body["modified"] + 0.001),
                "authorized": now,
            }
            return changed | ({"description": params["Description"]} if params.get("Description") is not None else {})

        return _brief(await self._change(scope, params["Name"], change))

    async def deauthorize(self, scope: Scope, params: Params) -> Params:
        """Forget the secrets; the connection stays and can be updated with new ones."""

        def change(body: Params) -> Params:
            kept = {name: value for name, value in body.items() if name != "secret"}
            modified = max(self._now(), body["modified"] + 0.001)
            return kept | {"state": record.DEAUTHORIZED, "modified": modified}

        body = await self._change(scope, params["Name"], change)
        return _brief(body | {"state": record.DEAUTHORIZING})

    async def delete(self, scope: Scope, params: Params) -> Params:
        found = await self._existing(scope, params["Name"])
        await self._store.write([Delete(scope, KIND, params["Name"])])
        return _brief(found.body | {"state": record.DELETING})

    async def describe(self, scope: Scope, params: Params) -> Params:
        body = (await self._existing(scope, params["Name"])).body
        return _summary(body, *_ALL_MEMBERS)

    async def list(self, scope: Scope, params: Params) -> Params:
        prefix, state = params.get("NamePrefix") or "", params.get("ConnectionState")
        limit = params.get("Limit") or PAGE
        after = self._key_of(params["NextToken"]) if params.get("NextToken") else None
        listed: list[Params] = []
        while True:
            page = await self._store.list(scope, KIND, prefix=prefix, after=after, limit=PAGE)
            for found in page:
                if len(listed) == limit:
                    return {"Connections": listed, "NextToken": self._token_of(str(after))}
                after = found.key
                if state is None or found.body["state"] == state:
                    listed.append(_summary(found.body, *_LISTED_MEMBERS))
            if len(page) < PAGE:
                return {"Connections": listed}

    # ------------------------------------------------------------------------------------------------- pieces

    async def _existing(self, scope: Scope, name: str) -> Document:
        found = await self._store.get(scope, KIND, name)
        if found is None:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Failed to describe the connection(s). Connection '{name}' does not exist.",
            )
        return found

    async def _change(self, scope: Scope, name: str, change: Any) -> Params:
        """Write ``change(body)`` over the version it was made from; somebody else's write in between is read again."""
        for _ in range(UPDATE_ATTEMPTS):
            found = await self._existing(scope, name)
            body: Params = change(found.body)
            try:
                await self._store.write([Put(scope, KIND, name, body, expect=found.version)])
            except CheckFailed:
                continue
            return body
        raise ServiceError("ConcurrentModificationException", f"Connection {name} is being modified concurrently.")

    def _now(self) -> float:
        return round(self._clock.now(), 3)

    def _letters(self) -> str:
        return "".join(SECRET_LETTERS[byte % len(SECRET_LETTERS)] for byte in self._ids.token(6))

    def _token_of(self, key: str) -> str:
        return base64.urlsafe_b64encode(self._keys.sign(key.encode()) + key.encode()).decode()

    def _key_of(self, token: str) -> str:
        try:
            raw = base64.urlsafe_b64decode(token)
        except (ValueError, binascii.Error):
            raw = b""
        signature, key = raw[:17], raw[17:]
        if not key or not self._keys.verify(key, signature):
            raise ServiceError("ValidationException", "Parameter NextToken is not valid.")
        return key.decode()


# Members of answers, and where they stand in the document.
_MEMBERS = {
    "ConnectionArn": "arn",
    "Name": "name",
    "Description": "description",
    "ConnectionState": "state",
    "StateReason": "reason",
    "AuthorizationType": "type",
    "SecretArn": "secretArn",
    "AuthParameters": "shown",
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "LastAuthorizedTime": "authorized",
}
_ALL_MEMBERS = tuple(_MEMBERS)
_LISTED_MEMBERS = tuple(name for name in _MEMBERS if name not in {"Description", "SecretArn", "AuthParameters"})


def _summary(body: Params, *members: str) -> Params:
    return {name: body[_MEMBERS[name]] for name in members if body.get(_MEMBERS[name]) is not None}


def _brief(body: Params) -> Params:
    return _summary(body, "ConnectionArn", "ConnectionState", "CreationTime", "LastModifiedTime", "LastAuthorizedTime")


def _missing_arn(arn: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The connection {arn} does not exist.")


def _refuse_unsupported(params: Params) -> None:
    parameters = params.get("AuthParameters") or {}
    for name, where in (
        ("InvocationConnectivityParameters", params),
        ("KmsKeyIdentifier", params),
        ("ConnectivityParameters", parameters),
    ):
        if where.get(name):
            raise ServiceError("ValidationException", f"{name} is not supported by this version of Stepwell.")


def _complete(kind: str, given: Params) -> Params:
    """The parameters that the type uses; raises ValidationException unless everything it needs is there."""
    name = record.PARAMETERS[kind]
    own = given.get(name)
    if not isinstance(own, dict):
        raise _lacks(kind, name)
    for path in _NEEDED[kind]:
        value: Any = own
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not value:
            raise _lacks(kind, f"{name}.{path}")
    kept = {name: own}
    if given.get("InvocationHttpParameters"):
        kept["InvocationHttpParameters"] = given["InvocationHttpParameters"]
    return kept


_NEEDED = {
    "API_KEY": ("ApiKeyName", "ApiKeyValue"),
    "BASIC": ("Username", "Password"),
    "OAUTH_CLIENT_CREDENTIALS": (
        "ClientParameters.ClientID",
        "ClientParameters.ClientSecret",
        "AuthorizationEndpoint",
        "HttpMethod",
    ),
}


def _lacks(kind: str, name: str) -> ServiceError:
    return ServiceError(
        "ValidationException", f"Parameter AuthParameters.{name} is required when AuthorizationType is {kind}."
    )


def _merged(old: Params, new: Params) -> Params:
    """Objects member by member; lists and plain values are replaced."""
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
