"""Near timers: each rings once, when it is due, unless it was moved or taken away."""

from __future__ import annotations

import pytest

from stepwell.engine.journal import Key, TimerKind
from stepwell.engine.timers import HORIZON, NearTimers
from stepwell.kernel.clock import ManualClock

KEY = Key(1, b"a" * 16)
OTHER = Key(2, b"b" * 16)


class Bell:
    """Notes what rang, and when."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.start = self.clock.now()
        self.rang: list[tuple[Key, int, TimerKind, float]] = []
        self.timers = NearTimers(self.clock, self._ring)

    def _ring(self, key: Key, frame: int, kind: TimerKind, due: float) -> None:
        assert self.clock.now() >= due
        self.rang.append((key, frame, kind, due - self.start))

    def add(self, seconds: float, key: Key = KEY, frame: int = 1, kind: TimerKind = "wait") -> None:
        self.timers.add(key, frame, kind, self.start + seconds)


@pytest.fixture
def bell() -> Bell:
    return Bell()


async def test_timers_ring_once_and_in_the_order_of_their_times(bell: Bell) -> None:
    bell.add(9, OTHER)
    bell.add(3)
    bell.add(6, frame=2)
    await bell.clock.advance(5)
    assert bell.rang == [(KEY, 1, "wait", 3)]
    await bell.clock.advance(60)
    assert [row[3] for row in bell.rang] == [3, 6, 9]
    assert len(bell.timers) == 0


async def test_a_later_time_replaces_the_earlier_one(bell: Bell) -> None:
    bell.add(3, kind="heartbeat")
    bell.add(7, kind="heartbeat")
    await bell.clock.advance(10)
    assert bell.rang == [(KEY, 1, "heartbeat", 7)]


async def test_an_earlier_time_replaces_the_later_one(bell: Bell) -> None:
    bell.add(7)
    bell.add(3)
    await bell.clock.advance(10)
    assert bell.rang == [(KEY, 1, "wait", 3)]


async def test_a_timer_that_is_added_twice_rings_once(bell: Bell) -> None:
    bell.add(3)
    bell.add(3)
    await bell.clock.advance(10)
    assert len(bell.rang) == 1


async def test_a_timer_taken_away_does_not_ring(bell: Bell) -> None:
    bell.add(3)
    bell.add(4, frame=2)
    bell.timers.remove(KEY, 1, "wait")
    bell.timers.remove(OTHER, 1, "wait")
    await bell.clock.advance(10)
    assert bell.rang == [(KEY, 2, "wait", 4)]


async def test_kinds_and_frames_do_not_replace_each_other(bell: Bell) -> None:
    bell.add(3, kind="timeout")
    bell.add(3, kind="heartbeat")
    bell.add(3, kind="timeout", frame=2)
    await bell.clock.advance(10)
    assert len(bell.rang) == 3


async def test_a_far_timer_is_left_to_the_journal(bell: Bell) -> None:
    bell.add(HORIZON + 1)
    assert len(bell.timers) == 0
    assert bell.clock.next_due() is None
    bell.add(HORIZON)
    assert len(bell.timers) == 1


async def test_a_near_timer_that_is_moved_far_away_does_not_ring(bell: Bell) -> None:
    bell.add(3)
    bell.add(HORIZON * 2)
    await bell.clock.advance(HORIZON * 3)
    assert not bell.rang


async def test_a_timer_that_is_due_already_rings_at_once(bell: Bell) -> None:
    bell.add(-5)
    await bell.clock.advance(0)
    assert bell.rang == [(KEY, 1, "wait", -5)]


async def test_nothing_rings_after_clear(bell: Bell) -> None:
    bell.add(3)
    bell.timers.clear()
    await bell.clock.advance(10)
    assert not bell.rang
    assert bell.clock.next_due() is None
    bell.add(12)
    await bell.clock.advance(5)
    assert len(bell.rang) == 1


async def test_a_ring_may_set_the_next_timer(bell: Bell) -> None:
    rang: list[float] = []

    def again(key: Key, frame: int, kind: TimerKind, due: float) -> None:
        rang.append(due)
        if len(rang) < 5:
            timers.add(key, frame, kind, due + 10)

    timers = NearTimers(bell.clock, again)
    timers.add(KEY, 1, "wait", bell.start + 10)
    await bell.clock.advance(100)
    assert [due - bell.start for due in rang] == [10, 20, 30, 40, 50]
