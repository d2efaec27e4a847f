"""The operators of filters, one table: what is equal, less, contained for two values, as Jayway decides it.

Numbers and numeric strings are equal (``'42' == 42``); otherwise two values of different kinds are neither equal nor
ordered. A path that finds nothing gives UNDEFINED, which equals nothing, not even itself.
Source: Jayway JsonPath 2.x, EvaluatorFactory and ValueNodes.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from stepwell.lang.javavalues import is_number, java_equal, java_text
from stepwell.lang.jsonpath.errors import PathMismatch
from stepwell.lang.jsonpath.nodes import Pattern
from stepwell.lang.linearregex import RegexError

UNDEFINED = object()
_BIG_DECIMAL = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,9})?", re.ASCII)


def equal(left: Any, right: Any) -> bool:
    """``==``. The left side decides how the right one is read."""
    if isinstance(left, str):
        return bool(left == (java_text(right) if is_number(right) else right))
    if is_number(left):
        if isinstance(right, str):
            return _BIG_DECIMAL.fullmatch(right) is not None and Decimal(right) == Decimal(repr(left))
        return is_number(right) and bool(left == right)
    if isinstance(left, dict | list):
        return java_equal(left, right)
    if isinstance(left, bool):
        return left is right
    return left is None and right is None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        if isinstance(left, str):
            return isinstance(right, str) and compare(_units(left), _units(right))
        return is_number(left) and is_number(right) and compare(left, right)

    return test


def _units(text: str) -> bytes:
    """A key that orders texts as Java does, by UTF-16 units."""
    return text.encode("utf-16-be", "surrogatepass")


def _same_kind(left: Any, right: Any) -> bool:
    return _kind(left) == _kind(right) and equal(left, right)


def _kind(value: Any) -> str:
    return "number" if is_number(value) else type(value).__name__


def _matches(left: Any, right: Any) -> bool:
    if isinstance(left, Pattern):
        left, right = right, left
    if isinstance(left, Pattern) or not isinstance(right, Pattern):
        return False
    try:
        return any(right.matches(_regex_text(item)) for item in (left if isinstance(left, list) else [left]))
    except RegexError as error:
        raise PathMismatch(str(error)) from None


def _regex_text(value: Any) -> str:
    return java_text(value) if isinstance(value, str | bool) or is_number(value) else ""


def _is_in(left: Any, right: Any) -> bool:
    if isinstance(right, dict):
        return False
    return _has(_list(right), left)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return isinstance(left, list) and _has(left, right)


def _on_lists(decide: Callable[[list[Any], list[Any]], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        if isinstance(right, dict):
            return False
        allowed = _list(right)
        return not isinstance(left, dict) and decide(_list(left), allowed)

    return test


def _all(left: Any, right: Any) -> bool:
    return isinstance(left, list) and all(_has(left, item) for item in _list(right))


def _size(left: Any, right: Any) -> bool:
    return isinstance(left, str | list) and is_number(right) and len(left) == int(right)


def _empty(left: Any, right: Any) -> bool:
    if not isinstance(left, str | list | dict):
        return False
    if not isinstance(right, bool):
        raise PathMismatch("Expected boolean node")
    return (len(left) == 0) is right


def _has(values: list[Any], wanted: Any) -> bool:
    return any(equal(wanted, value) for value in values)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PathMismatch("Expected value list node")
    return value


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "===": _same_kind,
    "!==": lambda left, right: not _same_kind(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _matches,
    "in": _is_in,
    "nin": lambda left, right: not _is_in(left, right),
    "contains": _contains,
    "subsetof": _on_lists(lambda left, right: all(_has(right, item) for item in left)),
    "anyof": _on_lists(lambda left, right: any(_has(right, item) for item in left)),
    "noneof": _on_lists(lambda left, right: not any(_has(right, item) for item in left)),
    "all": _all,
    "size": _size,
    "empty": _empty,
}
