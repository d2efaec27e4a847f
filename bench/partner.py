"""A web service that costs next to nothing and always answers ``{"ok": true}``. ``python -m bench.partner`` prints its port."""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Partner(asyncio.Protocol):
    """Answers GET requests, which have no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(requests))


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Partner, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
