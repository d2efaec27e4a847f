"""Checks of JSONata: which strings are expressions, whether they parse, and what they read.

A string that is wholly ``{% ... %}`` is an expression, wherever it stands in a field that holds data; one that only begins
or only ends so is refused. Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. The faults
of one string are reported in the order parser or references, then fields of ``$states`` by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.asl.check.fields import Field
from stepwell.asl.check.walker import Scope, is_a, is_delimited, kind

OPEN, CLOSE = "{%", "%}"
_ALWAYS = frozenset({"input", "context"})  # the fields of $states that every expression may read


@kind("expression")
def check_expression(scope: Scope, field: Field, text: str, at: str) -> None:
    """One string of a JSONata state that begins or ends as an expression."""
    if not (text.startswith(OPEN) and text.endswith(CLOSE) and len(text) >= len(OPEN + CLOSE)):
        scope.report.add("expression", at)
        return
    from stepwell.lang.jsonata import checks  # noqa: PLC0415 - loaded by the first definition that has an expression

    inside = text[len(OPEN) : -len(CLOSE)].strip()
    for code, message in checks.check(inside):
        scope.report.add("jsonata-syntax" if code == checks.INVALID else "jsonata-reference", at, message=message)
    for name in sorted(checks.states_fields(inside) - _ALWAYS - set(field.reads)):
        scope.report.add("states-field", at, field=name)
    scope.refer(checks.references(inside))


@kind("data")
def check_data(scope: Scope, field: Field, value: Any, at: str) -> None:
    """Any JSON value with expressions in it: an Output."""
    for text, place in _strings(value, at):
        if is_delimited(text):
            check_expression(scope, field, text, place)


@kind("payload")
def check_payload(scope: Scope, field: Field, value: Any, at: str) -> None:
    """An object with expressions in it, or one expression: Arguments and the like."""
    _check_either(scope, field, value, at, (dict,))


@kind("items")
def check_items(scope: Scope, field: Field, value: Any, at: str) -> None:
    """An array or an object with expressions in it, or one expression."""
    _check_either(scope, field, value, at, (list, dict))


@kind("condition")
def check_condition(scope: Scope, field: Field, value: Any, at: str) -> None:
    """An expression, or true or false."""
    _check_either(scope, field, value, at, (bool,))


def _check_either(scope: Scope, field: Field, value: Any, at: str, types: tuple[type, ...]) -> None:
    if isinstance(value, types):
        check_data(scope, field, value, at)
    elif isinstance(value, str):
        check_expression(scope, field, value, at)
    else:
        is_a(scope, value, types[0], at)


def _strings(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every string in a value with its location, in the order of writing; a stack, since values may nest deeply."""
    stack = [(value, at)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, str):
            yield item, place
        elif isinstance(item, dict):
            stack.extend((member, f"{place}/{name}") for name, member in reversed(item.items()))
        elif isinstance(item, list):
            stack.extend((member, f"{place}[{i}]") for i, member in reversed(list(enumerate(item))))
