"""Operators: arithmetic, comparison, text, logic, ranges, and the constructors ``[...]`` and ``{...}``."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from stepwell.lang.jsonata.compiling import Closure, compile_node, compiles
from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.grouping import compile_group
from stepwell.lang.jsonata.library.strings import string
from stepwell.lang.jsonata.runtime import Frame
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.values import UNDEFINED, Constructed, Sequence, is_number, number, same, truth

_MAX_RANGE = 10_000_000


def _divide(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 or left != left else math.copysign(math.inf, left)  # noqa: PLR0124 - NaN
    return left / right


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right != 0 and math.isfinite(left) else math.nan


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide, "%": _remainder,
}  # fmt: skip
_COMPARISON: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@compiles("binary")
def _binary(node: Node) -> Closure:
    token = node.value
    left, right = compile_node(node.lhs), compile_node(node.rhs)
    if token in _ARITHMETIC:
        return _arithmetic(token, left, right)
    if token in _COMPARISON:
        return _comparison(token, left, right)
    return _OTHERS[token](left, right)


def finite(value: Any) -> bool:
    """Whether this is a number; an infinite one cannot be calculated with (D1001)."""
    if not is_number(value):
        return False
    if not math.isfinite(value):
        raise EvaluationError("D1001", value=value)
    return True


def _arithmetic(token: str, left: Closure, right: Closure) -> Closure:
    calculate = _ARITHMETIC[token]

    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        if type(a) is not int and a is not UNDEFINED and not finite(a):
            raise EvaluationError("T2001", value=a, token=token)
        if type(b) is not int and b is not UNDEFINED and not finite(b):
            raise EvaluationError("T2002", value=b, token=token)
        if a is UNDEFINED or b is UNDEFINED:
            return UNDEFINED
        return number(calculate(a, b))

    return evaluate


def _comparison(token: str, left: Closure, right: Closure) -> Closure:
    compare = _COMPARISON[token]

    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        for side in (a, b):
            if side is not UNDEFINED and type(side) not in {int, float, str}:
                raise EvaluationError("T2010", value=side, token=token)
        if a is UNDEFINED or b is UNDEFINED:
            return UNDEFINED
        if (type(a) is str) != (type(b) is str):
            raise EvaluationError("T2009", value=a, value2=b, token=token)
        return compare(a, b)

    return evaluate


def _equal(left: Closure, right: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        if type(a) is str or type(b) is str:
            return a == b if type(a) is type(b) else False
        frame.runtime.check_time()
        return a is not UNDEFINED and b is not UNDEFINED and same(a, b)

    return evaluate


def _unequal(left: Closure, right: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        frame.runtime.check_time()
        return a is not UNDEFINED and b is not UNDEFINED and not same(a, b)

    return evaluate


def _concatenate(left: Closure, right: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        a = a if type(a) is str else "" if a is UNDEFINED else string(frame.runtime, a)
        b = b if type(b) is str else "" if b is UNDEFINED else string(frame.runtime, b)
        size = len(a) + len(b)
        if size > 1000:
            frame.runtime.reserve(characters=size)
        return a + b

    return evaluate


def _and(left: Closure, right: Closure) -> Closure:
    return lambda value, frame: truth(left(value, frame)) and truth(right(value, frame))


def _or(left: Closure, right: Closure) -> Closure:
    return lambda value, frame: truth(left(value, frame)) or truth(right(value, frame))


def _in(left: Closure, right: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        if a is UNDEFINED or b is UNDEFINED:
            return False
        if not isinstance(b, list):
            b = [b]
        frame.runtime.check_time()
        if isinstance(a, list | dict):
            return any(item is a for item in b)
        return any(same(item, a) for item in b)

    return evaluate


def _range(left: Closure, right: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        a, b = left(value, frame), right(value, frame)
        if a is not UNDEFINED and type(number(a) if is_number(a) else a) is not int:
            raise EvaluationError("T2003", value=a)
        if b is not UNDEFINED and type(number(b) if is_number(b) else b) is not int:
            raise EvaluationError("T2004", value=b)
        if a is UNDEFINED or b is UNDEFINED or a > b:
            return UNDEFINED
        size = b - a + 1
        if size > _MAX_RANGE:
            raise EvaluationError("D2014", value=size)
        frame.runtime.reserve(members=size, each=36)
        return Sequence(range(a, b + 1))

    return evaluate


_OTHERS: dict[str, Callable[[Closure, Closure], Closure]] = {
    "=": _equal, "!=": _unequal, "&": _concatenate, "and": _and, "or": _or, "in": _in, "..": _range,
}  # fmt: skip


@compiles("unary")
def _unary(node: Node) -> Closure:
    if node.value == "[":
        return _array(node)
    return compile_group(node) if node.value == "{" else _negation(node)


def _negation(node: Node) -> Closure:
    operand = compile_node(node.expression)

    def evaluate(value: Any, frame: Frame) -> Any:
        result = operand(value, frame)
        if result is UNDEFINED:
            return UNDEFINED
        if not finite(result):
            raise EvaluationError("D1002", token="-", value=result)  # noqa: S106 - a token of the language
        return -result

    return evaluate


def _array(node: Node) -> Closure:
    items = [(compile_node(item), item.type == "unary" and item.value == "[") for item in node.expressions]
    make = Constructed if node.consarray else list

    def evaluate(value: Any, frame: Frame) -> Any:
        made: list[Any] = make()
        for item, nested in items:
            found = item(value, frame)
            if found is UNDEFINED:
                continue
            if nested or not isinstance(found, list):
                made.append(found)
            else:
                frame.runtime.reserve(members=len(made) + len(found))
                made.extend(found)
        return made

    return evaluate
