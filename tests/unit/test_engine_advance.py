"""``advance`` by hand: where decisions end, what late and repeated messages do, and what a decision asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from engine_house import KEYS, checked, new_execution
from stepwell.engine.advance import advance
from stepwell.engine.decisions import Decision
from stepwell.engine.messages import (
    ActivityStarted,
    Continue,
    Failed,
    Heartbeat,
    Message,
    Start,
    Stop,
    Submitted,
    Succeeded,
    TaskTimedOut,
    TimerFired,
)
from stepwell.engine.tokens import Tokens
from stepwell.engine.turn import TURN_BYTES, TURN_EVENTS, Env
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json

NOW = 1_767_225_600.0
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
LOOP: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "E"}], "Default": "A"},
        "E": {"Type": "Succeed"},
    },
}


def task(resource: str = FUNCTION, **more: Any) -> dict[str, Any]:
    if resource == CALLBACK:
        more["Parameters"] = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    state = {"Type": "Task", "Resource": resource, "Next": "Z", **more}
    return {"StartAt": "S", "States": {"S": state, "Z": {"Type": "Succeed"}}}


class Hand:
    """Gives an execution its messages, one decision each."""

    def __init__(
        self, definition: dict[str, Any], document: Any = None, stopwatch: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.now = NOW
        self._stopwatch = stopwatch
        self._ids = SeededIds(2)
        self.execution = new_execution(checked(definition), Json({} if document is None else document), NOW)
        self.types: list[str] = []
        self.last = Decision()
        assert self.tell(Start())

    def tell(self, message: Message) -> bool:
        env = Env(now=self.now, ids=self._ids, tokens=Tokens(KEYS), stopwatch=self._stopwatch)
        self.last, counted = advance(self.execution, [message], env)
        self.types += [event[3] for event in self.last.events]
        return counted[0]

    def refuses(self, message: Message) -> bool:
        """The message counted for nothing and there is nothing to write."""
        return not self.tell(message) and self.last.empty

    @property
    def status(self) -> str:
        return self.execution.status


# ------------------------------------------------------------------ where a decision ends
def test_a_decision_ends_after_500_events_and_continue_goes_on() -> None:
    hand = Hand(LOOP)
    assert hand.last.runnable
    assert TURN_EVENTS <= len(hand.last.events) < TURN_EVENTS * 1.1
    assert hand.execution.frames[1].ready == "enter"
    assert hand.last.dirty == {1}
    before = hand.execution.last_event
    assert hand.tell(Continue())
    assert hand.last.runnable
    assert hand.last.events[0][:2] == (before + 1, before)


def test_a_decision_ends_after_a_mebibyte() -> None:
    hand = Hand(LOOP, {"text": "x" * 200_000})
    assert hand.last.runnable
    assert len(hand.last.events) == 1 + 2 * (TURN_BYTES // 200_000 + 1)


def test_a_decision_ends_after_ten_milliseconds() -> None:
    ticks = itertools.count()
    hand = Hand(LOOP, stopwatch=lambda: next(ticks) * 0.004)
    assert hand.last.runnable
    assert len(hand.last.events) < 100


def test_a_slow_clock_never_stops_a_decision_from_getting_on() -> None:
    ticks = itertools.count()
    hand = Hand(LOOP, stopwatch=lambda: next(ticks) * 1.0)
    for _ in range(10):
        before = hand.execution.last_event
        assert hand.tell(Continue())
        assert hand.execution.last_event > before


def test_a_map_that_was_cut_starts_its_other_items_with_continue() -> None:
    body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    hand = Hand(
        {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": body, "End": True}}}, list(range(1_000))
    )
    decisions = 1
    while hand.last.runnable:
        assert hand.execution.frames[1].ready == "iterate"
        assert hand.tell(Continue())
        decisions += 1
    assert hand.status == "SUCCEEDED"
    assert hand.execution.output is not None
    assert hand.execution.output.value == list(range(1_000))
    assert decisions == pytest.approx(4_000 / TURN_EVENTS, abs=2)
    assert len(hand.types) == 4_000 + 6


def test_continue_without_anything_to_do_counts_for_nothing() -> None:
    assert Hand(task()).refuses(Continue())


# ------------------------------------------------------------------ messages that fit nothing
@pytest.mark.parametrize(
    "message",
    [
        Succeeded(1, 4, Json(1)),
        Succeeded(2, 3, Json(1)),
        Failed(1, 99, "E", None),
        Submitted(7, 3, Json(1)),
        Heartbeat(1, 2),
        ActivityStarted(1, 3, "w"),
        TimerFired(1, "wait", NOW),
        TimerFired(1, "retry", NOW),
        TimerFired(0, "execution", NOW),
        TaskTimedOut(1, "timeout", NOW + 1),
        TaskTimedOut(1, "heartbeat", NOW + 1),
        Start(),
    ],
    ids=repr,
)
def test_a_message_that_does_not_fit_changes_nothing(message: Message) -> None:
    hand = Hand(task(TimeoutSeconds=60))
    waiting = hand.execution.frames[1].waiting
    assert hand.refuses(message)
    assert hand.execution.frames[1].waiting is waiting


def test_a_repeated_result_changes_nothing() -> None:
    hand = Hand(task())
    assert hand.tell(Succeeded(1, 3, Json(1)))
    assert hand.status == "SUCCEEDED"
    assert hand.refuses(Succeeded(1, 3, Json(2)))
    assert hand.execution.output == Json(1)


def test_a_result_of_an_earlier_attempt_changes_nothing() -> None:
    hand = Hand(task(Retry=[{"ErrorEquals": ["E"]}]))
    assert hand.tell(Failed(1, 3, "E", None))
    assert hand.refuses(Succeeded(1, 3, Json(1)))
    hand.now += 1
    assert hand.tell(TimerFired(1, "retry", hand.now))
    assert hand.refuses(Succeeded(1, 3, Json(1)))
    assert hand.tell(Succeeded(1, 6, Json(1)))


def test_a_timer_that_rings_early_changes_nothing() -> None:
    hand = Hand({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": True}}})
    hand.now += 9.999
    assert hand.refuses(TimerFired(1, "wait", hand.now))
    hand.now += 0.001
    assert hand.tell(TimerFired(1, "wait", hand.now))
    assert hand.status == "SUCCEEDED"


def test_two_messages_in_one_decision_are_answered_each() -> None:
    hand = Hand(task())
    env = Env(now=NOW, ids=SeededIds())
    decision, counted = advance(hand.execution, [Succeeded(1, 3, Json(1)), Succeeded(1, 3, Json(2)), Stop()], env)
    assert counted == [True, False, False]
    assert decision.closed


# ------------------------------------------------------------------ callbacks, activities, heartbeats
def test_a_callback_before_the_call_is_answered_waits_for_that() -> None:
    hand = Hand(task(CALLBACK))
    assert hand.tell(Succeeded(1, 3, Json({"by": "token"}), callback=True))
    assert not hand.last.events
    assert hand.last.dirty == {1}
    assert hand.refuses(Succeeded(1, 3, Json(2), callback=True))
    assert hand.refuses(Failed(1, 3, "E", None, callback=True))
    assert hand.tell(Submitted(1, 3, Json({"MessageId": "1"})))
    assert hand.types[-6:] == [
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert hand.execution.output == Json({"by": "token"})


def test_a_failing_callback_before_the_call_is_answered_fails_the_task_then() -> None:
    hand = Hand(task(CALLBACK))
    assert hand.tell(Failed(1, 3, "E", "c", callback=True))
    assert hand.tell(Submitted(1, 3, Json({})))
    assert (hand.status, hand.execution.error, hand.execution.cause) == ("FAILED", "E", "c")
    assert hand.types[-3:] == ["TaskSubmitted", "TaskFailed", "ExecutionFailed"]


def test_a_result_by_token_counts_although_the_call_then_fails() -> None:
    hand = Hand(task(CALLBACK))
    assert hand.tell(Succeeded(1, 3, Json(1), callback=True))
    assert hand.tell(Failed(1, 3, "SQS.Broken", None))
    assert hand.status == "SUCCEEDED"


def test_an_accepted_call_that_waits_for_its_token_is_not_called_again() -> None:
    hand = Hand(task(CALLBACK))
    assert hand.tell(Submitted(1, 3, Json({})))
    assert hand.last.tasks_marked == {3: "callback"}
    assert hand.refuses(Submitted(1, 3, Json({})))


def test_the_token_is_that_of_the_scheduled_event() -> None:
    hand = Hand(task(CALLBACK))
    (scheduled,) = hand.last.tasks.values()
    assert scheduled.token == scheduled.request.parameters.value["MessageBody"]
    token = Tokens(KEYS).read(scheduled.token or "")
    assert token is not None
    assert (token.key, token.frame, token.event) == (hand.execution.key, 1, 3)


def test_a_task_has_one_worker() -> None:
    hand = Hand(task(ACTIVITY))
    assert hand.tell(ActivityStarted(1, 3, "first"))
    assert hand.last.tasks_marked == {3: "worker"}
    assert hand.refuses(ActivityStarted(1, 3, "second"))


def test_a_heartbeat_moves_the_time_and_the_old_one_counts_no_more() -> None:
    hand = Hand(task(CALLBACK, HeartbeatSeconds=10))
    assert hand.last.timers == {(1, "heartbeat"): NOW + 10}
    hand.now += 4
    assert hand.tell(Heartbeat(1, 3))
    assert hand.last.timers == {(1, "heartbeat"): NOW + 14}
    assert hand.refuses(TaskTimedOut(1, "heartbeat", NOW + 10))
    assert hand.tell(TaskTimedOut(1, "heartbeat", NOW + 14))
    assert (hand.status, hand.execution.error) == ("FAILED", "States.Timeout")


# ------------------------------------------------------------------ what a decision asks for
def test_a_retry_is_a_timer() -> None:
    hand = Hand(task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 5}]))
    assert hand.tell(Failed(1, 3, "E", None))
    assert hand.last.timers == {(1, "retry"): NOW + 5}
    assert hand.last.tasks_done == {3}
    hand.now += 5
    assert hand.tell(TimerFired(1, "retry", hand.now))
    assert hand.last.timers_done == {(1, "retry")}
    assert list(hand.last.tasks) == [6]
    assert hand.last.tasks[6].attempt == 1


def test_an_answered_task_leaves_no_timer_behind() -> None:
    hand = Hand(task(CALLBACK, TimeoutSeconds=9, HeartbeatSeconds=3))
    assert set(hand.last.timers) == {(1, "timeout"), (1, "heartbeat")}
    hand.tell(Submitted(1, 3, Json({})))
    hand.tell(Succeeded(1, 3, Json(1), callback=True))
    assert hand.last.timers_done == {(1, "timeout"), (1, "heartbeat")}
    assert hand.last.tasks_done == {3}


def test_a_task_that_is_abandoned_in_its_own_decision_is_never_called() -> None:
    branches = [
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "TimeoutSeconds": 5, "End": True}}},
        {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}},
    ]
    hand = Hand({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})
    assert hand.status == "FAILED"
    assert not hand.last.tasks
    assert not hand.last.timers
    assert not hand.last.tasks_done


def test_a_closed_fork_drops_its_children() -> None:
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Task", "Resource": FUNCTION, "End": True}}} for name in ("A", "B")
    ]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Next": "W"},
        "W": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    hand = Hand({"StartAt": "P", "States": states})
    assert sorted(hand.execution.frames) == [1, 2, 3]
    first, second = sorted(hand.last.tasks)
    assert hand.tell(Succeeded(2, first, Json(1)))
    assert hand.last.dirty == {1, 2}
    assert hand.execution.frames[2].output == Json(1)
    assert hand.tell(Succeeded(3, second, Json(2)))
    assert hand.last.orphaned == {1}
    assert hand.last.dirty == {1}
    assert list(hand.execution.frames) == [1]


def test_a_map_after_which_comes_a_task_calls_it_once() -> None:
    """A Map whose items end at once was left on the agenda, and its next state was entered twice."""
    body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    states = {
        "M": {"Type": "Map", "ItemProcessor": body, "Next": "T"},
        "T": {"Type": "Task", "Resource": FUNCTION, "End": True},
    }
    hand = Hand({"StartAt": "M", "States": states}, [1, 2])
    assert len(hand.last.tasks) == 1
    assert hand.types.count("LambdaFunctionScheduled") == 1


def test_stop_closes_whatever_is_going_on() -> None:
    hand = Hand(LOOP)
    assert hand.tell(Stop("E", "why"))
    assert hand.last.closed
    assert not hand.last.runnable
    assert (hand.status, hand.execution.error, hand.execution.cause) == ("ABORTED", "E", "why")
    assert hand.types[-1] == "ExecutionAborted"
    assert hand.refuses(Continue())
    assert hand.refuses(Stop())


def test_history_never_passes_25_000_events() -> None:
    hand = Hand(LOOP)
    while hand.last.runnable:
        hand.tell(Continue())
    assert len(hand.types) == 25_000
    assert hand.types[-1] == "ExecutionFailed"
    assert hand.execution.error == "States.Runtime"


def test_an_express_execution_has_no_limit_of_events_but_five_minutes() -> None:
    execution = new_execution(checked(LOOP), Json({}), NOW, express=True)
    env = Env(now=NOW, ids=SeededIds())
    advance(execution, [Start()], env)
    while execution.last_event < 26_000:
        decision, _ = advance(execution, [Continue()], env)
        assert decision.runnable
    late = Env(now=NOW + 300, ids=SeededIds())
    _, counted = advance(execution, [TimerFired(0, "execution", NOW + 300)], late)
    assert counted == [True]
    assert execution.status == "TIMED_OUT"
