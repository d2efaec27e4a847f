"""The near future: timers due soon sit in a heap, all others are rows until they come near.

100,000 waiting executions cost rows, not memory: only what is due within ``HORIZON`` seconds is held here, and the journal is
asked again before that is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from stepwell.engine.journal import Key, TimerKind
from stepwell.kernel.clock import Clock, Timer

HORIZON = 60.0
RINGS = 200  # in a row, before the event loop may turn to others
Name = tuple[Key, int, TimerKind]


class NearTimers:
    """Rings each timer once when it is due. A later time for the same name replaces the earlier one."""

    def __init__(self, clock: Clock, ring: Callable[[Key, int, TimerKind, float], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._due: dict[Name, float] = {}
        self._heap: list[tuple[float, Name]] = []
        self._alarm: Timer | None = None
        self._alarm_at = 0.0

    def __len__(self) -> int:
        return len(self._due)

    def add(self, key: Key, frame: int, kind: TimerKind, due: float) -> None:
        """Hold a timer if it is near; a far one is left to the journal."""
        name = (key, frame, kind)
        if due > self._clock.now() + HORIZON:
            self._due.pop(name, None)
            return
        if self._due.get(name) == due:
            return
        self._due[name] = due
        heapq.heappush(self._heap, (due, name))
        self._set_alarm()

    def remove(self, key: Key, frame: int, kind: TimerKind) -> None:
        self._due.pop((key, frame, kind), None)

    def clear(self) -> None:
        self._due.clear()
        self._heap.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set_alarm(self) -> None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return
        due = self._heap[0][0]
        if self._alarm is not None:
            if self._alarm_at <= due:
                return
            self._alarm.cancel()
        self._alarm, self._alarm_at = self._clock.at(due, self._rings), due

    def _rings(self) -> None:
        self._alarm = None
        now, left = self._clock.now(), RINGS
        while left and self._heap and self._heap[0][0] <= now:
            left -= 1
            due, name = heapq.heappop(self._heap)
            if self._due.get(name) == due:
                del self._due[name]
                self._ring(*name, due)
        self._set_alarm()
