"""Timestamps of the Amazon States Language: the RFC 3339 profile with an upper-case T and Z.

Source: https://states-language.net/spec.html#timestamps. What AWS refuses is recorded (test_wait_timestamp_invalid):
another separator than ``T``, a month 13, an hour 25, a missing offset.
"""

from __future__ import annotations

import re
from datetime import date

_PATTERN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = date(1970, 1, 1).toordinal()
_NANOSECONDS = 1_000_000_000


def timestamp_key(text: str) -> tuple[int, int]:
    """Seconds since 1970 (UTC) and nanoseconds (0 to 999,999,999): exact, and ordered as the instants are.

    Raises ValueError.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"not a timestamp: {text!r}")
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"not a time of day: {text!r}")
    days = date(year, month, day).toordinal() - _EPOCH
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    fraction, zulu, sign, offset_hours, offset_minutes = found.group(7, 8, 9, 10, 11)
    if not zulu:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError(f"not an offset: {text!r}")
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60
        seconds += offset if sign == "-" else -offset
    return seconds, int(fraction.ljust(9, "0")) if fraction else 0


def parse_timestamp(text: str) -> float:
    """Seconds since 1970 (UTC). Raises ValueError."""
    seconds, nanoseconds = timestamp_key(text)
    return seconds + nanoseconds / _NANOSECONDS


def is_timestamp(text: str) -> bool:
    """Whether the text is a timestamp (the Choice rule IsTimestamp)."""
    try:
        timestamp_key(text)
    except ValueError:
        return False
    return True
