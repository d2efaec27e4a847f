"""The load generator's HTTP client: one connection, one request at a time, next to nothing per request.

A general client would take longer for a request than the server under test. This one understands what the servers measured
here send: HTTP/1.1 with Content-Length.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0"
)
TARGETS = {"states": "AWSStepFunctions", "events": "AWSEvents"}


class Connection(asyncio.Protocol):
    """Made by ``connect``. A server that closes the connection after each answer is met with a new one for each request."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self._heads: dict[tuple[str, str], bytes] = {}

    @classmethod
    async def connect(cls, port: int) -> Connection:
        connection = cls(port)
        await connection._open()
        return connection

    async def _open(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)

    async def post(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        """Send a request (``head`` without Content-Length and the empty line); status and body of the answer."""
        if self._transport is None:
            await self._open()
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
        return await self._answer

    async def call(self, operation: str, body: bytes, service: str = "states") -> dict[str, Any]:
        """Call an AWS operation. Raises RuntimeError for an answer that is an error."""
        head = self._heads.get((service, operation))
        if head is None:
            head = self._heads[service, operation] = head_of(service, operation)
        status, answer = await self.post(head, body)
        if status != 200:
            raise RuntimeError(f"{operation}: {status} {answer[:500]!r}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # ------------------------------------------------------------------ asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        lower = buffer[:end].lower()
        at = lower.find(b"content-length:") + 15
        stop = lower.find(b"\r", at)
        length = int(lower[at : stop if stop > 0 else end])
        if len(buffer) < end + 4 + length:
            return
        self._buffer = buffer[end + 4 + length :]
        assert self._answer is not None
        if lower.startswith(b"http/1.0") or b"connection: close" in lower:
            self.close()
        self._answer.set_result((int(buffer[9:12]), buffer[end + 4 : end + 4 + length]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the server closed the connection"))


def head_of(service: str, operation: str) -> bytes:
    """The head that an SDK sends, without its Content-Length."""
    lines = (
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-Amz-Target: {TARGETS[service]}.{operation}",
        "Content-Type: application/x-amz-json-1.0",
        "User-Agent: Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux md/arch#x86_64 lang/python#3.12 cfg/retry-mode#legacy",
        "X-Amz-Date: 20260101T000000Z",
        f"Authorization: {AUTHORIZATION.format(service=service)}",
        "amz-sdk-invocation-id: 5d1f1f2c-5c63-4d3a-93a4-1c8dd1c0a0a1",
        "amz-sdk-request: attempt=1",
        "Accept-Encoding: identity",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
