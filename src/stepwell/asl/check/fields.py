"""Which object has which fields: one table per kind of object, read by the walker.

::

    STATES["Wait"] = Shape(fields={"Seconds": Field("integer", low=0, ...), ...}, exactly_one=((...),))

A field's ``kind`` names the function that checks its value (``walker.KINDS``). A feature of a later release is a field
with ``feature`` set: it is known, and refused by name. Sources: of the fields by state type, measured, preflight
state-fields; of the ranges, preflight numeric-ranges and the pages of each state,
https://docs.aws.amazon.com/step-functions/latest/dg/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepwell.kernel.limits import TASK_SECONDS

JSONPATH = "JSONPath"
JSONATA = "JSONata"

DISTRIBUTED_MAP = "Distributed Map"


@dataclass(frozen=True, slots=True)
class Field:
    """What a field may hold. ``low`` and ``high`` are inclusive; integers for integers, floats for floats."""

    kind: str
    language: str | None = None  # the only query language that has the field
    computed: bool = False  # in JSONata, an expression may stand in its place
    reads: tuple[str, ...] = ()  # fields of $states that its expressions read besides input and context
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    feature: str | None = None  # what this version does not run


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object's fields. ``exits`` marks states with Next or End."""

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    exactly_one: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = ()
    exits: bool = False


def _path_only(kind: str) -> Field:
    return Field(kind, language=JSONPATH)


def _enum(*options: str) -> Field:
    return Field("enum", options=options)


_TEXT = Field("string")
_SECONDS = Field("integer", computed=True, low=1, high=TASK_SECONDS)
_LANGUAGE = _enum(JSONPATH, JSONATA)

_COMMON = {"Type": _TEXT, "Comment": _TEXT, "QueryLanguage": _LANGUAGE}


def _results(*reads: str) -> dict[str, Field]:
    """What an object makes of an outcome. $states.result and errorOutput are refused elsewhere: transforming data page."""
    return {"Output": Field("data", language=JSONATA, reads=reads), "Assign": Field("assign", reads=reads)}


_FLOW = {"InputPath": _path_only("path"), "OutputPath": _path_only("path"), **_results()}
_EXIT = {"Next": _TEXT, "End": Field("boolean")}
_RESULT = {"ResultPath": _path_only("result-path"), "Parameters": _path_only("template")}
_RETRY = {"ResultSelector": _path_only("template"), "Retry": Field("retriers"), "Catch": Field("catchers")}
_WORK = {"Arguments": Field("payload", language=JSONATA), **_results("result")}


def _state(*groups: Mapping[str, Field], **own: Field) -> dict[str, Field]:
    fields = dict(_COMMON)
    for group in groups:
        fields |= group
    return fields | own


_TASK = _state(
    _FLOW,
    _EXIT,
    _RESULT,
    _RETRY,
    _WORK,
    Resource=Field("resource"),
    Credentials=Field("credentials"),
    TimeoutSeconds=_SECONDS,
    TimeoutSecondsPath=_path_only("reference-path"),
    HeartbeatSeconds=_SECONDS,
    HeartbeatSecondsPath=_path_only("reference-path"),
)
_WAIT = _state(
    _FLOW,
    _EXIT,
    Seconds=Field("integer", computed=True, low=0, high=TASK_SECONDS),
    SecondsPath=_path_only("reference-path"),
    Timestamp=Field("timestamp", computed=True),
    TimestampPath=_path_only("reference-path"),
)
_DISTRIBUTED = Field("any", feature=DISTRIBUTED_MAP)
_MAP = _state(
    _FLOW,
    _EXIT,
    _RESULT,
    _RETRY,
    _results("result"),
    ItemProcessor=Field("processor"),
    Iterator=Field("processor"),
    ItemsPath=_path_only("items-path"),
    Items=Field("items", language=JSONATA),
    ItemSelector=Field("template"),
    MaxConcurrency=Field("integer", computed=True, low=0),
    MaxConcurrencyPath=_path_only("reference-path"),
    ToleratedFailureCount=Field("integer", computed=True, low=0),
    ToleratedFailureCountPath=_path_only("reference-path"),
    ToleratedFailurePercentage=Field("float", computed=True, low=0.0, high=100.0),
    ToleratedFailurePercentagePath=_path_only("reference-path"),
    ItemReader=_DISTRIBUTED,
    ItemBatcher=_DISTRIBUTED,
    ResultWriter=_DISTRIBUTED,
    Label=_DISTRIBUTED,
)
_FAIL = _state(
    Error=Field("literal", computed=True),
    ErrorPath=_path_only("path-or-intrinsic"),
    Cause=Field("literal", computed=True),
    CausePath=_path_only("path-or-intrinsic"),
)
_BLOCK = {"Comment": _TEXT, "StartAt": _TEXT, "States": Field("states")}
_RETRIER = {
    "ErrorEquals": Field("error-names"),
    # 0 is accepted though the page says positive: preflight numeric-ranges. Maxima: error handling page.
    "IntervalSeconds": Field("integer", low=0, high=99_999_999),
    "MaxAttempts": Field("integer", low=0, high=99_999_999),
    "BackoffRate": Field("float", low=1.0),
    "MaxDelaySeconds": Field("integer", low=1, high=31_622_400),
    "JitterStrategy": _enum("NONE", "FULL"),
    "Comment": _TEXT,
}
_CATCHER = {
    "ErrorEquals": Field("error-names"),
    "Next": _TEXT,
    "ResultPath": _path_only("result-path"),
    **_results("errorOutput"),
    "Comment": _TEXT,
}


def _pairs(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name, f"{name}Path") for name in names)


STATES: dict[str, Shape] = {
    "Task": Shape(
        fields=_TASK, required=("Resource",), at_most_one=_pairs("TimeoutSeconds", "HeartbeatSeconds"), exits=True
    ),
    "Wait": Shape(fields=_WAIT, exactly_one=(("SecondsPath", "Seconds", "TimestampPath", "Timestamp"),), exits=True),
    "Pass": Shape(fields=_state(_FLOW, _EXIT, _RESULT, Result=_path_only("result")), exits=True),
    "Succeed": Shape(fields={name: field for name, field in _state(_FLOW).items() if name != "Assign"}),
    "Fail": Shape(fields=_FAIL, at_most_one=_pairs("Error", "Cause")),
    "Choice": Shape(fields=_state(_FLOW, Choices=Field("choices"), Default=_TEXT), required=("Choices",)),
    "Parallel": Shape(
        fields=_state(_FLOW, _EXIT, _RESULT, _RETRY, _WORK, Branches=Field("branches")),
        required=("Branches",),
        exits=True,
    ),
    "Map": Shape(
        fields=_MAP,
        exactly_one=(("ItemProcessor", "Iterator"),),
        at_most_one=(
            *_pairs("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"),
            ("ItemSelector", "Parameters"),
        ),
        exits=True,
    ),
}

# The order of the required fields is AWS's: recorded, not_a_definition[EMPTY_DICT].
MACHINE = Shape(
    fields=_BLOCK
    | {
        "QueryLanguage": _LANGUAGE,
        "Version": _enum("1.0"),
        "TimeoutSeconds": Field("integer", low=0, high=TASK_SECONDS),  # 0 is accepted: preflight numeric-ranges
    },
    required=("States", "StartAt"),
)
BRANCH = Shape(fields=_BLOCK, required=("States", "StartAt"))
PROCESSOR = Shape(fields=_BLOCK | {"ProcessorConfig": Field("processor-config")}, required=("States", "StartAt"))
PROCESSOR_CONFIG = Shape(fields={"Mode": _enum("INLINE", "DISTRIBUTED"), "ExecutionType": _enum("STANDARD", "EXPRESS")})
RETRIER = Shape(fields=_RETRIER, required=("ErrorEquals",))
CATCHER = Shape(fields=_CATCHER, required=("ErrorEquals", "Next"))
