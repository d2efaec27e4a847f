"""One evaluation's surroundings: variables, the time and randomness it may see, and its bounds.

The bounds are AWS's where an evaluation can reach them within ours (measured: floci-io/floci issue 2737, pull 2783):
nesting of 100, 873,782 members in a list, 4,194,304 characters in a text. Time is ours: 0.15 s instead of AWS's 1 s,
because an evaluation runs on the event loop and must not hold it for more than 250 ms. Memory is watched as the
process's resident size: an evaluation may grow it by 42 MB.

Loops call ``tick`` once per round, functions that build large values call ``reserve`` first. Everything else an
expression does is bounded by the length of its text.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.jsonata.errors import DEPTH, MEMORY, TIMEOUT, LimitReached
from stepwell.lang.jsonata.values import UNDEFINED

MAX_DEPTH = 100
MAX_MEMBERS = 873_782
MAX_CHARACTERS = 6_990_256
MAX_SECONDS = 0.15
MAX_GROWTH = 42 << 20
_TICKS = 64  # rounds between looks at the clock
_TICK_BYTES = _TICKS * 200
_WATCH_BYTES = 4 << 20  # built between looks at the resident size
_UNSET: Any = object()


class Frame:
    """Variables of one block or call; what is not here is looked up in the parent."""

    __slots__ = ("parent", "runtime", "variables")

    def __init__(self, parent: Frame | None, variables: dict[str, Any], runtime: Runtime) -> None:
        self.parent = parent
        self.variables = variables
        self.runtime = runtime

    def lookup(self, name: str) -> Any:
        frame: Frame | None = self
        while frame is not None:
            value = frame.variables.get(name, _UNSET)
            if value is not _UNSET:
                return value
            frame = frame.parent
        return UNDEFINED


class Runtime:
    """``depth`` counts expressions inside each other; only ever read and written by the evaluation's own code."""

    __slots__ = ("_built", "_deadline", "_size", "_ticks", "depth", "ids", "now")

    def __init__(self, ids: Ids, now: float, seconds: float = MAX_SECONDS) -> None:
        self.ids = ids
        self.now = now
        self.depth = 0
        self._ticks = _TICKS
        self._built = 0
        self._deadline = perf_counter() + seconds
        self._size = -1

    def tick(self) -> None:
        """Another round of a loop. Raises LimitReached."""
        self._ticks -= 1
        if self._ticks <= 0:
            self._ticks = _TICKS
            self.check_time()
            self._count(_TICK_BYTES)

    def check_time(self) -> None:
        if perf_counter() > self._deadline:
            raise LimitReached("timeout", TIMEOUT)

    def remaining(self) -> float:
        """Seconds left; raises LimitReached when there are none."""
        left = self._deadline - perf_counter()
        if left <= 0:
            raise LimitReached("timeout", TIMEOUT)
        return left

    def reserve(self, characters: int = 0, members: int = 0, each: int = 8) -> None:
        """A text or list of this size is about to be built, a member taking ``each`` bytes. Raises LimitReached."""
        if characters > MAX_CHARACTERS or members > MAX_MEMBERS:
            raise LimitReached("memory", MEMORY)
        self.check_time()
        self._count(characters + members * each)

    def _count(self, size: int) -> None:
        self._built += size
        if self._built >= _WATCH_BYTES:
            self._built = 0
            now = resident_size()
            if self._size < 0:
                self._size = now
            if now - self._size + size > MAX_GROWTH:
                raise LimitReached("memory", MEMORY)


def too_deep() -> LimitReached:
    return LimitReached("depth", DEPTH)


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM = "/proc/self/statm"


def resident_size() -> int:
    """Bytes of memory this process holds; 0 where the system does not say (list and text limits still hold)."""
    try:
        with open(_STATM, "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0
