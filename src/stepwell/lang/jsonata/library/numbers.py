"""Functions on numbers and aggregates (https://docs.jsonata.org/numeric-functions, aggregation-functions)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.library.strings import numeric_text
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED, number, truth

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@native("number", "<(nsb)-:n>", 1)
def to_number(_runtime: Runtime, value: Any) -> Any:
    if value is UNDEFINED or type(value) in {int, float}:
        return value
    if type(value) is bool:
        return int(value)
    found = numeric_text(value)
    if found is None:
        raise EvaluationError("D3030", value=value, index=1)
    return number(found)


@native("abs", "<n-:n>", 1)
def absolute(_runtime: Runtime, value: Any) -> Any:
    return value if value is UNDEFINED else abs(value)


@native("floor", "<n-:n>", 1)
def floor(_runtime: Runtime, value: Any) -> Any:
    return value if value is UNDEFINED or not math.isfinite(value) else number(math.floor(value))


@native("ceil", "<n-:n>", 1)
def ceil(_runtime: Runtime, value: Any) -> Any:
    return value if value is UNDEFINED or not math.isfinite(value) else number(math.ceil(value))


@native("round", "<n-n?:n>", 2)
def round_number(_runtime: Runtime, value: Any, precision: Any = UNDEFINED) -> Any:
    return value if value is UNDEFINED else rounded_to(value, 0 if precision is UNDEFINED else int(precision))


def rounded_to(value: float, places: int) -> float:
    """Halves go to the even neighbour, judged on the decimal digits a number is shown with."""
    if not math.isfinite(value) or abs(places) > 400:
        return value if places >= 0 else 0
    with localcontext() as context:
        context.prec = 800
        exact = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return number(float(exact))


@native("sqrt", "<n-:n>", 1)
def sqrt(_runtime: Runtime, value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if value < 0:
        raise EvaluationError("D3060", value=value, index=1)
    return number(math.sqrt(value))


@native("power", "<n-n:n>", 2)
def power(_runtime: Runtime, base: Any, exponent: Any = UNDEFINED) -> Any:
    if base is UNDEFINED:
        return UNDEFINED
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        result = math.inf
    if not math.isfinite(result):
        raise EvaluationError("D3061", value=base, index=1, exp=exponent)
    return number(result)


@native("formatBase", "<n-n?:s>", 2)
def format_base(_runtime: Runtime, value: Any, radix: Any = UNDEFINED) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    whole = int(rounded_to(value, 0))
    base = 10 if radix is UNDEFINED else int(rounded_to(radix, 0))
    if not 2 <= base <= 36:
        raise EvaluationError("D3100", value=base)
    digits = []
    rest = abs(whole)
    while rest:
        rest, digit = divmod(rest, base)
        digits.append(_DIGITS[digit])
    return ("-" if whole < 0 else "") + ("".join(reversed(digits)) or "0")


@native("boolean", "<x-:b>", 1)
def boolean(_runtime: Runtime, value: Any) -> Any:
    return value if value is UNDEFINED else truth(value)


@native("not", "<x-:b>", 1)
def negated(_runtime: Runtime, value: Any) -> Any:
    return value if value is UNDEFINED else not truth(value)


# ------------------------------------------------------------------------------------------------------- aggregates


def total(values: list[Any]) -> float:
    """Added up from left to right, as doubles are."""
    result: float = 0
    for value in values:
        result += value
    return number(result)


@native("sum", "<a<n>:n>", 1)
def sum_of(_runtime: Runtime, values: Any) -> Any:
    return values if values is UNDEFINED else total(values)


@native("count", "<a:n>", 1)
def count(_runtime: Runtime, values: Any) -> Any:
    return 0 if values is UNDEFINED else len(values)


@native("max", "<a<n>:n>", 1)
def largest(_runtime: Runtime, values: Any) -> Any:
    return max(values) if values is not UNDEFINED and values else UNDEFINED


@native("min", "<a<n>:n>", 1)
def smallest(_runtime: Runtime, values: Any) -> Any:
    return min(values) if values is not UNDEFINED and values else UNDEFINED


@native("average", "<a<n>:n>", 1)
def average(_runtime: Runtime, values: Any) -> Any:
    return number(total(values) / len(values)) if values is not UNDEFINED and values else UNDEFINED
