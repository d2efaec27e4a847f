"""A request to a service that is somewhere else: botocore's serialisers, signer and parsers over aiohttp.

One attempt is made; retries are the workflow's. The one exception is a kept-alive connection that the other side had
already closed: then the request is sent once more on a new connection.
"""

from __future__ import annotations

import base64
import errno
import json
import zlib
from typing import Any
from urllib.parse import urlencode

import aiohttp
from botocore.auth import AUTH_TYPE_MAPS, BaseSigner
from botocore.awsrequest import AWSRequest, HeadersDict, prepare_request_dict
from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer
from yarl import URL

from stepwell.integrations.faults import UnreachableError
from stepwell.integrations.models import operation_model
from stepwell.integrations.routes import Route, Target
from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import ServiceError

USER_AGENT = "stepwell"
CONNECT_SECONDS = 10.0
CALL_SECONDS = 960.0
_DROPPED = frozenset({errno.ECONNRESET, errno.EPIPE})
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_EXTENDED_ID = "x-amz-id-2"
_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "x-amz-requestid")


class RemoteServices:
    """Calls services over HTTP with one shared connection pool. ``seconds`` bounds one call in all.

    A Lambda function may take fifteen minutes to answer; anything shorter is the task's own timeout.
    """

    def __init__(self, *, seconds: float = CALL_SECONDS, connections: int = 256) -> None:
        self._seconds = seconds
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._serializers: dict[str, Any] = {}
        self._parsers: dict[str, Any] = {}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self, route: Route, service: str, operation: str, params: dict[str, Any], scope: Scope
    ) -> dict[str, Any]:
        """The operation's result, with ``ResponseMetadata`` of ``RequestId``, ``HTTPStatusCode``, ``HTTPHeaders``.

        Header names keep the spelling they came with, each with the list of its values. Raises ServiceError with the
        service's code, and fields ``request_id``, ``extended_request_id`` and ``query_code`` where they came.
        """
        model = operation_model(service, operation)
        if model.has_event_stream_output or model.has_event_stream_input:
            raise UnreachableError(f"{service}:{operation} answers with a stream of events, which a task cannot take.")
        target = await route.target(model.service_model, scope)
        request = self._request(model, params, target)
        status, headers, body = await self._send(request)
        return self._result(model, status, headers, body)

    # ---------------------------------------------------------------------------------------------- the request

    def _request(self, model: OperationModel, params: dict[str, Any], target: Target) -> AWSRequest:
        protocol: str = model.service_model.resolved_protocol
        serializer = self._serializers.get(protocol)
        if serializer is None:
            serializer = self._serializers[protocol] = create_serializer(protocol, include_validation=False)
        try:
            serialized = serializer.serialize_to_request(params, model)
        except (BotoCoreError, ValueError, KeyError, TypeError) as error:
            raise UnreachableError(f"Unable to marshall request: {error}") from None
        if not target.host_prefixes:
            serialized.pop("host_prefix", None)
        body = serialized["body"]
        if isinstance(body, dict):  # the query protocol leaves the form to the HTTP client
            body = _form(body)
        serialized["body"] = body.encode() if isinstance(body, str) else body
        _add_checksum(model, params, serialized)
        prepare_request_dict(serialized, endpoint_url=target.url, user_agent=USER_AGENT)
        request = AWSRequest(
            method=serialized["method"],
            url=serialized["url"],
            data=serialized["body"],
            headers=serialized["headers"],
        )
        self._sign(model, request, target)
        return request

    @staticmethod
    def _sign(model: OperationModel, request: AWSRequest, target: Target) -> None:
        if target.credentials is None or model.auth_type == "none":
            return
        kind = "s3v4" if model.service_model.service_name == "s3" else "v4"
        signer: BaseSigner = AUTH_TYPE_MAPS[kind](target.credentials, target.signing_name, target.region)
        signer.add_auth(request)

    # ------------------------------------------------------------------------------------------------- sending

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=20),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=CONNECT_SECONDS),
                skip_auto_headers=_AUTOMATIC,
                auto_decompress=True,
            )
        return self._session

    async def _send(self, request: AWSRequest) -> tuple[int, aiohttp.typedefs.LooseHeaders, bytes]:
        prepared = request.prepare()
        url = URL(prepared.url, encoded=True)
        headers = {str(name): _text(value) for name, value in prepared.headers.items()}
        headers.pop("Content-Length", None)
        for again in (True, False):
            try:
                async with self._open().request(
                    prepared.method, url, data=prepared.body or None, headers=headers, allow_redirects=False
                ) as response:
                    return response.status, response.headers, await response.read()
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                if not (again and _dropped(error)):
                    raise UnreachableError(_reason(error)) from error
        raise AssertionError("the second attempt returns or raises")

    # ------------------------------------------------------------------------------------------------ the answer

    def _result(self, model: OperationModel, status: int, headers: Any, body: bytes) -> dict[str, Any]:
        protocol: str = model.service_model.resolved_protocol
        parser = self._parsers.get(protocol)
        if parser is None:
            parser = self._parsers[protocol] = create_parser(protocol)
        lowered = HeadersDict(headers.items())  # looked up without regard to case
        response = {"status_code": status, "headers": lowered, "body": body, "context": {"operation_name": model.name}}
        try:
            if protocol == "json" and body and not body.lstrip().startswith(b"{"):
                raise ValueError("not a JSON object")  # botocore's parser would take it for an empty result
            parsed: dict[str, Any] = parser.parse(response, model.output_shape)
        except (ResponseParserError, ValueError, KeyError, TypeError) as error:
            text = body[:200].decode(errors="replace")
            raise UnreachableError(f"Unable to unmarshall response ({error}). Response: {status} {text}") from None
        if status >= 300:
            raise _error(parsed, status, lowered, body)
        metadata = parsed.setdefault("ResponseMetadata", {})
        metadata["RequestId"] = _request_id(parsed, lowered)
        metadata["HTTPHeaders"] = {name: headers.getall(name) for name in headers}
        return parsed


def _dropped(error: BaseException) -> bool:
    """The other side closed a connection that was open, rather than refusing a new one."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    closed = isinstance(error, aiohttp.ServerDisconnectedError)
    return closed or (isinstance(error, OSError) and error.errno in _DROPPED)


def _reason(error: BaseException) -> str:
    """Why no answer came, worded as the AWS SDKs word it where they do (AWS SDK for Java)."""
    if isinstance(error, TimeoutError):
        return "Unable to execute HTTP request: Read timed out"
    if isinstance(error, aiohttp.ClientConnectorError):
        inner = error.os_error
        text = inner.strerror or str(inner)
        return f"Unable to execute HTTP request: {text} ({error.host}:{error.port})"
    return f"Unable to execute HTTP request: {str(error) or type(error).__name__}"


def _error(parsed: dict[str, Any], status: int, headers: HeadersDict, body: bytes) -> ServiceError:
    found = parsed.get("Error") or {}
    code, message = found.get("Code") or str(status), found.get("Message") or found.get("message") or ""
    query_code = code if "QueryErrorCode" in found else None
    fields: dict[str, Any] = {"request_id": _request_id(parsed, headers)}
    if _EXTENDED_ID in headers:
        fields["extended_request_id"] = headers[_EXTENDED_ID]
    if query_code:
        fields["query_code"], code = query_code, _json_code(body) or query_code
    return ServiceError(code, message, status=status, **fields)


def _json_code(body: bytes) -> str | None:
    """The code inside a JSON error of a service that once spoke the query protocol (SQS)."""
    try:
        kind = json.loads(body).get("__type")
    except (ValueError, AttributeError):
        return None
    return kind.rsplit("#", 1)[-1] if isinstance(kind, str) else None


def _request_id(parsed: dict[str, Any], headers: HeadersDict) -> str:
    known = parsed.get("ResponseMetadata", {}).get("RequestId")
    return known or next((headers[name] for name in _REQUEST_IDS if name in headers), "")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _form(fields: dict[str, Any]) -> str:
    return urlencode(fields)


def _add_checksum(model: OperationModel, params: dict[str, Any], serialized: dict[str, Any]) -> None:
    """A CRC-32 of the body where the operation takes a checksum and none is given, as the AWS SDK for Java 2.x does.

    Source: recorded: test_s3_put_object (the answer holds ChecksumCRC32).
    """
    trait = model.http_checksum or {}
    member = trait.get("requestAlgorithmMember")
    if not member or params.get(member) is not None or not isinstance(serialized["body"], bytes):
        return
    given = any(name.lower().startswith("x-amz-checksum-") for name in serialized["headers"])
    if not given:
        crc = zlib.crc32(serialized["body"]).to_bytes(4, "big")
        serialized["headers"]["x-amz-checksum-crc32"] = base64.b64encode(crc).decode()
