"""History events: the one place that makes them, and the table of their details.

An event is kept small: id, previous id, time, type, and a dict of its own details in which documents stay ``Json``. AWS's
wire form (``stateEnteredEventDetails`` with ``inputDetails``) is made from the table when somebody reads.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html; the orders and previous ids are
recorded: test_map_state*, test_parallel_state*, test_callback*, test_activities*.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stepwell.kernel.jsontext import Json


class Event(NamedTuple):
    id: int
    previous: int
    time: float
    type: str
    details: dict[str, Any] | None


PlainEvent = tuple[int, int, float, str, dict[str, Any] | None]
"""An event inside the engine: the members of ``Event`` without their names (making a named one takes six times as long)."""


class Form(NamedTuple):
    """How a type's details appear on the wire: the member's name, and which of them are documents.

    A document ``input`` is followed by ``inputDetails: {"truncated": false}``; ``plain`` documents stand alone.
    """

    member: str
    documents: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()


_ENTERED = Form("stateEnteredEventDetails", ("input",))
_EXITED = Form("stateExitedEventDetails", ("output",))

FORMS: dict[str, Form] = {
    "ExecutionStarted": Form("executionStartedEventDetails", ("input",)),
    "ExecutionSucceeded": Form("executionSucceededEventDetails", ("output",)),
    "ExecutionFailed": Form("executionFailedEventDetails"),
    "ExecutionAborted": Form("executionAbortedEventDetails"),
    "ExecutionTimedOut": Form("executionTimedOutEventDetails"),
    "ExecutionRedriven": Form("executionRedrivenEventDetails"),
    "EvaluationFailed": Form("evaluationFailedEventDetails"),
    "ActivityScheduled": Form("activityScheduledEventDetails", ("input",)),
    "ActivityStarted": Form("activityStartedEventDetails"),
    "ActivitySucceeded": Form("activitySucceededEventDetails", ("output",)),
    "ActivityFailed": Form("activityFailedEventDetails"),
    "ActivityTimedOut": Form("activityTimedOutEventDetails"),
    "ActivityScheduleFailed": Form("activityScheduleFailedEventDetails"),
    "LambdaFunctionScheduled": Form("lambdaFunctionScheduledEventDetails", ("input",)),
    "LambdaFunctionStarted": Form(""),
    "LambdaFunctionSucceeded": Form("lambdaFunctionSucceededEventDetails", ("output",)),
    "LambdaFunctionFailed": Form("lambdaFunctionFailedEventDetails"),
    "LambdaFunctionTimedOut": Form("lambdaFunctionTimedOutEventDetails"),
    "TaskScheduled": Form("taskScheduledEventDetails", plain=("parameters",)),
    "TaskStarted": Form("taskStartedEventDetails"),
    "TaskSubmitted": Form("taskSubmittedEventDetails", ("output",)),
    "TaskSubmitFailed": Form("taskSubmitFailedEventDetails"),
    "TaskSucceeded": Form("taskSucceededEventDetails", ("output",)),
    "TaskFailed": Form("taskFailedEventDetails"),
    "TaskTimedOut": Form("taskTimedOutEventDetails"),
    "MapStateStarted": Form("mapStateStartedEventDetails"),
    "MapIterationStarted": Form("mapIterationStartedEventDetails"),
    "MapIterationSucceeded": Form("mapIterationSucceededEventDetails"),
    "MapIterationFailed": Form("mapIterationFailedEventDetails"),
    "MapIterationAborted": Form("mapIterationAbortedEventDetails"),
    **{
        f"{kind}StateEntered": _ENTERED
        for kind in ("Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
    },
    **{f"{kind}StateExited": _EXITED for kind in ("Pass", "Task", "Choice", "Wait", "Succeed", "Parallel", "Map")},
    **{
        f"{kind}State{what}": Form("")
        for kind, what in (
            ("Parallel", "Started"),
            ("Parallel", "Succeeded"),
            ("Parallel", "Failed"),
            ("Parallel", "Aborted"),
            ("Map", "Succeeded"),
            ("Map", "Failed"),
            ("Map", "Aborted"),
            ("Task", "Aborted"),
            ("Wait", "Aborted"),
        )
    },
}
DOCUMENTS: dict[str, tuple[str, ...]] = {name: form.documents + form.plain for name, form in FORMS.items()}
PLAIN_DATA = frozenset({"assignedVariables", "assignedVariablesDetails"})
"""Execution data that is no document: left out with the documents where data is not asked for."""
_TRUNCATED = {"truncated": False}


def wire_form(event: Event, *, data: bool = True) -> dict[str, Any]:
    """The event as GetExecutionHistory shows it; without ``data``, documents are left out (includeExecutionData)."""
    shown: dict[str, Any] = {
        "timestamp": event.time,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
    }
    form = FORMS[event.type]
    if not form.member:
        return shown
    details: dict[str, Any] = {}
    for name, value in (event.details or {}).items():
        if not isinstance(value, Json):
            if data or name not in PLAIN_DATA:
                details[name] = value
        elif data:
            details[name] = value.text
            if name in form.documents:
                details[f"{name}Details"] = _TRUNCATED
    shown[form.member] = details
    return shown


def failure(error: str | None, cause: str | None) -> dict[str, Any]:
    """Error and cause as details: what is missing is left out (recorded: test_map_state_catch_empty_fail)."""
    details = {}
    if error is not None:
        details["error"] = error
    if cause is not None:
        details["cause"] = cause
    return details
