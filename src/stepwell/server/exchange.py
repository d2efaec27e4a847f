"""One request on its way through the pipeline, and how its bytes come in and go out over ASGI."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from botocore.model import OperationModel

from stepwell.kernel.caller import CallContext
from stepwell.kernel.limits import REQUEST_BYTES
from stepwell.wire.errors import too_large
from stepwell.wire.http import Reply, Request
from stepwell.wire.routing import Route

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Exchange:
    """What is known of a request so far. Each step of the pipeline fills in the next members; ``reply`` ends it.

    ``request`` is there once the body is; ``route`` and ``operation`` once ``routed`` is true; ``context``, ``params`` and
    ``result`` after their steps.
    """

    __slots__ = (
        "code",
        "context",
        "error",
        "headers",
        "method",
        "operation",
        "params",
        "path",
        "query",
        "receive",
        "reply",
        "request",
        "request_id",
        "result",
        "route",
        "routed",
        "send",
        "started",
    )
    context: CallContext
    operation: OperationModel
    params: dict[str, Any]
    request: Request
    result: dict[str, Any]
    route: Route

    def __init__(self, scope: Message, receive: Receive, send: Send, request_id: str) -> None:
        self.receive = receive
        self.send = send
        self.request_id = request_id
        self.started = time.perf_counter()
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.method: str = scope["method"]
        self.path = raw_path.decode("latin-1")
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers = header_map(scope["headers"])
        self.routed = False
        self.reply: Reply | None = None
        self.code = ""  # of the error; empty when there was none
        self.error: BaseException | None = None  # our own fault, for the log

    async def read_body(self) -> None:
        """Take in the body. Raises RequestEntityTooLargeException as soon as it is known to be over 1 MiB."""
        declared = self.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > REQUEST_BYTES:
            raise too_large()
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await self._read_on(body)
        self.request = Request(self.method, self.path, self.query, self.headers, body)

    def as_request(self) -> Request:
        """The request as far as it is known, without a body: what an error that came early is answered to."""
        return Request(self.method, self.path, self.query, self.headers)

    async def _read_on(self, first: bytes) -> bytes:
        parts, size, more = [first], len(first), True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = bool(message.get("more_body"))
            if size > REQUEST_BYTES:
                raise too_large()
        return b"".join(parts)

    async def send_reply(self) -> None:
        reply = self.reply
        if reply is None:
            return
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        headers.append((b"content-length", b"%d" % len(reply.body)))
        if reply.status == 413:
            headers.append((b"connection", b"close"))  # what is still to come of the body is not worth reading
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else reply.body})


class DisconnectedError(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


def header_map(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; those sent more than once are joined by commas, as signatures want them."""
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(found) == len(pairs):
        return found
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {name: ",".join(parts) for name, parts in values.items()}
