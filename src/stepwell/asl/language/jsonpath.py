"""The JSONPath query language: InputPath, Parameters, ResultSelector, ResultPath, OutputPath and ``...Path`` fields.

::

    raw input --InputPath--> effective input --Parameters--> argument --work--> result
    result --ResultSelector--> selected --ResultPath (into the raw input)--> combined --OutputPath--> output

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from stepwell.asl.language.base import Assign, Condition, Field, Flow
from stepwell.asl.language.choice_rules import compile_rule
from stepwell.asl.language.paths import Expression, apply_to_json, compile_expression, compile_path_field
from stepwell.asl.language.templates import compile_template
from stepwell.asl.step import Scope
from stepwell.kernel.errors import FatalStateError, StateError
from stepwell.kernel.jsontext import EMPTY_OBJECT, Json, dumps
from stepwell.lang.intrinsics import is_intrinsic
from stepwell.lang.jsonpath import PathNotFound, compile_path, write

RESULT_PATH_FAILURE = "States.ResultPathMatchFailure"
Over = Callable[[Json, Scope], Json]
Place = Callable[[Json, Json], Json]  # raw input and result to what they make together
Combine = Callable[[Json, Json, Scope], Json]


class _RuntimeFaults:
    """What is wrong with a value is States.Runtime, in the state's own words."""

    __slots__ = ()

    def mistyped(self, expected: str, found: Any, cause: str) -> StateError:
        del expected, found
        return FatalStateError("States.Runtime", cause)

    def unusable(self, cause: str) -> StateError:
        return FatalStateError("States.Runtime", cause)


class LiteralField(_RuntimeFaults):
    """A field whose value stands in the definition."""

    __slots__ = ("_value", "name")
    text = ""
    literal = True

    def __init__(self, name: str, value: Any) -> None:
        self.name, self._value = name, value

    def read(self, value: Any, scope: Scope) -> Any:
        del value, scope
        return self._value


class PathField(_RuntimeFaults):
    """A ``...Path`` field: its value is found in the data."""

    __slots__ = ("_expression", "name", "text")
    literal = False

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        if is_intrinsic(text):
            self._expression: Expression = compile_expression(text, name)
        else:
            self._expression = compile_path_field(text, self._missing)

    def read(self, value: Any, scope: Scope) -> Any:
        return self._expression(value, scope)

    def _missing(self, text: str, _value: Any, _error: PathNotFound) -> StateError:
        cause = f"The {self.name} parameter does not reference an input value: {text}"  # recorded: wait_seconds_path
        return FatalStateError("States.Runtime", cause)


class JsonPathFlow:
    """See the drawing above. The steps a state does not have are left out when it is parsed, not skipped when it runs."""

    __slots__ = ("argument", "assign", "effective_input", "output", "pass_through", "selected")

    def __init__(self, raw: dict[str, Any], argument_field: str) -> None:
        parameters = compile_template(raw[argument_field]) if argument_field in raw else None
        selector = compile_template(raw["ResultSelector"]) if "ResultSelector" in raw else None
        place, last = result_path(raw.get("ResultPath", "$")), _over(raw, "OutputPath")
        self.effective_input: Over = _over(raw, "InputPath") or _unchanged
        self.argument: Over = _unchanged if parameters is None else _filled(parameters)
        self.selected: Over = _unchanged if selector is None else _filled(selector)
        self.output: Combine = _combine(place, last)
        self.pass_through: Over = last or _unchanged
        self.assign: Assign | None = assignment(raw)


def _unchanged(document: Json, _scope: Scope) -> Json:
    return document


def _filled(template: Expression) -> Over:
    return lambda document, scope: Json(template(document.value, scope))


def _combine(place: Place, last: Over | None) -> Combine:
    """ResultPath and OutputPath, as far as they are there."""
    if last is None:
        return lambda raw, result, _scope: place(raw, result)
    return lambda raw, result, scope: last(place(raw, result), scope)


def assignment(raw: dict[str, Any]) -> Assign | None:
    """Assign: a template in which ``$`` is the state's result, or its input where it has none.

    Recorded: test_state_assign_evaluation_order, test_assign_from_value.
    """
    if "Assign" not in raw:
        return None
    template = compile_template(raw["Assign"])
    return lambda _raw, result, scope: cast("dict[str, Any]", template(result.value, scope))


def result_path(text: str | None) -> Place:
    """Where a result goes in the raw input: ``$`` replaces it, null drops the result."""
    if text is None:
        return lambda raw, _result: raw
    if text == "$":
        return lambda _raw, result: result
    path = compile_path(text)

    def place(raw: Json, result: Json) -> Json:
        try:
            return Json(write(raw.value, path, result.value))
        except PathNotFound:
            cause = f"Unable to apply ReferencePath {text} to input {dumps(raw.value)}"
            raise StateError(RESULT_PATH_FAILURE, cause) from None

    return place


def _over(raw: dict[str, Any], name: str) -> Over | None:
    if name in raw and raw[name] is None:
        return lambda _document, _scope: EMPTY_OBJECT
    return apply_to_json(raw.get(name))


class JsonPathLanguage:
    """The factory; see ``base.QueryLanguage``."""

    name = "JSONPath"

    def flow(self, raw: dict[str, Any], argument_field: str) -> Flow:
        return JsonPathFlow(raw, argument_field)

    def field(self, raw: dict[str, Any], name: str) -> Field | None:
        if f"{name}Path" in raw:
            return PathField(f"{name}Path", raw[f"{name}Path"])
        return LiteralField(name, raw[name]) if raw.get(name) is not None else None

    def rule_flow(self, raw: dict[str, Any], rule: dict[str, Any], index: int) -> Flow:
        del index
        fields: dict[str, Any] = {name: raw[name] for name in ("InputPath", "OutputPath") if name in raw}
        if "Assign" in rule:
            fields["Assign"] = rule["Assign"]
        return JsonPathFlow(fields, "")

    def catch_flow(self, raw: dict[str, Any], index: int) -> Flow:
        del index
        return JsonPathFlow({name: raw[name] for name in ("ResultPath", "Assign") if name in raw}, "")

    def template(self, raw: Any, name: str) -> Callable[[Any, Scope], Any]:
        del name
        return compile_template(raw)

    def condition(self, raw: dict[str, Any], index: int) -> Condition:
        del index
        return compile_rule(raw)
