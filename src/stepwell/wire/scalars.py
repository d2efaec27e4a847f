"""Text forms of timestamps, blobs and numbers, the same in all protocols.

Inside, a timestamp is seconds since the epoch as float and a blob is bytes. Every function raises ServiceError
SerializationException for text it cannot read.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from typing import Any

from stepwell.wire import errors

# What Java holds in an Integer and a Long; a number beyond is cut to the nearest (measured on AWS: DynamoDB answered
# "Value '2147483647' at 'limit'" for a larger one).
INTEGER_BOUNDS = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
TRUE_WORDS = frozenset({"true", "yes", "y", "t", "1"})
FALSE_WORDS = frozenset({"false", "no", "n", "f", "0"})

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def clamp(number: float, kind: str) -> int:
    """A JSON or form number as Java reads it into an ``integer`` or ``long``: fraction cut off, kept in bounds."""
    low, high = INTEGER_BOUNDS[kind]
    return int(max(low, min(high, number)))


def integer_of(text: str, kind: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise errors.wrong_type(text, kind)
    return clamp(int(text), kind)


def float_of(text: str, kind: str) -> float:
    if text in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[text]
    if not _DECIMAL.fullmatch(text):
        raise errors.wrong_type(text, kind)
    return float(text)


def boolean_of(text: str) -> bool:
    """The words that AWS reads as a boolean where a string is given (measured on Amazon SES)."""
    word = text.lower()
    if word not in TRUE_WORDS and word not in FALSE_WORDS:
        raise errors.wrong_type(text, "boolean")
    return word in TRUE_WORDS


def float_text(number: float) -> str:
    """How the protocols spell the floats that JSON has no number for."""
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def moment_of(text: str) -> float:
    """ISO 8601 with a zone, or epoch seconds as text."""
    try:
        if _DECIMAL.fullmatch(text):
            return round(float(text), 3)
        found = datetime.fromisoformat(text)
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), 3)
    except (ValueError, OverflowError):
        raise errors.wrong_type(text, "timestamp") from None


def moment_text(seconds: float) -> str:
    """``2026-01-01T00:00:00Z``, with milliseconds only if there are any."""
    found = datetime.fromtimestamp(round(seconds, 3), UTC)
    spec = "milliseconds" if found.microsecond else "seconds"
    return found.isoformat(timespec=spec).replace("+00:00", "Z")


def blob_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise errors.serialization("The value of a Blob is not base64") from None


def blob_text(value: Any) -> str:
    """Bytes, or text that is taken as UTF-8, in base64."""
    raw = value.encode() if isinstance(value, str) else value
    return base64.b64encode(raw).decode()
