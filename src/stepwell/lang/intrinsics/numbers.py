"""The functions on numbers. A 64-bit whole number is refused: AWS takes Java's int and double only."""

from __future__ import annotations

import math
from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics.arguments import Arguments, Invalid, whole
from stepwell.lang.javarandom import JavaRandom
from stepwell.lang.javavalues import fits_int, is_number

_LONG_MAX = (1 << 63) - 1
_INT = 1 << 32


def math_add(given: Arguments, ids: Ids) -> Any:
    """Each number is rounded, halves upwards, then added: -1.5 counts as -1 (recorded: test_math_add)."""
    total = _rounded(given[0]) + _rounded(given[1])
    if not fits_int(total):
        raise Invalid
    return total


def math_random(given: Arguments, ids: Ids) -> Any:
    """From start up to, not including, end; a seed gives the same number again, the one of ``java.util.Random``."""
    start, end = whole(given[0]), whole(given[1])
    if not (fits_int(start) and fits_int(end) and start < end):
        raise Invalid
    if len(given) < 3:
        return start + int(ids.random() * (end - start))
    if not is_number(given[2]):
        raise Invalid
    return JavaRandom(whole(given[2])).between(start, end)


def _rounded(value: Any) -> int:
    """``(int) Math.round(value)`` of a double, which wraps around; a whole number must fit (assumed from: 3000000000 is
    refused, 1e309 is taken)."""
    if isinstance(value, int):
        if not fits_int(value):
            raise Invalid
        return value
    if math.isinf(value):
        nearest = _LONG_MAX if value > 0 else -_LONG_MAX - 1
    else:
        below = math.floor(value)
        nearest = min(max(below + (value - below >= 0.5), -_LONG_MAX - 1), _LONG_MAX)
    return (nearest + _INT // 2) % _INT - _INT // 2
