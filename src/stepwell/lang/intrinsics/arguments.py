"""What the functions share: the kinds of arguments and how a number becomes a whole one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from stepwell.lang.javavalues import is_number

Arguments = Sequence[Any]
ANY = "any"


class Invalid(Exception):
    """The arguments are not of the form the function takes; carries AWS's further words, if it has any."""


KINDS: dict[str, Callable[[Any], bool]] = {
    ANY: lambda value: True,
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def whole(value: Any) -> int:
    """The number without its fraction. Raises Invalid for infinity."""
    if not math.isfinite(value):
        raise Invalid
    return int(value)
