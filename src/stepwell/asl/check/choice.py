"""Checks of Choice rules: the 39 comparisons as rows, And, Or and Not around them."""

from __future__ import annotations

from typing import Any

from stepwell.asl.check.fields import JSONATA, Field, Shape
from stepwell.asl.check.walker import Scope, check_group, check_object, is_a, kind

MAX_RULE_DEPTH = 60  # assumed: no limit of AWS is known, and no reader follows that many

_ORDER = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_OPERANDS = {"String": "string", "Numeric": "number", "Timestamp": "timestamp"}


def _operators() -> dict[str, str]:
    """Operator to the kind of its operand; ``...Path`` compares with another node."""
    table = {f"{family}{relation}": operand for family, operand in _OPERANDS.items() for relation in _ORDER}
    table["BooleanEquals"] = "boolean"
    table |= {f"{name}Path": "variable" for name in list(table)}
    table["StringMatches"] = "string"
    return table | {f"Is{what}": "boolean" for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")}


OPERATORS: dict[str, str] = _operators()
_SELECTORS = ("And", "Or", "Not", "Variable", "Condition")

_NESTED = {
    **{name: Field(operand, language="JSONPath") for name, operand in OPERATORS.items()},
    "Variable": Field("variable", language="JSONPath"),
    "And": Field("rules", language="JSONPath"),
    "Or": Field("rules", language="JSONPath"),
    "Not": Field("rule", language="JSONPath"),
    "Condition": Field("condition", language=JSONATA),
    "Comment": Field("string"),
}
NESTED_RULE = Shape(fields=_NESTED)
RULE = Shape(
    fields=_NESTED
    | {
        "Next": Field("string"),
        "Assign": Field("assign"),
        "Output": Field("data", language=JSONATA),
    },
    required=("Next",),
)


@kind("choices")
def check_choices(scope: Scope, _field: Field, value: Any, at: str) -> None:
    _check_rules(scope, RULE, value, at)


@kind("rules")
def check_rules(scope: Scope, _field: Field, value: Any, at: str) -> None:
    _check_rules(scope.inner(rule_depth=scope.rule_depth + 1), NESTED_RULE, value, at)


@kind("rule")
def check_nested_rule(scope: Scope, _field: Field, value: Any, at: str) -> None:
    _check_rule(scope.inner(rule_depth=scope.rule_depth + 1), NESTED_RULE, value, at)


def _check_rules(scope: Scope, shape: Shape, value: Any, at: str) -> None:
    if not is_a(scope, value, list, at):
        return
    if not value:
        scope.report.add("empty", at)
    for i, rule in enumerate(value):
        _check_rule(scope, shape, rule, f"{at}[{i}]")


def _check_rule(scope: Scope, shape: Shape, value: Any, at: str) -> None:
    if scope.rule_depth > MAX_RULE_DEPTH:
        scope.report.add("too-deep", at)
        return
    if not check_object(scope, shape, value, at):
        return
    if sum(name in value for name in _SELECTORS) != 1:
        scope.report.add("choice-selector", at)
    elif "Variable" in value:
        check_group(scope, tuple(OPERATORS), value, at, needed=True)
