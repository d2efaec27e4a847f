"""Servers on one PostgreSQL speak to each other: a message for an execution goes to the server that owns it.

::

    POST {address}/_stepwell/deliver     {"pid", "id", "type", "fields"}  ->  {"counted": true}
    POST {address}/_stepwell/wake        {"pid", "id"}                    ->  {}
    409                                  not the owner (any more): ask again who is

Both ends hold the same key ring; a request carries the time and a MAC of time and body, and counts for a minute. A
message told twice does no harm: the second one no longer fits what its frame waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from typing import Any

import aiohttp

from stepwell.engine import messages
from stepwell.engine.journal import Key
from stepwell.engine.messages import Message
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError, ServiceError, StorageUnavailable
from stepwell.kernel.jsontext import Json, dumps, loads
from stepwell.kernel.keys import KeyRing
from stepwell.storage.membership import Membership
from stepwell.wire.http import Reply, Request

log = logging.getLogger("stepwell.server")

PREFIX = "/_stepwell/"
SIGNATURE, MOMENT = "x-stepwell-signature", "x-stepwell-time"
FRESH_SECONDS = 60.0
ATTEMPTS, PAUSE_SECONDS = 20, 0.25  # a takeover lasts about a lease; after that the caller is told to try again
ANSWER_SECONDS = 30.0
WAKE_SECONDS = 1.0
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        messages.Stop,
        messages.Redrive,
        messages.ActivityStarted,
        messages.Submitted,
        messages.Succeeded,
        messages.Failed,
        messages.Heartbeat,
    )
}


class HttpPeers:
    """The engine's ``Peers``. ``attach`` the worker before the first message."""

    def __init__(self, membership: Membership, keys: KeyRing, clock: Clock) -> None:
        self._membership = membership
        self._keys = keys
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._worker: Worker | None = None

    def attach(self, worker: Worker) -> None:
        self._worker = worker

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # ---------------------------------------------------------------------------------------------------- sending

    async def deliver(self, key: Key, message: Message) -> bool:
        """Raises StorageUnavailable when no owner took it; the outcome is unknown then."""
        body = {**_place(key), **_packed(message)}
        owner: tuple[str, str] | None = None
        for _ in range(ATTEMPTS):
            owner = self._membership.owner_of(key.pid)
            if owner is not None and owner[0] == self._membership.worker and self._worker is not None:
                return await self._worker.tell(key, message)
            answer = await self._ask(owner, key, body) if owner is not None else None
            if answer is not None:
                return bool(answer["counted"])
            await asyncio.sleep(PAUSE_SECONDS)
        log.warning("no owner of a partition answers", extra={"fields": {"partition": key.pid, "owner": owner}})
        raise StorageUnavailable("the server that runs this execution does not answer; another one is taking over")

    async def wake(self, key: Key) -> None:
        """Once, without trouble if nobody hears it: a runnable execution is also found by its owner's next recovery.

        A stopped process takes calls in silence: a start that is durable does not wait long for it.
        """
        owner = self._membership.owner_of(key.pid)
        if owner is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._post(owner[1], "wake", _place(key)), WAKE_SECONDS)

    async def _ask(self, owner: tuple[str, str], key: Key, body: dict[str, Any]) -> dict[str, Any] | None:
        """The owner's answer; None as soon as it is not the owner any more (a stopped process takes calls in silence)."""
        post = asyncio.ensure_future(self._post(owner[1], "deliver", body))
        try:
            while not post.done() and self._membership.owner_of(key.pid) == owner:
                await asyncio.wait([post], timeout=PAUSE_SECONDS)
            return post.result() if post.done() else None
        finally:
            post.cancel()

    async def _post(self, address: str, action: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The peer's answer; None if it is not the owner or cannot be reached."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        text, moment = dumps(body).encode(), f"{self._clock.now():.3f}"
        headers = {MOMENT: moment, SIGNATURE: self._keys.sign(moment.encode() + text).hex()}
        try:
            async with self._session.post(f"{address}{PREFIX}{action}", data=text, headers=headers) as response:
                answer: dict[str, Any] | None = loads(await response.read()) if response.status == 200 else None
                return answer
        except (aiohttp.ClientError, TimeoutError, JsonSyntaxError) as error:
            log.debug("peer does not answer", extra={"fields": {"peer": address, "error": repr(error)}})
            return None

    # -------------------------------------------------------------------------------------------------- receiving

    async def receive(self, request: Request, request_id: str) -> Reply:
        """Answer a peer. Raises ServiceError for whoever is none."""
        self._check(request)
        try:
            body = loads(request.body)
            key = Key(int(body["pid"]), bytes.fromhex(body["id"]))
            message = _unpacked(body) if request.path == PREFIX + "deliver" else None
        except (JsonSyntaxError, KeyError, TypeError, ValueError):
            raise ServiceError("SerializationException", "not a message between servers") from None
        if self._worker is None or self._membership.fence(key.pid) is None:
            return _reply(409, {}, request_id)
        if message is None:
            self._worker.wake(key)
            return _reply(200, {}, request_id)
        return _reply(200, {"counted": await self._worker.tell(key, message)}, request_id)

    def _check(self, request: Request) -> None:
        moment = request.headers.get(MOMENT, "")
        try:
            fresh = abs(float(moment) - self._clock.now()) < FRESH_SECONDS
            proof = bytes.fromhex(request.headers.get(SIGNATURE, ""))
        except ValueError:
            fresh, proof = False, b""
        if not fresh or not self._keys.verify(moment.encode() + request.body, proof):
            raise ServiceError("AccessDeniedException", "Only servers with the same keys may ask this.", status=403)


def _place(key: Key) -> dict[str, Any]:
    return {"pid": key.pid, "id": key.id.hex()}


def _packed(message: Message) -> dict[str, Any]:
    fields = {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}
    packed = {name: {"json": value.text} if isinstance(value, Json) else value for name, value in fields.items()}
    return {"type": type(message).__name__, "fields": packed}


def _unpacked(body: dict[str, Any]) -> Message:
    fields = {k: Json(text=v["json"]) if isinstance(v, dict) else v for k, v in body["fields"].items()}
    message: Message = KINDS[body["type"]](**fields)
    return message


def _reply(status: int, body: dict[str, Any], request_id: str) -> Reply:
    return Reply(status, {"Content-Type": "application/json", "x-amzn-RequestId": request_id}, dumps(body).encode())
