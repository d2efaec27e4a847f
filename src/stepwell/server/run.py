"""Starting and stopping a server process in order.

::

    start   bind the port (so that a taken one is told at once) -> open the database -> go on with executions -> listen
    stop    (SIGTERM, SIGINT) take no more requests -> end long polls -> let requests in flight finish, for at most
            drain-seconds -> stop working on executions -> write what is buffered -> close the database -> exit 0
    now     (a second signal) exit at once; what was acknowledged is on disk, and the next start goes on from there
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import uvicorn

from stepwell.kernel.settings import Settings
from stepwell.server.address import bind, url_of
from stepwell.server.joining import JoiningProtocol
from stepwell.server.pipeline import Pipeline

log = logging.getLogger("stepwell.server")

KEEP_ALIVE_SECONDS = 75  # longer than SDKs keep an idle connection, so that it is not closed under a request
BACKLOG = 2_048
COLLECT_EVERY = 10_000  # new objects between two looks for cycles, of which we make few: 6 % of a large Map (measured)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Application(Protocol):
    """What a server process runs; ``app.assemble`` makes it."""

    @property
    def pipeline(self) -> Pipeline: ...

    async def start(self) -> None:
        """Go on with the executions of this server."""
        ...

    async def stop(self) -> None:
        """Stop working, write what is buffered, close the database."""
        ...


Assemble = Callable[[Settings, str], Awaitable[Application]]
"""Takes the settings and the URL that is listened on."""


class _Uvicorn(uvicorn.Server):
    """uvicorn without its own signal handling, telling when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


async def serve(settings: Settings, assemble: Assemble, ready: Callable[[str], None]) -> None:
    """Run a server until it is told to stop. ``ready`` gets the URL once requests are answered.

    Raises SettingError for a port that cannot be listened on, and whatever ``assemble`` raises.
    """
    listener = bind(settings.host, settings.port)
    url = url_of(settings.host, listener.getsockname()[1])
    try:
        application = await assemble(settings, url)
    except BaseException:
        listener.close()
        raise
    try:
        await application.start()
        server = _Uvicorn(_config(application.pipeline, settings), lambda: ready(url))
        with _signals(server, application.pipeline):
            gc.collect()
            gc.freeze()  # what start made lives as long as the process: the collector need not look at it again
            gc.set_threshold(COLLECT_EVERY)
            await server.serve(sockets=[listener])
    finally:
        listener.close()
        await application.stop()


def _config(pipeline: Pipeline, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        pipeline,
        http=JoiningProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )


@contextlib.contextmanager
def _signals(server: uvicorn.Server, pipeline: Pipeline) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        if server.should_exit:
            log.warning("%s again: exiting at once", name)
            logging.shutdown()
            os._exit(1)
        log.info("%s: stopping", name)
        server.should_exit = True
        pipeline.stopping.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number.name)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
