"""The writer process of a SQLite database: ``python -m stepwell.storage.sqlite_writer FD``.

It owns the one connection that writes. Its parent sends whole groups over a socket pair; each is one commit. A thread
in the server would wait for the interpreter's lock behind a busy event loop (measured: p50 15.5 ms instead of 1.6),
so it is a process.

Messages are a length (4 bytes, big-endian) and a marshalled value: both ends are the same interpreter::

    parent -> writer   (path, statements, pragmas)   once
    writer -> parent   ("ready", pid) | ("failed", text)
    parent -> writer   group                         see sqlite_groups
    writer -> parent   [answers] | "why nothing of the group could be written"

It ignores the signals that end a process group, and leaves when its parent closes the socket or is gone.

Imports are few: the process must be small and start at once.
"""

import marshal
import os
import signal
import socket
import sys

import apsw

from stepwell.storage.sqlite_groups import MARSHAL_VERSION, Answer, GroupWriter, UnwritableError

LENGTH_BYTES = 4
IDLE_SECONDS = 2.0  # how often an idle writer tidies up, and looks whether its parent lives
CHECKPOINT_PAGES = 1_000  # of the write-ahead log; carried over after the answer, off the path of the commit
VACUUM_PAGES = 256  # freed pages given back to the file system in one idle moment
CLOSED = b""

Answers = tuple[str, str | int] | list[Answer] | str


class Housekeeping:
    """Moves the write-ahead log into the database, and gives freed pages back, when nobody waits for it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._log_pages = 0
        self._dirty = False
        connection.set_wal_hook(self._committed)

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages, self._dirty = pages, True
        return 0

    def after_answer(self) -> None:
        if self._log_pages >= CHECKPOINT_PAGES:
            self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)

    def when_idle(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        try:
            self._connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        except apsw.Error:
            return  # a full disk: the next commit says so to those who wait for it
        self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._dirty = self._connection.pragma("freelist_count") > 0

    def _checkpoint(self, mode: int) -> None:
        self._log_pages = 0
        try:
            self._connection.wal_checkpoint(mode=mode)
        except apsw.Error:
            return  # the log keeps everything; the next checkpoint tries again


def receive(link: socket.socket, on_idle: "Housekeeping | None" = None) -> bytes:
    """The next message; CLOSED when the parent has closed the link or is gone."""
    size = _exactly(link, LENGTH_BYTES, on_idle)
    if size == CLOSED:
        return CLOSED
    return _exactly(link, int.from_bytes(size, "big"), None)


def _exactly(link: socket.socket, size: int, on_idle: "Housekeeping | None") -> bytes:
    chunks, left, parent = [], size, os.getppid()
    while left:
        try:
            chunk = link.recv(min(left, 1 << 20))
        except TimeoutError:
            if os.getppid() != parent:
                return CLOSED
            if on_idle is not None and left == size:
                on_idle.when_idle()
            continue
        except ConnectionError:
            return CLOSED
        if not chunk:
            return CLOSED
        chunks.append(chunk)
        left -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def send(link: socket.socket, value: "Answers") -> None:
    body = marshal.dumps(value, MARSHAL_VERSION)
    link.sendall(len(body).to_bytes(LENGTH_BYTES, "big") + body)


def open_connection(path: str, pragmas: list[str]) -> apsw.Connection:
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=256)
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def serve(link: socket.socket) -> None:
    """Answer groups until the parent closes the link."""
    hello = receive(link)
    if hello == CLOSED:
        return
    path, statements, pragmas = marshal.loads(hello)  # noqa: S302 - our own parent wrote it
    try:
        connection = open_connection(path, pragmas)
        housekeeping = Housekeeping(connection)
    except apsw.Error as error:
        send(link, ("failed", str(error)))
        return
    writer = GroupWriter(connection, statements)
    send(link, ("ready", os.getpid()))
    while (message := receive(link, housekeeping)) != CLOSED:
        try:
            answer: Answers = writer.run(marshal.loads(message))  # noqa: S302 - our own parent wrote it
        except UnwritableError as error:
            answer = str(error)
        send(link, answer)
        housekeeping.after_answer()
    connection.close()


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as link:
        link.settimeout(IDLE_SECONDS)
        try:
            serve(link)
        except (BrokenPipeError, ConnectionResetError):
            return  # the parent went away before it read an answer


if __name__ == "__main__":
    main()
