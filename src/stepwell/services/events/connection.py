"""A connection: what is stored, what of it is secret, and how it looks from outside.

::

    document (kind "connection", key: name)          secret (JSON, encrypted for the connection's ARN, in base64)
    arn name description type state                   the AuthParameters as they were given, passwords and all
    secretArn created modified authorized
    shown: AuthParameters without what is secret
    secret: absent once deauthorized

Source of states and shapes: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeConnection.html
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from stepwell.kernel.jsontext import dumps, loads
from stepwell.kernel.keys import KeyRing

AUTHORIZED = "AUTHORIZED"
AUTHORIZING = "AUTHORIZING"
DEAUTHORIZED = "DEAUTHORIZED"
DEAUTHORIZING = "DEAUTHORIZING"
DELETING = "DELETING"

# Which member of AuthParameters each type needs, and which members inside it are never shown.
PARAMETERS = {
    "API_KEY": "ApiKeyAuthParameters",
    "BASIC": "BasicAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}
SECRETS = frozenset({"ApiKeyValue", "ClientSecret", "Password"})
HTTP_LISTS = ("HeaderParameters", "QueryStringParameters", "BodyParameters")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One header, query parameter or member of a body that a connection adds to every request."""

    key: str
    value: str
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """Client credentials and where to take them."""

    endpoint: str
    method: str
    client_id: str
    client_secret: str
    headers: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    body: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection with its secrets, ready to authorise a request. Exactly one of the three ways is set."""

    arn: str
    state: str = AUTHORIZED
    modified: float = 0.0  # changes with every update
    api_key: tuple[str, str] | None = None  # header and value
    basic: tuple[str, str] | None = None  # user and password
    oauth: OAuth | None = None
    headers: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    body: tuple[Parameter, ...] = ()


def seal(keys: KeyRing, arn: str, parameters: dict[str, Any]) -> str:
    return base64.b64encode(keys.encrypt(dumps(parameters).encode(), arn.encode())).decode()


def unseal(keys: KeyRing, arn: str, secret: str) -> dict[str, Any]:
    """Raises SettingError if the key ring lacks the key."""
    opened: dict[str, Any] = loads(keys.decrypt(base64.b64decode(secret), arn.encode()))
    return opened


def shown(parameters: Any) -> Any:
    """``parameters`` without passwords, and of parameters with ``IsValueSecret`` without the value."""
    if isinstance(parameters, list):
        return [shown(item) for item in parameters]
    if not isinstance(parameters, dict):
        return parameters
    hidden = SECRETS | ({"Value"} if parameters.get("IsValueSecret") else frozenset())
    visible = {name: shown(value) for name, value in parameters.items() if name not in hidden}
    return visible | {"IsValueSecret": False} if "Key" in visible and "IsValueSecret" not in visible else visible


def connection_of(keys: KeyRing, body: dict[str, Any]) -> Connection:
    """The stored connection with its secrets; without any once it is deauthorized."""
    arn, state = body["arn"], body["state"]
    if "secret" not in body:
        return Connection(arn=arn, state=state, modified=body["modified"])
    parameters = unseal(keys, arn, body["secret"])
    own = parameters.get("InvocationHttpParameters") or {}
    headers, query, extra = (_parameters(own, name) for name in HTTP_LISTS)
    api_key, basic, oauth = (
        parameters.get(PARAMETERS[kind]) for kind in ("API_KEY", "BASIC", "OAUTH_CLIENT_CREDENTIALS")
    )
    return Connection(
        arn=arn,
        state=state,
        modified=body["modified"],
        api_key=(api_key["ApiKeyName"], api_key["ApiKeyValue"]) if api_key else None,
        basic=(basic["Username"], basic["Password"]) if basic else None,
        oauth=_oauth(oauth) if oauth else None,
        headers=headers,
        query=query,
        body=extra,
    )


def _oauth(given: dict[str, Any]) -> OAuth:
    own = given.get("OAuthHttpParameters") or {}
    headers, query, body = (_parameters(own, name) for name in HTTP_LISTS)
    return OAuth(
        endpoint=given["AuthorizationEndpoint"],
        method=given["HttpMethod"],
        client_id=given["ClientParameters"]["ClientID"],
        client_secret=given["ClientParameters"]["ClientSecret"],
        headers=headers,
        query=query,
        body=body,
    )


def _parameters(own: dict[str, Any], name: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(item["Key"], item.get("Value") or "", bool(item.get("IsValueSecret")))
        for item in own.get(name) or ()
        if item.get("Key")
    )
