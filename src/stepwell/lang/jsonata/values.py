"""The values of an evaluation: JSON as Python has it, plus what JSONata adds.

::

    None            JSON null                     UNDEFINED   nothing at all
    Sequence        a result list that collapses to its only member unless ``keep`` is set
    Constructed     an array written with [...] at the end or start of a path; never flattened
    Function        something that can be called (``functions.Native``, ``functions.Lambda``, a regular expression)

Numbers are those of JavaScript: a double, shown without a fraction when it has none. Whole numbers stay Python
integers while a double (or, unchanged from the input, a 64-bit integer) holds them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final


class _Undefined:
    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final[Any] = _Undefined()

SAFE_INTEGER = 1 << 53
LONG_LIMIT = 9.223372036854775807e18  # beyond it AWS shows an exponent (measured: floci-io/floci pull 2783)
_EXPONENT_FROM = 1e21  # where JavaScript starts to write exponents


class Sequence(list[Any]):
    """A list that came out of a query. ``tuples`` marks a stream of bindings (``@``, ``#`` and ``%``)."""

    __slots__ = ("keep", "tuples")

    def __init__(self, items: Iterable[Any] = (), *, keep: bool = False, tuples: bool = False) -> None:
        super().__init__(items)
        self.keep = keep
        self.tuples = tuples


class Constructed(list[Any]):
    """An array constructor's result inside a path."""

    __slots__ = ()


class Function:
    """Anything callable; ``arity`` decides how many arguments a higher-order function passes."""

    __slots__ = ()
    arity = 0


def is_number(value: Any) -> bool:
    """Whether this can be calculated with; NaN cannot. ``true`` and ``false`` are no numbers."""
    kind = type(value)
    return kind is int or (kind is float and value == value)  # noqa: PLR0124 - NaN differs from itself


def is_string(value: Any) -> bool:
    return type(value) is str


def is_array(value: Any) -> bool:
    return isinstance(value, list)


def number(value: float) -> float:
    """A calculated number in its plain form: ``2.0`` is ``2``, whole numbers beyond 2^53 are rounded as doubles are."""
    if type(value) is int:
        if -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return value
        try:
            value = float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if value.is_integer() and -LONG_LIMIT < value < LONG_LIMIT:
        return int(value)
    return value


def integer(value: float) -> int:
    """Rounded towards zero, as Step Functions' own functions do (measured: floci-io/floci pull 2676)."""
    return int(value) if math.isfinite(value) else 0


def truth(value: Any) -> bool:
    """JSONata's cast to boolean; undefined is false."""
    kind = type(value)
    if kind is bool:
        return bool(value)
    if kind is str or kind is dict:
        return len(value) > 0
    if kind is int or kind is float:
        return bool(value != 0 and value == value)  # noqa: PLR0124 - NaN is false
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else any(truth(item) for item in value)
    return False


def same(left: Any, right: Any) -> bool:
    """Deep equality: 1 is not true, arrays and objects are compared by content."""
    if type(left) is bool or type(right) is bool:
        return left is right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    if type(left) is dict:
        return (
            type(right) is dict
            and len(left) == len(right)
            and all(key in right and same(item, right[key]) for key, item in left.items())
        )
    if isinstance(left, Function) or left is None or left is UNDEFINED:
        return left is right
    return type(right) is not dict and bool(left == right)


def shown_number(value: float) -> str:
    """As JavaScript prints it: digits in full below 1e21, then ``1e+21``; small ones from 1e-7 as ``1e-7``."""
    if type(value) is int:
        if abs(value) < _EXPONENT_FROM:
            return str(value)
        value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands in the digits
    lead = "-" if sign else ""
    if -6 < point <= 21:
        if exponent >= 0:
            return lead + text + "0" * exponent
        if point > 0:
            return f"{lead}{text[:point]}.{text[point:]}"
        return f"{lead}0.{'0' * -point}{text}"
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{lead}{text[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def rounded(value: float) -> float:
    """What ``$string`` makes of a number first: fractions are cut to 15 significant digits."""
    if type(value) is int or not math.isfinite(value) or value.is_integer():
        return value
    return float(f"{value:.14e}")


def shown_json_number(value: float) -> str:
    return shown_number(rounded(value)) if math.isfinite(value) else "null"


def stringify(value: Any, indent: int | None = None, show: Callable[[float], str] = shown_json_number) -> str:
    """JSON text as ``JSON.stringify`` writes it; functions become empty strings, undefined members are left out."""
    return "".join(_pieces(value, indent, "\n", show))


def _pieces(value: Any, indent: int | None, margin: str, show: Callable[[float], str]) -> Iterable[str]:
    kind = type(value)
    if kind is str:
        yield json.dumps(value, ensure_ascii=False)
    elif kind is int or kind is float:
        yield show(value)
    elif isinstance(value, list):
        yield from _members("[", "]", [("", item) for item in value], indent, margin, show)
    elif isinstance(value, dict):
        colon = '": ' if indent else '":'
        shown = [(json.dumps(k, ensure_ascii=False)[:-1] + colon, v) for k, v in value.items() if v is not UNDEFINED]
        yield from _members("{", "}", shown, indent, margin, show)
    elif isinstance(value, Function):
        yield '""'
    elif kind is bool:
        yield "true" if value else "false"
    else:
        yield "null"


def _members(
    opening: str, closing: str, members: list[Any], indent: int | None, margin: str, show: Callable[[float], str]
) -> Iterable[str]:
    if not members:
        yield opening + closing
        return
    inner = margin + " " * (indent or 0)
    yield opening
    for position, (name, item) in enumerate(members):
        yield ("," if position else "") + (inner if indent else "") + name
        yield from _pieces(item, indent, inner, show)
    yield (margin if indent else "") + closing


def append(left: Any, right: Any) -> Any:
    """Both lists end to end; what is no list counts as one member, undefined as none."""
    if left is UNDEFINED:
        return right
    if right is UNDEFINED:
        return left
    ends = [*left] if isinstance(left, list) else [left]
    if isinstance(right, list):
        ends.extend(right)
    else:
        ends.append(right)
    return ends


def lookup(value: Any, key: str) -> Any:
    """The member called ``key``; of a list, the members of all its items as a sequence."""
    if type(value) is dict:
        return value.get(key, UNDEFINED)
    if not isinstance(value, list):
        return UNDEFINED
    found = Sequence()
    for item in value:
        member = lookup(item, key)
        if isinstance(member, list):
            found.extend(member)
        elif member is not UNDEFINED:
            found.append(member)
    return found


def collapsed(value: Any) -> Any:
    """A sequence as the value it stands for: nothing, its only member, or itself."""
    if type(value) is Sequence and not value.tuples:
        if not value:
            return UNDEFINED
        if len(value) == 1 and not value.keep:
            return value[0]
    return value
