"""The library: a run that is steered step by step, with a clock that moves only when told."""

from __future__ import annotations

from typing import Any

import pytest

import stepwell
from stepwell import PENDING

APPROVE: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
    "HeartbeatSeconds": 60,
    "End": True,
}
FLOW = stepwell.load(
    {
        "StartAt": "Rest",
        "States": {
            "Rest": {"Type": "Wait", "Seconds": 3600, "Next": "Price"},
            "Price": {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:000000000000:function:p",
                "Next": "Approve",
            },
            "Approve": APPROVE,
        },
    }
)
REVIEW = stepwell.load(
    {
        "StartAt": "Review",
        "States": {
            "Review": {
                "Type": "Task",
                "Resource": "arn:aws:states:us-east-1:000000000000:activity:review",
                "HeartbeatSeconds": 10,
                "End": True,
            }
        },
    }
)


async def test_time_stands_still_until_it_is_moved() -> None:
    async with FLOW.start(mocks={"Price": 5, "Approve": PENDING}) as live:
        assert [str(each) for each in live.waiting] == ["'Rest' waits until 2026-01-01T01:00:00.000Z"]
        await live.advance(3599)
        assert live.visited == ["Rest"]
        await live.advance(1)
        assert live.visited == ["Rest", "Price", "Approve"]
        assert [str(each) for each in live.waiting] == [
            "'Approve' waits for its task token, at most until 2026-01-01T01:01:00.000Z"
        ]
        assert (live.status, live.elapsed) == ("RUNNING", 3600)


async def test_a_task_token_is_answered_by_state_or_by_the_token_itself() -> None:
    for by_token in (False, True):
        async with FLOW.start(mocks={"Price": 5, "Approve": PENDING}) as live:
            await live.advance(3600)
            token = live.calls("Approve")[0]["MessageBody"]["token"]
            await live.send_task_success(token if by_token else "Approve", {"by": "Ada"})
            live.expect_succeeded({"by": "Ada"})


async def test_a_heartbeat_moves_the_deadline_and_a_missing_one_ends_the_task() -> None:
    async with FLOW.start(mocks={"Price": 5, "Approve": PENDING}) as live:
        await live.advance(3600 + 59)
        await live.send_task_heartbeat("Approve")
        await live.advance(59)
        assert live.status == "RUNNING"
        await live.advance(1)
        live.expect_failed("States.Timeout")


async def test_an_ordinary_task_can_be_held_and_failed() -> None:
    async with FLOW.start(mocks={"Price": PENDING, "Approve": PENDING}) as live:
        await live.advance(3600)
        assert [each.kind for each in live.waiting] == ["task"]
        await live.send_task_failure("Price", "Busy", "try later")
        live.expect_failed("Busy", "try later")


async def test_an_activity_is_worked_on_by_whoever_sends_its_result() -> None:
    async with REVIEW.start(mocks={"Review": PENDING}) as live:
        await live.advance(9)
        await live.send_task_heartbeat("Review")
        await live.advance(9)
        await live.send_task_success(str(live.task_calls("Review")[0].token), "fine")
        live.expect_succeeded("fine")
        assert len(live.events("ActivityStarted")) == 1


async def test_several_calls_of_one_state_are_answered_oldest_first_or_by_token() -> None:
    each = {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "Approve", "States": {"Approve": APPROVE}}}
    workflow = stepwell.load({"StartAt": "Each", "States": {"Each": each}})
    async with workflow.start(["a", "b", "c"], mocks={"Approve": PENDING}) as live:
        assert len(live.waiting) == 3
        await live.send_task_success(str(live.task_calls("Approve")[1].token), "second")
        await live.send_task_success("Approve", "first")
        await live.send_task_success("Approve", "third")
        live.expect_succeeded(["first", "second", "third"])


async def test_a_result_nobody_waits_for_says_what_is_waited_for() -> None:
    async with FLOW.start(mocks={"Price": 5, "Approve": PENDING}) as live:
        with pytest.raises(
            LookupError, match="no task 'Approve' waits for a result; the run waits for 'Rest' waits until"
        ):
            await live.send_task_success("Approve", 1)
        await live.stop()
        with pytest.raises(LookupError, match="nothing: it is ABORTED"):
            await live.send_task_success("Approve", 1)


async def test_a_run_can_be_stopped_and_stopping_again_changes_nothing() -> None:
    async with FLOW.start(mocks={"Price": 5, "Approve": PENDING}) as live:
        await live.stop("Enough", "for today")
        await live.stop("Again")
    assert (live.expect_aborted().error, live.cause) == ("Enough", "for today")
    assert live.waiting == []


async def test_finish_skips_all_time_that_is_left() -> None:
    async with FLOW.start(mocks={"Price": 5, "Approve": [{"ok": True}]}) as live:
        assert (await live.finish()).output == {"ok": True}
    async with REVIEW.start(mocks={"Review": PENDING}) as live:
        assert (await live.finish()).expect_failed("States.Timeout").elapsed == 10


async def test_what_a_mock_raises_is_raised_by_the_step_that_met_it() -> None:
    async with FLOW.start() as live:
        with pytest.raises(stepwell.MockError, match="state 'Price'"):
            await live.advance(3600)
    with pytest.raises(stepwell.MockError, match="state 'Review'"):
        async with REVIEW.start():
            pass


async def test_two_runs_may_share_a_clock() -> None:
    clock = stepwell.ManualClock()
    mocks = {"Price": 5, "Approve": {"ok": True}}
    async with FLOW.start(mocks=mocks, clock=clock) as first:
        await first.advance(1800)
        async with FLOW.start(mocks=mocks, clock=clock) as second:
            await clock.advance(1800)
            assert (first.status, second.status) == ("SUCCEEDED", "RUNNING")
            await clock.advance(1800)
            assert second.expect_succeeded().elapsed == 3600


async def test_time_does_not_go_back() -> None:
    async with FLOW.start(mocks={"Price": 5}) as live:
        with pytest.raises(ValueError, match="time does not go back"):
            await live.advance(-1)


async def test_a_run_that_is_left_is_abandoned() -> None:
    clock = stepwell.ManualClock()
    async with FLOW.start(mocks={"Price": 5}, clock=clock) as live:
        pass
    await clock.advance(7200)
    assert live.visited == ["Rest"]
    assert clock.next_due() is None
