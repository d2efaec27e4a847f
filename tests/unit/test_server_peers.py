"""Servers tell each other what belongs to the other's executions."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, get_args

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stepwell.engine import messages
from stepwell.engine.journal import Key
from stepwell.engine.messages import Message
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError, StorageUnavailable
from stepwell.kernel.jsontext import Json
from stepwell.kernel.keys import KeyRing
from stepwell.server import peers
from stepwell.server.peers import KINDS, HttpPeers
from stepwell.wire.http import Reply, Request

KEY = Key(7, bytes(range(16)))
KEYS = KeyRing({1: b"k" * 32})
Receive = Callable[[Request, str], Awaitable[Reply]]


class Member:
    """A membership as far as peers ask; partition 7 belongs to ``owner``."""

    def __init__(self, worker: str, owner: tuple[str, str] | None) -> None:
        self.worker = worker
        self.owner = owner

    def owner_of(self, pid: int) -> tuple[str, str] | None:
        return self.owner if pid == KEY.pid else None

    def fence(self, pid: int) -> object | None:
        return object() if self.owner is not None and self.owner[0] == self.worker and pid == KEY.pid else None


class Desk:
    """A worker that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Key, Message]] = []
        self.woken: list[Key] = []

    async def tell(self, key: Key, message: Message) -> bool:
        self.told.append((key, message))
        return not isinstance(message, messages.Heartbeat)

    def wake(self, key: Key) -> None:
        self.woken.append(key)


def node(member: Any, desk: Any, keys: KeyRing = KEYS) -> HttpPeers:
    made = HttpPeers(member, keys, ManualClock())
    made.attach(desk)
    return made


async def served(receive: Receive) -> TestServer:
    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            reply = await receive(Request("POST", request.path, "", headers, await request.read()), "r")
        except ServiceError as error:
            return web.Response(status=error.status)
        return web.Response(status=reply.status, body=reply.body)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    return server


@pytest.fixture
async def pair() -> AsyncIterator[tuple[HttpPeers, Desk, Member]]:
    """A server that owns nothing, the desk of one that owns partition 7, and what the first knows."""
    desk, owner = Desk(), Member("owner", ("owner", ""))
    server = await served(node(owner, desk).receive)
    known = Member("other", ("owner", str(server.make_url("")).rstrip("/")))
    other = node(known, Desk())
    yield other, desk, known
    await other.close()
    await server.close()


async def test_a_message_reaches_the_owner_and_its_answer_comes_back(pair: tuple[HttpPeers, Desk, Member]) -> None:
    other, desk, _ = pair
    done = messages.Succeeded(3, 9, Json(text='{"a": 1.50}'), callback=True)
    assert await other.deliver(KEY, done) is True
    assert await other.deliver(KEY, messages.Heartbeat(3, 9)) is False
    assert desk.told == [(KEY, done), (KEY, messages.Heartbeat(3, 9))]
    told = desk.told[0][1]
    assert isinstance(told, messages.Succeeded)
    assert told.output.text == '{"a": 1.50}'
    await other.wake(KEY)
    assert desk.woken == [KEY]


async def test_nobody_without_the_keys_is_heard(pair: tuple[HttpPeers, Desk, Member]) -> None:
    _, desk, known = pair
    stranger = node(known, Desk(), KeyRing({1: b"x" * 32}))
    assert await stranger._post(str(known.owner and known.owner[1]), "wake", {"pid": 7, "id": KEY.id.hex()}) is None
    await stranger.close()
    assert desk.woken == []


async def test_an_old_request_is_not_heard_again() -> None:
    desk, clock = Desk(), ManualClock()
    owner = HttpPeers(Member("owner", ("owner", "")), KEYS, clock)  # type: ignore[arg-type]
    owner.attach(desk)  # type: ignore[arg-type]
    body, moment = b'{"pid":7,"id":"00"}', f"{clock.now():.3f}"
    proof = {peers.MOMENT: moment, peers.SIGNATURE: KEYS.sign(moment.encode() + body).hex()}
    request = Request("POST", "/_stepwell/wake", "", proof, body)
    assert (await owner.receive(request, "r")).status == 200
    await clock.advance(61)
    with pytest.raises(ServiceError):
        await owner.receive(request, "r")


async def test_without_an_owner_the_caller_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PAUSE_SECONDS", 0.0)
    lonely = node(Member("me", None), Desk())
    with pytest.raises(StorageUnavailable):
        await lonely.deliver(KEY, messages.Stop())


async def test_what_has_become_ours_meanwhile_is_told_here() -> None:
    desk = Desk()
    assert await node(Member("me", ("me", "")), desk).deliver(KEY, messages.Stop("e", "c")) is True
    assert desk.told == [(KEY, messages.Stop("e", "c"))]


def test_every_message_that_may_come_from_elsewhere_can_be_sent() -> None:
    """What only an execution's own server makes (timers, its start) is never sent."""
    own = {messages.Start, messages.Continue, messages.TimerFired, messages.TaskTimedOut}
    assert set(get_args(Message)) - own == set(KINDS.values())
    assert all(dataclasses.is_dataclass(kind) for kind in KINDS.values())
