"""Group commit: whatever gathered while the last commit was on its way is written by the next.

::

    submit -> lane "journal"    --.
    submit -> lane "documents"  ----> group (at most 512 items, about 1 MiB) -> execute -> one outcome an item
    submit -> lane "background" --'

Lanes take turns item by item, so a flood in one slows another to its share and never stops it; ``background`` also
has at most BACKGROUND_ITEMS in a group, since one of its units may touch hundreds of rows. The queue is bounded:
beyond QUEUE_ITEMS or QUEUE_BYTES an item is refused with StorageUnavailable at once, and nothing of it is written.

One group is on its way at a time. The committer does not know what an item is: the database hands in how to execute a
list.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from stepwell.kernel.errors import StorageUnavailable
from stepwell.storage.units import Lane

GROUP_ITEMS = 512
GROUP_BYTES = 1 << 20
BACKGROUND_ITEMS = 16
QUEUE_ITEMS = 50_000
QUEUE_BYTES = 256 << 20

T = TypeVar("T")
Outcome = object
"""None or a value: the item's result. An exception: the item's error."""


class _Waiting(NamedTuple, Generic[T]):
    item: T
    size: int
    done: asyncio.Future[Any]


class Committer(Generic[T]):
    """Gathers items into groups and hands them to ``execute``, one group at a time."""

    def __init__(self, execute: Callable[[list[T]], Awaitable[Sequence[Outcome]]]) -> None:
        """``execute`` returns one outcome for each item; if it raises StorageUnavailable all of them get it."""
        self._execute = execute
        self._lanes: dict[Lane, deque[_Waiting[T]]] = {"journal": deque(), "documents": deque(), "background": deque()}
        self._items = 0
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: T, lane: Lane, size: int) -> asyncio.Future[Any]:
        """Queue an item; ``size`` is about how many bytes it writes."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._items >= QUEUE_ITEMS or self._bytes >= QUEUE_BYTES:
            done.set_exception(StorageUnavailable("too many writes are waiting; nothing of this one was written"))
            return done
        self._items += 1
        self._bytes += size
        self._lanes[lane].append(_Waiting(item, size, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return done

    async def drain(self) -> None:
        """Return when everything submitted so far has its outcome."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while group := self._take():
                await self._commit(group)
        finally:
            self._task = None
            while stranded := self._take():  # only if this task was cancelled: the event loop is closing
                _settle(stranded, [StorageUnavailable("the server is stopping; nothing was written")] * len(stranded))

    async def _commit(self, group: list[_Waiting[T]]) -> None:
        outcomes: Sequence[Outcome]
        try:
            outcomes = await self._execute([waiting.item for waiting in group])
        except Exception as error:  # an error of the group is each item's error; none of them may wait for ever
            outcomes = [error] * len(group)
        except asyncio.CancelledError:
            _settle(group, [StorageUnavailable("the server is stopping; the outcome is unknown")] * len(group))
            raise
        _settle(group, outcomes)

    def _take(self) -> list[_Waiting[T]]:
        """The next group: the lanes in turn, one item each, until it is full or nothing waits."""
        group: list[_Waiting[T]] = []
        size = 0
        turns = {lane: BACKGROUND_ITEMS if lane == "background" else GROUP_ITEMS for lane in self._lanes}
        while turns and len(group) < GROUP_ITEMS and size < GROUP_BYTES:
            for lane in list(turns):
                queue = self._lanes[lane]
                if not queue or not turns[lane]:
                    del turns[lane]
                    continue
                waiting = queue.popleft()
                self._items -= 1
                self._bytes -= waiting.size
                if waiting.done.cancelled():  # nobody waits any more, and nothing was promised
                    continue
                turns[lane] -= 1
                group.append(waiting)
                size += waiting.size
        return group


def _settle(group: Sequence[_Waiting[T]], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(group, outcomes, strict=True):
        if waiting.done.done():
            continue
        if isinstance(outcome, Exception):
            waiting.done.set_exception(outcome)
        else:
            waiting.done.set_result(outcome)
