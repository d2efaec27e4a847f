"""The server's end of the writer process: starts it, talks to it, and starts it again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, cast

from stepwell.kernel.errors import StorageUnavailable
from stepwell.storage.sqlite_groups import MARSHAL_VERSION
from stepwell.storage.sqlite_writer import LENGTH_BYTES

RESTART_SECONDS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # before the first, second ... attempt; then always the last
START_SECONDS = 30.0
STOP_SECONDS = 30.0
SOCKET_BYTES = 1 << 20


class WriterLink:
    """One writer process at a time. ``on_change`` is told when it is ready (None) or gone (why)."""

    def __init__(self, hello: tuple[str, list[str], list[str]], on_change: Callable[[str | None], None]) -> None:
        self._hello = hello
        self._on_change = on_change
        self._conversation: _Conversation | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._restart: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id of the writer, or None while there is none."""
        return self._process.pid if self._process is not None and self._conversation is not None else None

    async def open(self) -> None:
        """Start the writer. Raises StorageUnavailable if it cannot open the database."""
        await self._start()

    async def exchange(self, value: Any) -> Any:
        """Send one message and return its answer; StorageUnavailable if the writer is gone or dies meanwhile."""
        conversation = self._conversation
        if conversation is None:
            raise StorageUnavailable("the writer process is not running; it is being started again")
        return await conversation.exchange(value)

    async def close(self) -> None:
        """Let the writer finish and leave."""
        self._closed = True
        if self._restart is not None:
            self._restart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._restart
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.close()
        await self._reap()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        ours.setblocking(False)
        with theirs:
            command = [sys.executable, "-m", "stepwell.storage.sqlite_writer", str(theirs.fileno())]
            # A session of its own: a signal to the server's process group does not reach it.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - starting takes about a millisecond
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
            )
        loop = asyncio.get_running_loop()
        _, conversation = await loop.create_unix_connection(lambda: _Conversation(self._lost), sock=ours)
        try:
            kind, detail = await asyncio.wait_for(conversation.exchange(self._hello), START_SECONDS)
        except (TimeoutError, StorageUnavailable) as error:
            kind, detail = "failed", str(error) or "it did not answer"
        if kind != "ready":
            conversation.close()
            await self._reap()
            raise StorageUnavailable(f"the writer process could not open the database: {detail}")
        self._conversation = conversation
        self._on_change(None)

    def _lost(self, conversation: _Conversation) -> None:
        """The socket was closed from the other side."""
        if self._closed or conversation is not self._conversation:
            return
        self._conversation = None
        self._on_change("the writer process ended; it is being started again")
        self._restart = asyncio.get_running_loop().create_task(self._start_again())

    async def _start_again(self) -> None:
        await self._reap()
        attempt = 0
        while True:
            await asyncio.sleep(RESTART_SECONDS[min(attempt, len(RESTART_SECONDS) - 1)])
            try:
                await self._start()
            except (StorageUnavailable, OSError) as error:
                self._on_change(str(error))
                attempt += 1
            else:
                return

    async def _reap(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)


class _Conversation(asyncio.Protocol):
    """One question at a time over the socket."""

    def __init__(self, on_lost: Callable[[_Conversation], None]) -> None:
        self._on_lost = on_lost
        self._buffer = bytearray()
        self._answer: asyncio.Future[Any] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        size = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        if len(self._buffer) < LENGTH_BYTES + size:
            return
        value = marshal.loads(memoryview(self._buffer)[LENGTH_BYTES:])  # noqa: S302 - our own child wrote it
        self._buffer = bytearray()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(value)

    def connection_lost(self, _error: Exception | None) -> None:
        answer, self._answer = self._answer, None
        self._transport = None
        if answer is not None and not answer.done():
            answer.set_exception(StorageUnavailable("the writer process ended; the outcome of this write is unknown"))
        self._on_lost(self)

    async def exchange(self, value: Any) -> Any:
        if self._transport is None:
            raise StorageUnavailable("the writer process is not running; it is being started again")
        body = marshal.dumps(value, MARSHAL_VERSION)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.writelines((len(body).to_bytes(LENGTH_BYTES, "big"), body))
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
