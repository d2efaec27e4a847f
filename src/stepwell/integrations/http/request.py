"""The HTTP request that ``http:invoke`` sends: the task's parameters merged with the connection's.

Where both name a header, a query parameter or a member of the body, the connection's value is used.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html (fields, forbidden headers, merging,
default headers). AWS takes https only; here http is taken too, for APIs in one's own network.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from stepwell.integrations.http.encoding import ARRAY_FORMATS, Pair, encode_pairs, form, scalar_text
from stepwell.kernel.jsontext import dumps
from stepwell.kernel.limits import DATA_BYTES
from stepwell.services.events.connection import Connection, Parameter

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"})
FORBIDDEN_HEADERS = frozenset(
    (
        *(
            "a-im",
            "accept-charset",
            "accept-datetime",
            "accept-encoding",
            "authorization",
            "cache-control",
            "connection",
        ),
        *(
            "content-encoding",
            "content-md5",
            "date",
            "expect",
            "forwarded",
            "from",
            "host",
            "http2-settings",
            "if-match",
        ),
        *("if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma"),
        *(
            "proxy-authorization",
            "referer",
            "server",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "via",
            "warning",
        ),
    )
)
FORBIDDEN_PREFIXES = ("x-forwarded-", "x-amz-", "x-amzn-")
FIELDS = frozenset(
    {
        "ApiEndpoint",
        "Authentication",
        "Headers",
        "InvocationConfig",
        "Method",
        "QueryParameters",
        "RequestBody",
        "Transform",
    }
)
JSON_TYPE = "application/json; charset=UTF-8"
_PATH_SAFE = "%/:=&~+!$,;'@()*[]-._"


class ParameterError(ValueError):
    """A parameter of the task cannot be used; the text is the reason, in AWS's words where they are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """``headers`` in the order they are sent; ``body`` None sends none."""

    method: str
    url: str
    headers: tuple[Pair, ...]
    body: bytes | None


def connection_arn(parameters: dict[str, Any]) -> str:
    """From ``InvocationConfig`` or, the older form, ``Authentication``; exactly one of them. Raises ParameterError."""
    given = [name for name in ("InvocationConfig", "Authentication") if parameters.get(name) is not None]
    if len(given) != 1:
        raise ParameterError("Exactly one of the fields 'InvocationConfig' and 'Authentication' is required")
    config = parameters[given[0]]
    arn = config.get("ConnectionArn") if isinstance(config, dict) else None
    if not isinstance(arn, str):
        raise ParameterError("The field 'ConnectionArn' is required but was missing")
    return arn


def build(parameters: dict[str, Any], connection: Connection, region: str, bearer: str | None = None) -> HttpRequest:
    """Raises ParameterError. ``bearer`` is the Authorization value of an OAuth connection."""
    for name in parameters:
        if name not in FIELDS:
            raise ParameterError(f'The field "{name}" is not supported by Step Functions')
    method = _method(parameters)
    url = _url(parameters, connection)
    body = _body(parameters, connection)
    headers = _headers(parameters, connection, region, bearer)
    return HttpRequest(method=method, url=url, headers=headers, body=body)


def _method(parameters: dict[str, Any]) -> str:
    method = parameters.get("Method")
    if method is None:
        raise ParameterError("The field 'Method' is required but was missing")
    if method not in METHODS:
        raise ParameterError(f"The field 'Method' should have one of these values: [{', '.join(sorted(METHODS))}]")
    return str(method)


# -------------------------------------------------------------------------------------------------------- address


def _url(parameters: dict[str, Any], connection: Connection) -> str:
    endpoint = parameters.get("ApiEndpoint")
    if endpoint is None:
        raise ParameterError("The field 'ApiEndpoint' is required but was missing")
    parts = urlsplit(endpoint) if isinstance(endpoint, str) else None
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ParameterError("The value of the field 'ApiEndpoint' has an invalid format")
    pairs = _query(parameters.get("QueryParameters"))
    own = {parameter.key for parameter in connection.query}
    pairs = [pair for pair in pairs if pair[0] not in own] + [(p.key, p.value) for p in connection.query]
    query = "&".join(part for part in (quote(parts.query, safe=_PATH_SAFE + "?"), encode_pairs(pairs)) if part)
    return urlunsplit((parts.scheme, parts.netloc, quote(parts.path or "/", safe=_PATH_SAFE), query, ""))


def _query(given: Any) -> list[Pair]:
    if given is None:
        return []
    if isinstance(given, str):
        return parse_qsl(given, keep_blank_values=True)
    if isinstance(given, list):  # assumed: each item is what a string would be
        return [pair for item in given for pair in _query(item)]
    if isinstance(given, dict):
        return _pairs(given, "QueryParameters")
    raise ParameterError("The value of the field 'QueryParameters' has an invalid format")


def _pairs(given: dict[str, Any], field: str) -> list[Pair]:
    pairs: list[Pair] = []
    for key, value in given.items():
        if isinstance(value, dict):
            raise ParameterError(f"The value of the field '{field}' has an invalid format")
        if value is not None:
            pairs.extend((key, scalar_text(item)) for item in (value if isinstance(value, list) else [value]))
    return pairs


# -------------------------------------------------------------------------------------------------------- headers


def _headers(parameters: dict[str, Any], connection: Connection, region: str, bearer: str | None) -> tuple[Pair, ...]:
    given = parameters.get("Headers")
    if given is not None and not isinstance(given, dict):
        raise ParameterError("The value of the field 'Headers' has an invalid format")
    pairs = _pairs(given or {}, "Headers")
    for name, _ in pairs:
        if name.lower() in FORBIDDEN_HEADERS or name.lower().startswith(FORBIDDEN_PREFIXES):
            raise ParameterError(f"The header '{name}' is not allowed in an HTTP Task")
    pairs = _replace(pairs, [(p.key, p.value) for p in connection.headers])
    pairs = _replace(pairs, _authorisation(connection, bearer))
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", JSON_TYPE))
    fixed = [("Range", f"bytes=0-{DATA_BYTES}"), ("User-Agent", f"Amazon|StepFunctions|HttpInvoke|{region}")]
    pairs = _replace(pairs, fixed)
    if any(_CONTROL.search(text) for pair in pairs for text in pair):
        raise ParameterError("The value of the field 'Headers' has an invalid format")
    return tuple(pairs)


def _replace(pairs: list[Pair], winners: list[Pair]) -> list[Pair]:
    names = {name.lower() for name, _ in winners}
    return [pair for pair in pairs if pair[0].lower() not in names] + winners


def _authorisation(connection: Connection, bearer: str | None) -> list[Pair]:
    if connection.api_key is not None:
        return [connection.api_key]
    if connection.basic is not None:
        secret = base64.b64encode(":".join(connection.basic).encode()).decode()
        return [("Authorization", f"Basic {secret}")]
    return [("Authorization", bearer)] if bearer else []


# ----------------------------------------------------------------------------------------------------------- body


def _body(parameters: dict[str, Any], connection: Connection) -> bytes | None:
    body = merged_body(parameters.get("RequestBody"), connection.body)
    if body is None:
        return None
    array_format = _array_format(parameters.get("Transform"))
    if isinstance(body, str):
        return body.encode()
    if array_format is None:
        return dumps(body).encode()
    if not isinstance(body, dict):
        raise ParameterError("The value of the field 'RequestBody' has an invalid format")
    return form(body, array_format).encode()


def merged_body(body: Any, own: tuple[Parameter, ...]) -> Any:
    """The task's body with the connection's members; a string cannot be merged with any."""
    if not own:
        return body
    if body is not None and not isinstance(body, dict):
        raise ParameterError("The RequestBody must be a JSON object because the connection has body parameters")
    return (body or {}) | {parameter.key: parameter.value for parameter in own}


def _array_format(transform: Any) -> str | None:
    """The format of arrays in a URL-encoded body, or None for JSON."""
    if transform is None:
        return None
    encoding = transform.get("RequestBodyEncoding", "NONE") if isinstance(transform, dict) else None
    if encoding not in {"NONE", "URL_ENCODED"}:
        raise ParameterError("The field 'RequestBodyEncoding' should have one of these values: [NONE, URL_ENCODED]")
    if encoding == "NONE":
        return None
    options = transform.get("RequestEncodingOptions") or {}
    array_format = options.get("ArrayFormat", "INDICES") if isinstance(options, dict) else None
    if array_format not in ARRAY_FORMATS:
        raise ParameterError(f"The field 'ArrayFormat' should have one of these values: [{', '.join(ARRAY_FORMATS)}]")
    return str(array_format)
