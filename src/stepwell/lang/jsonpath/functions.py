"""The functions at the end of a path, one table: name to (the value so far, the arguments) to result.

Source: Jayway JsonPath README, "Functions". Sums and means are doubles there, so floats here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from stepwell.lang.javavalues import is_number, java_text
from stepwell.lang.jsonpath.errors import PathMismatch

_NOTHING = "Aggregation function attempted to calculate value using empty array"


def _aggregation(combine: Callable[[list[float]], float]) -> Callable[[Any, list[Any]], Any]:
    def function(value: Any, arguments: list[Any]) -> Any:
        numbers = [float(item) for item in (value if isinstance(value, list) else []) if is_number(item)]
        for argument in arguments:
            items = argument if isinstance(argument, list) else [argument]
            numbers += [float(item) for item in items if is_number(item)]
        if not numbers:
            raise PathMismatch(_NOTHING)
        return combine(numbers)

    return function


def _deviation(numbers: list[float]) -> float:
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(max(0.0, math.fsum(number * number for number in numbers) / len(numbers) - mean * mean))


def _length(value: Any, arguments: list[Any]) -> Any:
    if arguments and isinstance(arguments[0], list):
        return len(arguments[0])
    return len(value) if isinstance(value, list | dict) else None


def _keys(value: Any, arguments: list[Any]) -> Any:
    return list(value) if isinstance(value, dict) else None


def _concat(value: Any, arguments: list[Any]) -> Any:
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    for argument in arguments:
        items = argument if isinstance(argument, list) else [argument]
        texts += [java_text(item) for item in items if item is not None]
    return "".join(texts)


def _append(value: Any, arguments: list[Any]) -> Any:
    return value + arguments if isinstance(value, list) else value


def _item(value: Any, at: int) -> Any:
    if not isinstance(value, list):
        raise PathMismatch(_NOTHING)
    if not -len(value) < at < len(value):  # the first item cannot be counted from the end (Jayway)
        raise PathMismatch(f"Target index:{at} larger than object count:{len(value)}")
    return value[at]


def _index(value: Any, arguments: list[Any]) -> Any:
    if not arguments or not is_number(arguments[0]):
        raise PathMismatch("index() needs a number")
    return _item(value, int(arguments[0]))


FUNCTIONS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "min": _aggregation(min),
    "max": _aggregation(max),
    "avg": _aggregation(lambda numbers: math.fsum(numbers) / len(numbers)),
    "stddev": _aggregation(_deviation),
    "sum": _aggregation(sum),
    "length": _length,
    "size": _length,
    "keys": _keys,
    "concat": _concat,
    "append": _append,
    "first": lambda value, arguments: _item(value, 0),
    "last": lambda value, arguments: _item(value, -1),
    "index": _index,
}
