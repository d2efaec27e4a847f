"""Sends the request of an ``http:invoke`` task and makes the task's result of the answer.

::

    2xx                      {Headers: {name: [values]}, ResponseBody, StatusCode, StatusText}
    any other status         States.Http.StatusCode.404, the cause is the status text
    60 seconds, no answer    States.Http.Socket
    bytes that are no text   States.Runtime
    connection not usable    Events.ConnectionResource.InvalidConnectionState and its kin

Source: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html; shape of the result:
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html; the status text as cause: measured by
users (public reports). Redirects are not followed (assumed), a connection that fails is States.Http.Socket (assumed).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
from yarl import URL

from stepwell.engine.exchanges import Answer, Exchange, Request, note, watched
from stepwell.engine.tasks import TaskCall
from stepwell.integrations.faults import RUNTIME, could_not_start
from stepwell.integrations.handlers import fields
from stepwell.integrations.http.request import HttpRequest, ParameterError, build, connection_arn
from stepwell.integrations.http.tokens import TokenError, Tokens
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError, ServiceError, StateError
from stepwell.kernel.jsontext import Json, loads
from stepwell.kernel.limits import DATA_BYTES, HTTP_TASK_SECONDS
from stepwell.services.events.connection import AUTHORIZED, AUTHORIZING, Connection

SOCKET = "States.Http.Socket"
TOO_LARGE = "The state/task 'http' returned a result with a size exceeding the maximum number of bytes service limit."
CONNECTION = "Events.ConnectionResource."
REFRESH = frozenset({401, 407})
Response = tuple[int, str, Any, bytes]  # status, reason, headers, body
BINARY_TYPES = ("application/octet-stream", "image/", "video/", "audio/")


class ConnectionStore(Protocol):
    """Gives the decrypted connection of an ARN."""

    async def resolve(self, arn: str) -> Connection:
        """Raises ServiceError ResourceNotFoundException."""
        ...


class HttpInvoke:
    """Handler of ``http:invoke``. ``http_seconds`` is how long one request may take."""

    def __init__(
        self,
        connections: ConnectionStore,
        clock: Clock,
        *,
        http_seconds: float = HTTP_TASK_SECONDS,
        parallel: int = 1_000,
    ) -> None:
        self._connections = connections
        self._seconds = http_seconds
        self._parallel = parallel
        self._session: aiohttp.ClientSession | None = None
        self._tokens = Tokens(self._open, clock)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._parallel, keepalive_timeout=20),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            )
        return self._session

    async def request(self, call: TaskCall) -> Json:
        parameters = fields(call)
        try:
            connection = await self._connection(connection_arn(parameters))
            bearer = await self._bearer(connection)
            request = build(parameters, connection, call.scope.region, bearer)
            answer = await self._watched(request, call)
            if answer[0] in REFRESH and bearer is not None:
                bearer = await self._bearer(connection, refused=bearer)
                answer = await self._watched(build(parameters, connection, call.scope.region, bearer), call)
        except ParameterError as fault:
            raise could_not_start(call.parameters.text, str(fault)) from None
        return Json(_result(*answer))

    async def _connection(self, arn: str) -> Connection:
        try:
            connection = await self._connections.resolve(arn)
        except ServiceError as error:
            name = error.code.removesuffix("Exception")
            raise StateError(CONNECTION + name, error.message) from error
        if connection.state == AUTHORIZING:
            raise StateError(CONNECTION + "AuthInProgress", f"The connection {arn} is not authorized yet.")
        if connection.state != AUTHORIZED:
            raise StateError(
                CONNECTION + "InvalidConnectionState", f"The connection {arn} is in the state {connection.state}."
            )
        return connection

    async def _bearer(self, connection: Connection, refused: str | None = None) -> str | None:
        if connection.oauth is None:
            return None
        try:
            return await self._tokens.get(connection, refused)
        except TokenError as error:
            raise StateError(CONNECTION + "InvalidConnectionState", str(error)) from None

    async def _watched(self, request: HttpRequest, call: TaskCall) -> Response:
        """Send a request; whoever looks on is shown it with and without what the connection adds."""
        if not watched():
            return await self._send(request)
        bare = build(fields(call), Connection(arn=connection_arn(fields(call))), call.scope.region)
        exchange = Exchange(sent=_request(request), public=_request(bare))
        note(exchange)
        status, reason, headers, body = answer = await self._send(request)
        pairs = tuple((str(name), str(value)) for name, value in headers.items())
        note(replace(exchange, answer=Answer(status=status, reason=reason, headers=pairs, body=body)))
        return answer

    async def _send(self, request: HttpRequest) -> Response:
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._open().request(
                    request.method,
                    URL(request.url, encoded=True),
                    data=request.body,
                    headers=request.headers,
                    allow_redirects=False,
                ) as response,
            ):
                body = await _limited(response)
                return response.status, response.reason or _phrase(response.status), response.headers, body
        except TimeoutError:
            raise StateError(SOCKET, f"The HTTP request timed out after {self._seconds:g} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise StateError(SOCKET, _reason(error)) from error


def _request(request: HttpRequest) -> Request:
    return Request(method=request.method, url=request.url, headers=request.headers, body=request.body)


def _reason(error: BaseException) -> str:
    """Why there was no answer; the URL is not in it, as it may hold a secret of the connection."""
    if isinstance(error, aiohttp.ClientConnectorError):
        inner = error.os_error
        return f"The connection to {error.host}:{error.port} failed: {inner.strerror or inner}"
    if isinstance(error, aiohttp.InvalidURL):
        return "The URL of the HTTP request is not valid."
    return f"The HTTP request failed: {type(error).__name__}"


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body; raises as soon as it is longer than a task's result can be."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > DATA_BYTES:
            raise StateError("States.DataLimitExceeded", TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def _result(status: int, reason: str, headers: Any, body: bytes) -> dict[str, Any]:
    if not 200 <= status < 300:
        raise StateError(f"States.Http.StatusCode.{status}", reason)
    kind = headers.get("Content-Type", "").lower()
    if body and kind.startswith(BINARY_TYPES):
        raise StateError(RUNTIME, f"The HTTP response has the content type '{kind}', which an HTTP Task cannot read.")
    return {
        "Headers": {
            str(name): headers.getall(name) for name in headers
        },  # aiohttp's names are a kind of str of its own
        "ResponseBody": _content(body, kind),
        "StatusCode": status,
        "StatusText": reason,
    }


def _content(body: bytes, kind: str) -> Any:
    """JSON as a value, anything else as text; of a text that is a lone JSON scalar only where the type says JSON."""
    charset = kind.partition("charset=")[2].partition(";")[0].strip("\"' ") or "utf-8"
    try:
        text = body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise StateError(RUNTIME, "The HTTP response cannot be read as text.") from None
    if "json" not in kind and not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return loads(text)
    except JsonSyntaxError:
        return text


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
