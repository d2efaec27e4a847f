"""The JSONata query language: Arguments, Output, Assign, Condition and ``{% expressions %}`` in fields.

::

    input --Arguments--> argument --work--> result --Output--> output        $states: input, result, errorOutput, context

Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. The texts of failures are recorded:
test_undefined_reference, test_map_state_items_eval_jsonata_fail, test_wait_timestamp_jsonata.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from stepwell.asl.language.base import Assign, Condition, Field, Flow
from stepwell.asl.language.jsonpath import LiteralField
from stepwell.asl.step import Scope
from stepwell.kernel.errors import EvaluationFault, StateError
from stepwell.kernel.jsontext import Json, dumps
from stepwell.lang.jsonata import UNDEFINED, JsonataFailure, compile_expression

States = dict[str, Any]  # what $states is; an expression that may see the context object adds it
Evaluate = Callable[[States, Scope], Any]
_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
_WITHOUT_CONTEXT = re.compile(r"\$states\.(?:input|result|errorOutput)\b")
_WITH_RESULT = frozenset({"Task", "Parallel", "Map"})
_NOTHING = "returned nothing (undefined)."
_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}


def inner(text: Any) -> str | None:
    """The expression inside ``{% ... %}``, or None for any other value."""
    found = _EXPRESSION.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else found.group(1).strip()


def compile_value(raw: Any, field: str) -> Evaluate | None:
    """A template or an expression; None when nothing in it is computed. ``field`` names the place: ``Output/a[0]``."""
    text = inner(raw)
    if text is not None:
        return _compile_text(text, field)
    if isinstance(raw, dict):
        return _compile_object(raw, field)
    return _compile_array(raw, field) if isinstance(raw, list) else None


def _compile_text(text: str, field: str) -> Evaluate:
    evaluate = compile_expression(text).evaluate
    sees_context = _may_see_context(text)
    where = f"The JSONata expression '{text}' specified for the field '{field}'"

    def value(states: States, scope: Scope) -> Any:
        if sees_context and "context" not in states:
            _add_context(states, scope)
        try:
            found = evaluate(states, cast("dict[str, Any]", scope.variables), ids=scope.ids, now=scope.now)
        except JsonataFailure as failure:
            raise EvaluationFault(f"{where} {failure.sentence}", field) from None
        if found is UNDEFINED:
            raise EvaluationFault(f"{where} {_NOTHING}", field)
        return found

    return value


def _add_context(states: States, scope: Scope) -> None:
    """``$states`` as a whole has the context between the input and the result (recorded: test_base_map_state_inspect)."""
    states["context"] = scope.context
    for name in ("result", "errorOutput"):
        if name in states:
            states[name] = states.pop(name)


def _may_see_context(text: str) -> bool:
    """Whether the context object has to be made for an expression: for most it is the dearest part of an evaluation.

    It is reached through ``$states``, or as a member of the parent (``%``) of what is.
    """
    return "%" in text or len(_WITHOUT_CONTEXT.findall(text)) != text.count("$states")


def _compile_object(raw: dict[str, Any], field: str) -> Evaluate | None:
    parts = {key: compile_value(part, f"{field}/{key}") for key, part in raw.items()}
    computed = [(key, part) for key, part in parts.items() if part is not None]
    if not computed:
        return None

    def fill(states: States, scope: Scope) -> Any:
        filled = raw.copy()
        for key, part in computed:
            filled[key] = part(states, scope)
        return filled

    return fill


def _compile_array(raw: list[Any], field: str) -> Evaluate | None:
    parts = [compile_value(part, f"{field}[{index}]") for index, part in enumerate(raw)]
    if not any(parts):
        return None
    pairs = list(zip(parts, raw, strict=True))
    return lambda states, scope: [fixed if part is None else part(states, scope) for part, fixed in pairs]


def _shaped(raw: dict[str, Any], name: str, prefix: str = "") -> Evaluate | None:
    """The evaluation of a field that is there, fixed values included; None for one that is not."""
    if name not in raw:
        return None
    fixed = raw[name]
    return compile_value(fixed, prefix + name) or (lambda _states, _scope: fixed)


class ExpressionField:
    """A field that holds an expression (or a template of them)."""

    __slots__ = ("_evaluate", "name", "text")
    literal = False

    def __init__(self, name: str, raw: Any, evaluate: Evaluate) -> None:
        self.name, self.text, self._evaluate = name, inner(raw) or dumps(raw), evaluate

    def read(self, value: Any, scope: Scope) -> Any:
        return self._evaluate({"input": value}, scope)

    def mistyped(self, expected: str, found: Any, cause: str) -> StateError:
        del cause
        return _mistyped(self.text, self.name, expected, found)

    def unusable(self, cause: str) -> StateError:
        return EvaluationFault(cause, self.name, late=True)


def _mistyped(text: str, field: str, expected: str, found: Any) -> EvaluationFault:
    where = f"The JSONata expression '{text}' specified for the field '{field}'"
    wrong = f"returned an unexpected result type. Expected '{expected}', but was '{_TYPES[type(found)]}'"
    return EvaluationFault(f"{where} {wrong} for value: {dumps(found)}", field)


class JsonataFlow:
    """See the drawing above.

    ``prefix`` stands before the names of fields: ``Choices[0]/``; ``result`` is the name of the outcome in ``$states``.
    """

    __slots__ = ("_argument", "_output", "_result", "assign")

    def __init__(self, raw: dict[str, Any], *, prefix: str = "", result: str | None = None) -> None:
        self._argument = _shaped(raw, "Arguments", prefix)
        self._output = _shaped(raw, "Output", prefix)
        self._result = result
        assign = _shaped(raw, "Assign", prefix)
        self.assign: Assign | None = None if assign is None else self._assignment(assign)

    def _assignment(self, assign: Evaluate) -> Assign:
        return lambda raw, result, scope: cast("dict[str, Any]", assign(self._states(raw, result), scope))

    def _states(self, raw: Json, result: Json) -> States:
        states = {"input": raw.value}
        if self._result is not None:
            states[self._result] = result.value
        return states

    def effective_input(self, raw: Json, scope: Scope) -> Json:
        del scope
        return raw

    def argument(self, effective: Json, scope: Scope) -> Json:
        if self._argument is None:
            return effective
        return Json(self._argument({"input": effective.value}, scope))

    def selected(self, result: Json, scope: Scope) -> Json:
        del scope
        return result

    def output(self, raw: Json, result: Json, scope: Scope) -> Json:
        return result if self._output is None else Json(self._output(self._states(raw, result), scope))

    def pass_through(self, effective: Json, scope: Scope) -> Json:
        if self._output is None:
            return effective
        return Json(self._output({"input": effective.value}, scope))


class JsonataLanguage:
    """The factory; see ``base.QueryLanguage``."""

    name = "JSONata"

    def flow(self, raw: dict[str, Any], argument_field: str) -> Flow:
        del argument_field
        return JsonataFlow(raw, result="result" if raw["Type"] in _WITH_RESULT else None)

    def rule_flow(self, raw: dict[str, Any], rule: dict[str, Any], index: int) -> Flow:
        del raw
        return JsonataFlow(rule, prefix=f"Choices[{index}]/")

    def catch_flow(self, raw: dict[str, Any], index: int) -> Flow:
        return JsonataFlow(raw, prefix=f"Catch[{index}]/", result="errorOutput")

    def field(self, raw: dict[str, Any], name: str) -> Field | None:
        if raw.get(name) is None:
            return None
        evaluate = compile_value(raw[name], name)
        return LiteralField(name, raw[name]) if evaluate is None else ExpressionField(name, raw[name], evaluate)

    def template(self, raw: Any, name: str) -> Callable[[Any, Scope], Any]:
        evaluate = compile_value(raw, name)
        if evaluate is None:
            return lambda _value, _scope: raw
        return lambda value, scope: evaluate({"input": value}, scope)

    def condition(self, raw: dict[str, Any], index: int) -> Condition:
        fixed, field = raw["Condition"], f"Choices[{index}]/Condition"
        evaluate = compile_value(fixed, field)
        if evaluate is None:
            return lambda _value, _scope: fixed is True

        def holds(value: Any, scope: Scope) -> bool:
            found = evaluate({"input": value}, scope)
            if not isinstance(found, bool):
                raise _mistyped(inner(fixed) or "", field, "boolean", found)
            return found

        return holds
