"""How the fault tests ask servers that may be gone: again and again, until an answer counts or the time is over."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from servers import LiveServer

DEADLINE = 60.0
LOOK_SECONDS, AGAIN_SECONDS = 0.02, 0.1
KEYS = {"STEPWELL_KEYS": json.dumps({"1": "5a" * 32})}
ROLE = "arn:aws:iam::000000000000:role/r"
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
T = TypeVar("T")
_pause = threading.Event()  # never set: waiting for it is a pause


def wait_for(look: Callable[[], T], until: Callable[[T], object] = bool) -> T:
    """Look again until it is so; raises AssertionError with what was seen last."""
    end = time.monotonic() + DEADLINE
    while not until(found := look()):
        assert time.monotonic() < end, found
        _pause.wait(LOOK_SECONDS)
    return found


def in_doubt(error: Exception) -> bool:
    """Whether an error leaves open what happened, so that an SDK tries again."""
    if isinstance(error, ClientError):
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500)
    return isinstance(error, (HTTPClientError, NoConnection))


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def cut_off(answer: Any) -> bool:
    """Whether the server died between the head and the body of its answer, which botocore takes for an empty one."""
    if not isinstance(answer, dict) or len(answer) != 1:
        return False
    return int(answer["ResponseMetadata"]["HTTPHeaders"]["content-length"]) > len("{}")


def insist(call: Callable[[], T], after: Callable[[Exception], object] = lambda error: None) -> T:
    """Call until there is an answer; ``after`` hears of every attempt that failed and left the outcome open."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            answer = call()
            if not cut_off(answer):
                return answer
            after(ConnectionError("the answer was cut off"))
        except (ClientError, HTTPClientError, NoConnection) as error:
            if not in_doubt(error) or time.monotonic() > end:
                raise
            after(error)
        _pause.wait(AGAIN_SECONDS)


def get(server: LiveServer, path: str = "/health") -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=DEADLINE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def health(server: LiveServer) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(get(server)[1])
    return report


def server_on(url: str, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> LiveServer:
    """A server, not yet started, on a database given by its URL; all of them have the same keys."""
    return LiveServer(folder / "data", "--store", url, *arguments, environment={**KEYS, **(environment or {})})


def make(client: Any, name: str, definition: Mapping[str, Any], **more: Any) -> str:
    made = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **more)
    return str(made["stateMachineArn"])


def ended(client: Any, execution: str) -> dict[str, Any]:
    """The description of an execution once it has ended."""

    def describe() -> dict[str, Any]:
        return insist(lambda: dict(client.describe_execution(executionArn=execution)))

    found = describe()
    with contextlib.suppress(AssertionError):
        found = wait_for(describe, lambda d: d["status"] != "RUNNING")
    assert found["status"] != "RUNNING", (found["name"], history(client, execution)[-4:])
    return found


def history(client: Any, execution: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]
