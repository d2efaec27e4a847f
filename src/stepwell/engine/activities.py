"""Activity tasks: workers poll, tasks wait; whoever is first waits for the other.

A task is a worker's only after the claim is durable. Tasks scheduled on this server while somebody polls are offered from
memory; all others (nobody polled, before a restart, of another server) are found in the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

import orjson

from stepwell.engine.journal import Key
from stepwell.engine.messages import ActivityStarted
from stepwell.engine.references import FIRST_PAYLOAD, resolver
from stepwell.kernel.clock import resolve
from stepwell.kernel.errors import StorageError

if TYPE_CHECKING:
    from stepwell.engine.worker import Worker

LOOK_AGAIN_SECONDS = 5.0
CANDIDATES = 10
OFFERS = 1_000  # of an activity, in memory
log = logging.getLogger(__name__)


class ActivityTask(NamedTuple):
    """What a worker gets."""

    token: str
    input: str


class ActivityDesk:
    """Brings activity tasks and polls together."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._offers: defaultdict[str, deque[tuple[Key, int, int]]] = defaultdict(deque)
        self._polls: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._polling: Counter[str] = Counter()
        self._closed = False

    def offer(self, activity: str, key: Key, frame: int, event: int) -> None:
        """A durable task waits for a worker."""
        if activity not in self._polling:
            return
        offers = self._offers[activity]
        if len(offers) < OFFERS:
            offers.append((key, frame, event))
        self._wake_one(activity)

    def close(self) -> None:
        """All polls end with nothing."""
        self._closed = True
        for polls in self._polls.values():
            for poll in polls:
                resolve(poll)

    async def poll(self, activity: str, worker_name: str | None, seconds: float) -> ActivityTask | None:
        """The oldest task of an activity, or None after so many seconds. Raises StorageError."""
        self._polling[activity] += 1
        try:
            return await self._poll(activity, worker_name, seconds)
        finally:
            self._polling[activity] -= 1
            if not self._polling[activity]:  # nothing is held for an activity that nobody polls
                for held in (self._polling, self._offers, self._polls):
                    held.pop(activity, None)

    async def _poll(self, activity: str, worker_name: str | None, seconds: float) -> ActivityTask | None:
        clock = self._worker.clock
        deadline = clock.now() + seconds
        while not self._closed:
            task = await self._claim_one(activity, worker_name)
            if task is not None:
                return task
            left = deadline - clock.now()
            if left <= 0:
                return None
            await self._wait(activity, min(left, LOOK_AGAIN_SECONDS))
        return None

    async def _claim_one(self, activity: str, worker_name: str | None) -> ActivityTask | None:
        offers = self._offers[activity]
        while offers:
            offer = offers.popleft()
            try:
                task = await self._claim(*offer, worker_name)
            except asyncio.CancelledError:
                offers.appendleft(offer)  # the next poll sees whether it was claimed
                self._wake_one(activity)
                raise
            if task is not None:
                return task
        for row in await self._worker.journal.waiting_activities(activity, CANDIDATES):
            task = await self._claim(row.key, row.frame, row.event, worker_name)
            if task is not None:
                return task
        return None

    async def _claim(self, key: Key, frame: int, event: int, worker_name: str | None) -> ActivityTask | None:
        task = await self._read(key, event)
        if task is None:
            return None
        try:
            claimed = await self._worker.tell(key, ActivityStarted(frame, event, worker_name))
        except StorageError:
            raise
        except Exception:  # that execution is parked; it must not keep workers from the tasks of others
            log.exception("an activity task of execution %s cannot be given out", key.id.hex())
            return None
        return task if claimed else None

    async def _read(self, key: Key, event: int) -> ActivityTask | None:
        """Token and input of a task that still waits."""
        stored = await self._worker.journal.load(key)
        row = (
            next((row for row in stored.tasks if row.event == event and row.kind == "activity"), None)
            if stored
            else None
        )
        if stored is None or row is None:
            return None
        _, _, token, _, parameters, _ = orjson.loads(row.body)
        payloads = {}
        if isinstance(parameters, int) and parameters <= FIRST_PAYLOAD:
            payloads = await self._worker.journal.payloads(key, [FIRST_PAYLOAD - parameters])
        document = resolver(stored.row, payloads)(parameters)
        return None if document is None else ActivityTask(token, document.text)

    async def _wait(self, activity: str, seconds: float) -> None:
        if self._offers[activity]:
            return  # it came while the journal was read
        poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        polls = self._polls[activity]
        polls.append(poll)
        alarm = self._worker.clock.at(self._worker.clock.now() + seconds, lambda: resolve(poll))
        try:
            await poll
        except asyncio.CancelledError:
            if poll not in polls:
                self._wake_one(activity)  # it was woken for a task, which is another poll's now
            raise
        finally:
            alarm.cancel()
            if poll in polls:
                polls.remove(poll)

    def _wake_one(self, activity: str) -> None:
        polls = self._polls[activity]
        while polls:
            poll = polls.popleft()
            if not poll.done():
                poll.set_result(None)
                return
