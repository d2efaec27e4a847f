"""What Java makes of a JSON value: its text, its equality and its hash.

AWS evaluates JSONPath and intrinsic functions in Java, and Java shows through: ``States.Format`` of an object gives
``{Arg1=1, Arg2=[]}`` (recorded: test_format_2), ``States.ArrayUnique`` answers in the order of a ``HashSet``. The
types are those Jackson reads: Integer, Long or BigInteger for whole numbers, Double for the others, LinkedHashMap,
ArrayList.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Any

_INT_BITS = 32
_INT_LOW, _INT_HIGH = -(1 << 31), (1 << 31) - 1
_LONG_BITS = 64
_MASK = (1 << _INT_BITS) - 1
_PLAIN_LOW, _PLAIN_HIGH = 1e-3, 1e7  # Double.toString writes an exponent outside of this range


def is_number(value: Any) -> bool:
    """A JSON number; a boolean is none."""
    return type(value) is int or type(value) is float


def fits_int(value: int) -> bool:
    """Whether a Java ``int`` can hold the number."""
    return _INT_LOW <= value <= _INT_HIGH


def java_text(value: Any) -> str:
    """``String.valueOf`` of the value: strings as they are, maps as ``{a=1}``, lists as ``[1, x]``."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return str(value)


def double_text(number: float) -> str:
    """``Double.toString``: ``1.5``, ``100.0``, ``1.0E10``, ``1.0E-4``."""
    if math.isnan(number) or math.isinf(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0 or _PLAIN_LOW <= abs(number) < _PLAIN_HIGH:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else text + ".0"
    sign, digits, _ = Decimal(repr(number)).as_tuple()
    exponent = Decimal(repr(number)).adjusted()
    head, tail = str(digits[0]), "".join(map(str, digits[1:])).rstrip("0")
    return f"{'-' if sign else ''}{head}.{tail or '0'}E{exponent}"


def java_equal(left: Any, right: Any) -> bool:
    """``Object.equals``: 1 and 1.0 differ, objects are equal whatever the order of their keys."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and len(left) == len(right)
            and all(key in right and java_equal(item, right[key]) for key, item in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(java_equal, left, right))
    return type(left) is type(right) and bool(left == right)


def java_hash(value: Any) -> int:
    """``Object.hashCode`` as an unsigned 32-bit number."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, int):
        return _whole_hash(value)
    if isinstance(value, float):
        bits: int = struct.unpack(">Q", struct.pack(">d", value))[0]
        return (bits ^ (bits >> _INT_BITS)) & _MASK
    if isinstance(value, str):
        return _string_hash(value)
    if isinstance(value, list):
        total = 1
        for item in value:
            total = (31 * total + java_hash(item)) & _MASK
        return total
    return sum(_string_hash(key) ^ java_hash(item) for key, item in value.items()) & _MASK


def hash_set(values: list[Any]) -> list[Any]:
    """The distinct values in the order in which ``new HashSet<>(values)`` gives them back."""
    size = 16
    while size < int(len(values) / 0.75) + 1:
        size *= 2
    buckets: dict[int, list[Any]] = {}
    for value in values:
        code = java_hash(value)
        bucket = buckets.setdefault((code ^ (code >> 16)) & (size - 1), [])
        if not any(java_equal(value, other) for other in bucket):
            bucket.append(value)
    return [value for place in sorted(buckets) for value in buckets[place]]


def _whole_hash(value: int) -> int:
    if fits_int(value):
        return value & _MASK
    if -(1 << (_LONG_BITS - 1)) <= value < 1 << (_LONG_BITS - 1):
        bits = value & ((1 << _LONG_BITS) - 1)
        return (bits ^ (bits >> _INT_BITS)) & _MASK
    total, rest = 0, abs(value)
    for shift in range((rest.bit_length() - 1) // _INT_BITS, -1, -1):
        total = (31 * total + ((rest >> (_INT_BITS * shift)) & _MASK)) & _MASK
    return total if value > 0 else -total & _MASK


def _string_hash(text: str) -> int:
    total = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        total = (31 * total + (units[at] << 8) + units[at + 1]) & _MASK
    return total
