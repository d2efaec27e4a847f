"""The bare HTTP echo: JSON in, JSON out, on the server's uvicorn settings. ``python -m bench.echo`` prints its port."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import uvicorn
import uvloop

from stepwell.server.run import BACKLOG, KEEP_ALIVE_SECONDS

Message = MutableMapping[str, Any]


async def echo(
    _scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    answer = orjson.dumps(orjson.loads(body))
    headers = [(b"content-type", b"application/x-amz-json-1.0"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def serve() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            echo,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        print(listener.getsockname()[1], flush=True)
        gc.collect()
        gc.freeze()
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
