"""Turns of ``advance`` where several things meet: more than one message, an end in between, a parent with a failed child."""

from __future__ import annotations

from typing import Any

from engine_house import KEYS, checked, new_execution
from stepwell.engine.advance import advance
from stepwell.engine.messages import Message, Start, Stop, Succeeded, TimerFired
from stepwell.engine.state import Execution, TimerWait
from stepwell.engine.tokens import Tokens
from stepwell.engine.turn import Env
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json

CALL = "arn:aws:states:::sqs:sendMessage"
NOW = 1_767_225_600.0


def env(now: float = NOW) -> Env:
    return Env(now=now, ids=SeededIds(1), tokens=Tokens(KEYS))


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": CALL, "Parameters": {"QueueUrl": "q", "MessageBody": "b"}, **more}


def execution_of(states: dict[str, Any], document: Any = None) -> Execution:
    machine = checked({"StartAt": next(iter(states)), "States": states})
    return new_execution(machine, Json(document or {}), NOW)


def waits(execution: Execution, frame: int = 1) -> TimerWait:
    waiting = execution.frames[frame].waiting
    assert isinstance(waiting, TimerWait)
    return waiting


FAILING_MAP: dict[str, Any] = {
    "Type": "Map",
    "ItemProcessor": {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}},
    "ItemsPath": "$",
}


def test_a_map_whose_first_iteration_fails_at_once_waits_for_its_retry() -> None:
    """The parent stands on the agenda to start its second iteration; the failure takes that back."""
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 10, "MaxAttempts": 1}]
    execution = execution_of({"M": {**FAILING_MAP, "Retry": retry, "End": True}}, [1, 2, 3])
    decision, _ = advance(execution, [Start()], env())
    assert waits(execution).kind == "retry"
    assert list(decision.timers) == [(1, "retry")]
    assert [event[3] for event in decision.events].count("MapStateStarted") == 1


def test_a_map_whose_first_iteration_fails_at_once_goes_to_its_catcher_once() -> None:
    catch = [{"ErrorEquals": ["E"], "Next": "T"}]
    execution = execution_of({"M": {**FAILING_MAP, "Catch": catch, "End": True}, "T": task(End=True)}, [1, 2, 3])
    decision, _ = advance(execution, [Start()], env())
    assert [event[3] for event in decision.events].count("TaskScheduled") == 1
    assert len(decision.tasks) == 1


def test_an_execution_that_is_stopped_in_the_same_decision_calls_nothing_more() -> None:
    """A result and a Stop arrive together: the next task was scheduled, and must not be called any more."""
    execution = execution_of({"A": task(Next="B"), "B": task(TimeoutSeconds=5, End=True)})
    decision, _ = advance(execution, [Start()], env())
    event = next(iter(decision.tasks))
    messages: list[Message] = [Succeeded(1, event, Json({})), Stop()]
    decision, counted = advance(execution, messages, env())
    assert counted == [True, True]
    assert decision.closed
    assert decision.tasks == {}
    assert decision.timers == {}


def test_each_message_has_one_answer_when_the_history_is_full() -> None:
    again = {"Type": "Choice", "Choices": [{"Variable": "$", "IsString": True, "Next": "Z"}], "Default": "P"}
    states = {"A": task(Next="P"), "P": {"Type": "Pass", "Next": "C"}, "C": again, "Z": {"Type": "Succeed"}}
    execution = execution_of(states)
    decision, _ = advance(execution, [Start()], env())
    execution.last_event = 24_990
    messages: list[Message] = [Succeeded(1, next(iter(decision.tasks)), Json({})), Stop()]
    decision, counted = advance(execution, messages, env())
    assert counted == [True, False]
    assert decision.closed


def test_a_timer_counts_although_the_decisions_time_is_rounded_below_it() -> None:
    """Decisions have times in milliseconds; what is due between two of them must not be lost."""
    execution = execution_of({"W": {"Type": "Wait", "Seconds": 1, "End": True}})
    advance(execution, [Start()], env())
    due = waits(execution).until
    _, counted = advance(execution, [TimerFired(1, "wait", due)], env(due - 0.0004))
    assert counted == [True]
    assert execution.status == "SUCCEEDED"
