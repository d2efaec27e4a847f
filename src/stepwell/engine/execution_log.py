"""What of an execution's history goes to its log: which events at which level, and the shape of a record.

A record is AWS's: ``id``, ``previous_event_id``, ``event_timestamp`` (milliseconds) and ``redrive_count`` are strings,
``details`` are those of the history event with its documents as texts (recorded: test_logs). What is logged at which level is
the table of https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html; for types that it does not list,
what names a failure counts as an error (assumed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from stepwell.engine.events import FORMS, PlainEvent
from stepwell.kernel.jsontext import Json, dumps

if TYPE_CHECKING:
    from stepwell.engine.state import Execution

DOCUMENT_BYTES = 248 * 1_024  # escaped; beyond, a document is cut (User Guide, "CloudWatch Logs payloads")

FATAL = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})
ERROR = FATAL | {
    "ActivityFailed",
    "ActivityScheduleFailed",
    "ActivityTimedOut",
    "EvaluationFailed",
    "FailStateEntered",
    "LambdaFunctionFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "LambdaFunctionTimedOut",
    "MapIterationAborted",
    "MapIterationFailed",
    "MapRunAborted",
    "MapRunFailed",
    "MapStateAborted",
    "MapStateFailed",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "TaskFailed",
    "TaskStartFailed",
    "TaskStateAborted",
    "TaskSubmitFailed",
    "TaskTimedOut",
    "WaitStateAborted",
}
LEVELS: dict[str, frozenset[str] | None] = {"ALL": None, "ERROR": ERROR, "FATAL": FATAL}
"""The types a level logs; None is all of them."""
_DATA = frozenset({"assignedVariables", "assignedVariablesDetails"})  # execution data that is no document
_CUT = {"truncated": True}
_WHOLE = {"truncated": False}


class LogPlan(NamedTuple):
    """Where and what an execution logs. ``group`` is the ARN of a log group, with ``:*`` at its end."""

    group: str
    level: str
    data: bool  # includeExecutionData


class EventLog(Protocol):
    """Takes in what happened in executions that have a plan. Never waits and never fails."""

    def take(self, execution: Execution, events: Sequence[PlainEvent]) -> None: ...


def plan_of(configuration: Mapping[str, Any]) -> LogPlan | None:
    """The plan of a state machine's ``loggingConfiguration``; None if nothing is logged."""
    level = configuration["level"]
    if level == "OFF":
        return None
    group = configuration["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    return LogPlan(group, level, configuration["includeExecutionData"])


def logged(plan: LogPlan, events: Sequence[PlainEvent]) -> Sequence[PlainEvent]:
    """Those of the events that the plan's level logs."""
    types = LEVELS[plan.level]
    return events if types is None else [event for event in events if event[3] in types]


def record(event: PlainEvent, arn: str, redrives: int, *, data: bool) -> bytes:
    """An event's record: JSON in UTF-8."""
    number, previous, time, kind, details = event
    shown = {
        "id": str(number),
        "type": kind,
        "details": _details(kind, details, data) if details else {},
        "previous_event_id": str(previous),
        "event_timestamp": str(round(time * 1000)),
        "execution_arn": arn,
        "redrive_count": str(redrives),
    }
    try:
        return orjson.dumps(shown)
    except TypeError:  # a lone surrogate in an error or cause
        return dumps(shown).encode("utf-8", "replace")


def _details(kind: str, details: Mapping[str, Any], data: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in details.items():
        if isinstance(value, Json):
            if data:
                text, cut = _shortened(value)
                shown[name] = text
                if name in FORMS[kind].documents:
                    shown[f"{name}Details"] = _CUT if cut else _WHOLE
        elif data or name not in _DATA:
            shown[name] = value
    return shown


def _shortened(document: Json) -> tuple[str, bool]:
    """A document's text, cut if it would be too long once it is escaped; and whether it was."""
    text = document.text
    if (
        document.size * 2 <= DOCUMENT_BYTES
    ):  # JSON text escapes to twice its length at most: it has quotes and backslashes
        return text, False
    if _escaped(text) <= DOCUMENT_BYTES:
        return text, False
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _escaped(text[:middle]) <= DOCUMENT_BYTES:
            low = middle
        else:
            high = middle - 1
    return text[:low], True


def _escaped(text: str) -> int:
    return len(dumps(text).encode("utf-8", "surrogatepass")) - 2
