"""The world that workflows of the fault tests act on: an HTTP API and a queue, in threads of the test's own process.

It outlives every server, counts each effect, and can be told to hold its answers back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PATIENCE_SECONDS = 60.0


class Token(NamedTuple):
    """A task token that came through the queue, and the execution that waits for it."""

    execution: str
    text: str


class Partner:
    """``POST /effect`` with ``{"execution": name}``; any other path is SQS's SendMessage with a token inside."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.tokens: queue.SimpleQueue[Token] = queue.SimpleQueue()
        self.answering = threading.Event()
        self.answering.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/effect":
            self.effects[body["execution"]] += 1
            self.answering.wait(PATIENCE_SECONDS)
            return {"did": body["execution"]}
        message = json.loads(body["MessageBody"])
        self.tokens.put(Token(message["execution"], message["token"]))
        digest = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": digest, "MD5OfMessageBody": digest}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        partner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # whoever asked was killed
                    super().handle()

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(partner.answer(self.path, asked)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Nothing: the test says what went wrong."""

        return Handler
