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

from stepwell.engine.events import DOCUMENTS, FORMS, PLAIN_DATA, PlainEvent
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
_RECORD = b'{"id":"%d","type":"%b","details":%b,"previous_event_id":"%d","event_timestamp":"%d"%b'
_CUT = {
    (name, cut): b',"%bDetails":{"truncated":%b}' % (name.encode(), b"true" if cut else b"false")
    for name in ("input", "output")
    for cut in (False, True)
}


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


def tail(arn: str, redrives: int) -> bytes:
    """What ends each record of an execution."""
    return b',"execution_arn":%b,"redrive_count":"%d"}' % (_json(arn), redrives)


def record(event: PlainEvent, end: bytes, *, data: bool) -> bytes:
    """An event's record, JSON in UTF-8; ``end`` is the execution's ``tail``."""
    number, previous, time, kind, details = event
    shown = _details(kind, details, data) if details else b"{}"
    return _RECORD % (number, kind.encode(), shown, previous, round(time * 1000), end)


def _details(kind: str, details: Mapping[str, Any], data: bool) -> bytes:
    if not data:
        return _json({n: value for n, value in details.items() if not isinstance(value, Json) and n not in PLAIN_DATA})
    marks = b""
    for name in DOCUMENTS[kind]:
        document = details.get(name)
        if document is None:
            continue
        cut = False
        if document.size * 2 > DOCUMENT_BYTES:  # else it is short enough: each byte of it may be escaped
            text, cut = _shortened(document.text)
            details = {**details, name: text}
        if name in FORMS[kind].documents:
            marks += _CUT[name, cut]
    shown = _json(details)
    return shown[:-1] + marks + b"}" if marks else shown


def _shortened(text: str) -> tuple[str, bool]:
    """A text, cut if it would be too long once it is escaped; and whether it was."""
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
    return len(_json(text)) - 2


def _json(value: Any) -> bytes:
    """Documents in it become texts."""
    try:
        return orjson.dumps(value, default=_text)
    except TypeError:  # a lone surrogate in an error or cause: written as the wire writes it
        plain = (
            {n: v.text if isinstance(v, Json) else v for n, v in value.items()} if isinstance(value, dict) else value
        )
        return dumps(plain).encode("utf-8", "replace")


def _text(document: Json) -> str:
    return document.text
