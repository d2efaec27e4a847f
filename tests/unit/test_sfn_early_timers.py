"""Timers that ring a hair early or between two milliseconds do their work all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from sfn_house import House, open_house
from stepwell.kernel.clock import ManualClock, Timer

FINE_WAIT = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Timestamp": "2026-01-01T00:00:01.2344321Z", "End": True}},
}


class HastyClock(ManualClock):
    """Rings 10 microseconds before the time, as an event loop may, if that is not now."""

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        early = when - 0.000_01
        return super().at(early if early > self.now() else when, action)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def test_an_express_wait_ends_although_its_timer_rings_early() -> None:
    async with open_house(clock=HastyClock()) as house:
        arn = await house.machine(FINE_WAIT, type="EXPRESS")
        await house.do("StartExecution", stateMachineArn=arn)
        await house.clock.advance(2)
        assert house.express.in_flight == 0


async def test_a_standard_wait_until_between_two_milliseconds_ends_then(house: House) -> None:
    arn = await house.machine(FINE_WAIT)
    shown = await house.run(arn)
    await house.clock.advance(2)
    shown = await house.do("DescribeExecution", executionArn=shown["executionArn"])
    assert shown["status"] == "SUCCEEDED"
    assert shown["stopDate"] == pytest.approx(shown["startDate"] + 1.234)
