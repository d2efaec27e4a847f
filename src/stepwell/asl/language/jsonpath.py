"""The JSONPath query language: InputPath, Parameters, ResultSelector, ResultPath, OutputPath and ``...Path`` fields.

::

    raw input --InputPath--> effective input --Parameters--> argument --work--> result
    result --ResultSelector--> selected --ResultPath (into the raw input)--> combined --OutputPath--> output

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.language.base import CatchOutput, Condition, Field, Flow
from stepwell.asl.language.choice_rules import compile_rule
from stepwell.asl.language.paths import Expression, apply_to_json, compile_expression, compile_path_field
from stepwell.asl.language.templates import compile_template
from stepwell.asl.step import Scope
from stepwell.kernel.errors import StateError
from stepwell.kernel.jsontext import EMPTY_OBJECT, Json, dumps
from stepwell.lang.intrinsics import is_intrinsic
from stepwell.lang.jsonpath import Path, PathNotFound, compile_path, write

RESULT_PATH_FAILURE = "States.ResultPathMatchFailure"
Over = Callable[[Json, Scope], Json]


class LiteralField:
    """A field whose value stands in the definition."""

    __slots__ = ("_value", "name")
    text = ""
    literal = True

    def __init__(self, name: str, value: Any) -> None:
        self.name, self._value = name, value

    def read(self, value: Any, scope: Scope) -> Any:
        del value, scope
        return self._value


class PathField:
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
        return StateError("States.Runtime", cause)


class JsonPathFlow:
    """See the drawing above."""

    __slots__ = ("_input", "_output", "_parameters", "_result_path", "_selector")

    def __init__(self, raw: dict[str, Any], argument_field: str) -> None:
        self._input = _over(raw, "InputPath")
        self._output = _over(raw, "OutputPath")
        self._parameters = compile_template(raw[argument_field]) if argument_field in raw else None
        self._selector = compile_template(raw["ResultSelector"]) if "ResultSelector" in raw else None
        self._result_path = ResultPath(raw.get("ResultPath", "$"))

    def effective_input(self, raw: Json, scope: Scope) -> Json:
        return raw if self._input is None else self._input(raw, scope)

    def argument(self, effective: Json, scope: Scope) -> Json:
        return effective if self._parameters is None else Json(self._parameters(effective.value, scope))

    def output(self, raw: Json, result: Json, scope: Scope) -> Json:
        if self._selector is not None:
            result = Json(self._selector(result.value, scope))
        combined = self._result_path.place(raw, result)
        return combined if self._output is None else self._output(combined, scope)

    def pass_through(self, effective: Json, scope: Scope) -> Json:
        return effective if self._output is None else self._output(effective, scope)


class ResultPath:
    """Where a result goes in the raw input: ``$`` replaces it, null drops the result."""

    __slots__ = ("_path", "_text")

    def __init__(self, text: str | None) -> None:
        self._text = text
        self._path: Path | None = None if text is None or text == "$" else compile_path(text)

    def place(self, raw: Json, result: Json) -> Json:
        if self._text is None:
            return raw
        if self._path is None:
            return result
        try:
            return Json(write(raw.value, self._path, result.value))
        except PathNotFound:
            cause = f"Unable to apply ReferencePath {self._text} to input {dumps(raw.value)}"
            raise StateError(RESULT_PATH_FAILURE, cause) from None


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

    def template(self, raw: Any) -> Callable[[Any, Scope], Any]:
        return compile_template(raw)

    def condition(self, raw: dict[str, Any]) -> Condition:
        return compile_rule(raw)

    def catch_output(self, raw: dict[str, Any]) -> CatchOutput:
        path = ResultPath(raw.get("ResultPath", "$"))
        return lambda state_input, error, _scope: path.place(state_input, error)
