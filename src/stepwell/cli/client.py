"""Speaks to a running server over its public API: signed JSON requests, one connection, no SDK.

Where the server is, and with which key to sign, is found as AWS's own tools find it: ``--endpoint-url``, then
``AWS_ENDPOINT_URL_SFN``, ``AWS_ENDPOINT_URL``, then the settings' host and port; ``AWS_ACCESS_KEY_ID``, then the first of
the settings' access keys, then the account id.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from stepwell.cli.exits import Exit
from stepwell.cli.output import CliError
from stepwell.kernel.settings import Settings
from stepwell.server.address import url_of

SECONDS = 30.0  # for an answer; long polls and synchronous executions say their own
TARGETS = {"states": ("AWSStepFunctions", "1.0"), "events": ("AWSEvents", "1.1")}


class Client:
    """Calls operations by name: ``client.call("ListStateMachines")``. Raises CliError."""

    def __init__(self, url: str, *, region: str, access_key: str, secret: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CliError(
                f"{url!r} is no address of a server", hint="Give one like http://127.0.0.1:4566.", code=Exit.USAGE
            )
        self.url = url.rstrip("/")
        self._parts = parts
        self._region = region
        self._key = (access_key, secret, token)
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self,
        operation: str,
        params: Mapping[str, Any] | None = None,
        *,
        service: str = "states",
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """The operation's answer; CliError REFUSED with AWS's code in ``kind`` if it is an error."""
        target, version = TARGETS[service]
        body = json.dumps(params or {}).encode()
        headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": f"{target}.{operation}"}
        status, answer = self._send("POST", "/", body, self._signed(body, headers, service), seconds)
        if status >= 400:
            raise _refused(operation, answer)
        return answer

    def pages(self, operation: str, params: Mapping[str, Any], member: str) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list operation."""
        token: str | None = None
        while True:
            answer = self.call(operation, {**params, "nextToken": token} if token else params)
            yield from answer[member]
            token = answer.get("nextToken")
            if not token:
                return

    def health(self) -> dict[str, Any]:
        """The body of ``/health``, whatever its status."""
        return self._send("GET", "/health", b"", {}, SECONDS)[1]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _signed(self, body: bytes, headers: dict[str, str], service: str) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        request = AWSRequest("POST", self.url + "/", data=body, headers={**headers, "Host": self._parts.netloc})
        SigV4Auth(Credentials(*self._key), service, self._region).add_auth(request)
        return dict(request.headers.items())

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> tuple[int, dict[str, Any]]:
        try:
            if self._connection is None:
                kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
                self._connection = kind(str(self._parts.hostname), self._parts.port, timeout=seconds)
                self._connection.connect()
            self._connection.sock.settimeout(seconds)
            self._connection.request(method, self._parts.path.rstrip("/") + path, body, dict(headers))
            response = self._connection.getresponse()
            text = response.read()
            if response.will_close:
                self.close()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _unreachable(self.url, error) from None
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CliError(
                f"what answers at {self.url} is no Stepwell", hint="Check the address.", code=Exit.UNREACHABLE
            )
        return response.status, answer


def client_for(settings: Settings, endpoint_url: str | None = None) -> Client:
    environ = os.environ
    url = endpoint_url or environ.get("AWS_ENDPOINT_URL_SFN") or environ.get("AWS_ENDPOINT_URL")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or settings.region
    access_key, secret, token = settings.account, "stepwell", None
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        access_key, secret = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        token = environ.get("AWS_SESSION_TOKEN")
    elif settings.access_keys:
        access_key, secret = settings.access_keys[0].id, settings.access_keys[0].secret
    url = url or url_of(settings.host, settings.port)
    return Client(url, region=region, access_key=access_key, secret=secret, token=token)


def _refused(operation: str, answer: Mapping[str, Any]) -> CliError:
    code = str(answer.get("__type", "Error")).rpartition("#")[2]
    message = answer.get("message") or answer.get("Message") or "no reason given"
    return CliError(f"{operation}: {code}: {message}", hint=HINTS.get(code, ""), code=Exit.REFUSED, kind=code)


HINTS = {
    "ExecutionDoesNotExist": "`stepwell executions ls` lists the executions.",
    "StateMachineDoesNotExist": "`stepwell executions ls` lists the executions of every state machine.",
    "UnrecognizedClientException": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to one of the server's access-keys.",
    "InvalidSignatureException": "Set AWS_SECRET_ACCESS_KEY to the secret of that access key.",
}


def _unreachable(url: str, error: Exception) -> CliError:
    why = "it took too long" if isinstance(error, TimeoutError | socket.timeout) else str(error) or type(error).__name__
    return CliError(
        f"no answer from {url}: {why}",
        hint="Is the server running? `stepwell up` starts it; --endpoint-url or AWS_ENDPOINT_URL says where it is.",
        code=Exit.UNREACHABLE,
    )
