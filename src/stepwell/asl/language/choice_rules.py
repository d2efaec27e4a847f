"""The 39 comparison operators of Choice rules in JSONPath, as one table, and And, Or, Not over them.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html#amazon-states-language-choice-state-rules
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from stepwell.asl.language.base import Condition
from stepwell.asl.language.paths import compile_path_field, root
from stepwell.asl.step import Scope
from stepwell.kernel.errors import FatalStateError, StateError
from stepwell.lang.intrinsics import compile_reference
from stepwell.lang.jsonpath import PathNotFound
from stepwell.lang.timestamps import timestamp_key
from stepwell.lang.wildcards import compile_glob

Comparison = Callable[[Any, Any], bool]
NOTHING: Any = object()  # a path that found nothing


_NUMBERS = frozenset({int, float})


def _is_number(value: Any) -> bool:
    return type(value) in _NUMBERS


def _is_timestamp(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        timestamp_key(value)
    except ValueError:
        return False
    return True


def _strings(compare: Comparison) -> Comparison:
    """Java compares UTF-16 units; for text within the basic plane that is Python's order."""
    return lambda a, b: type(a) is str and type(b) is str and compare(_utf16(a), _utf16(b))


def _utf16(text: str) -> Any:
    return text if text.isascii() else text.encode("utf-16-be", "surrogatepass")


def _equal_strings(a: Any, b: Any) -> bool:
    return isinstance(a, str) and a == b


def _numbers(compare: Comparison) -> Comparison:
    return lambda a, b: type(a) in _NUMBERS and type(b) in _NUMBERS and compare(a, b)


def _timestamps(compare: Comparison) -> Comparison:
    return lambda a, b: _is_timestamp(a) and _is_timestamp(b) and compare(timestamp_key(a), timestamp_key(b))


def _booleans(a: Any, b: Any) -> bool:
    return isinstance(a, bool) and isinstance(b, bool) and a is b


_ORDER: dict[str, Comparison] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_KINDS: dict[str, Callable[[Comparison], Comparison]] = {
    "String": _strings,
    "Numeric": _numbers,
    "Timestamp": _timestamps,
}

COMPARISONS: dict[str, Comparison] = {
    **{kind + order: make(compare) for kind, make in _KINDS.items() for order, compare in _ORDER.items()},
    "StringEquals": _equal_strings,
    "BooleanEquals": _booleans,
}
"""Operators that compare with a literal; each exists with the suffix ``Path`` too."""

TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": _is_timestamp,
    "IsPresent": lambda value: value is not NOTHING,
}
"""Operators that test what a value is; their operand is true or false."""

OPERATORS = frozenset(COMPARISONS) | {f"{name}Path" for name in COMPARISONS} | frozenset(TESTS) | {"StringMatches"}


def compile_rule(raw: dict[str, Any]) -> Condition:
    """One rule, nested ones included."""
    if "And" in raw:
        return _every([compile_rule(part) for part in raw["And"]])
    if "Or" in raw:
        return _any([compile_rule(part) for part in raw["Or"]])
    if "Not" in raw:
        part = compile_rule(raw["Not"])
        return lambda value, scope: not part(value, scope)
    name = next(key for key in raw if key in OPERATORS)
    return _compile_comparison(raw["Variable"], name, raw[name])


def _every(parts: list[Condition]) -> Condition:
    def holds(value: Any, scope: Scope) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would take twice as long
            if not part(value, scope):
                return False
        return True

    return holds


def _any(parts: list[Condition]) -> Condition:
    def holds(value: Any, scope: Scope) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would take twice as long
            if part(value, scope):
                return True
        return False

    return holds


def _compile_comparison(variable: str, name: str, operand: Any) -> Condition:
    if name in TESTS:
        return _compile_test(variable, TESTS[name], operand, tolerant=name == "IsPresent")
    read = compile_path_field(variable, _bad_variable)
    if name == "StringMatches":
        glob = compile_glob(operand)

        def match(value: Any, scope: Scope) -> bool:
            found = read(value, scope)
            return isinstance(found, str) and glob(found)

        return match
    if name.endswith("Path"):
        compare, other = COMPARISONS[name[:-4]], compile_path_field(operand, _bad_variable)
        return lambda value, scope: compare(read(value, scope), other(value, scope))
    compare = COMPARISONS[name]
    return lambda value, scope: compare(read(value, scope), operand)


def _compile_test(variable: str, test: Callable[[Any], bool], wanted: bool, *, tolerant: bool) -> Condition:
    if not tolerant:
        read = compile_path_field(variable, _bad_variable)
        return lambda value, scope: test(read(value, scope)) is wanted
    reference = compile_reference(variable)

    def present(value: Any, scope: Scope) -> bool:
        try:
            found = reference.path.read(root(reference, value, scope))
        except PathNotFound:
            found = NOTHING
        if not reference.path.definite and found == []:
            found = NOTHING
        return test(found) is wanted

    return present


def _bad_variable(text: str, _value: Any, _error: PathNotFound) -> StateError:
    cause = f"Invalid path '{text}': The choice state's condition path references an invalid value."
    return FatalStateError("States.Runtime", cause)
