"""``$fromMillis`` and ``$toMillis`` (https://docs.jsonata.org/date-time): times by picture, and back.

Years, weeks and days are computed on a proleptic Gregorian calendar in UTC; ISO weeks begin on Monday, and the week of
a month follows the same rule.
"""

from __future__ import annotations

import math
import re
from calendar import timegm
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.library.integers import (
    IntegerFormat,
    integer_format,
    integer_pattern,
    integer_text,
    read_integer,
)
from stepwell.lang.jsonata.library.pictures import NUMERIC, Marker, read_picture
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED

_ISO = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
_DAYS = ["", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_TIME = 8.64e15  # milliseconds around the epoch that JavaScript has dates for
_TWO_DIGITS = integer_format("00")


@native("fromMillis", "<n-s?s?:s>", 3)
def from_millis(_runtime: Runtime, millis: Any, picture: Any = UNDEFINED, timezone: Any = UNDEFINED) -> Any:
    return UNDEFINED if millis is UNDEFINED else format_time(millis, picture, timezone)


def format_time(millis: float, picture: Any, timezone: Any) -> str:
    """``timezone`` is an offset such as ``-0500``."""
    hours = minutes = 0
    if timezone is not UNDEFINED and (found := re.match(r"\s*([-+]?\d+)", timezone)):
        offset = int(found.group(1))
        hours, minutes = offset // 100, int(math.fmod(offset, 100))
    try:
        moment = _EPOCH + timedelta(milliseconds=math.floor(millis), minutes=60 * hours + minutes)
    except OverflowError:
        raise EvaluationError("D3110", value=millis) from None
    parts = read_picture(_ISO if picture is UNDEFINED else picture)
    return "".join(part if isinstance(part, str) else _shown(moment, part, hours, minutes) for part in parts)


def _shown(moment: datetime, marker: Marker, hours: int, minutes: int) -> str:
    component = marker.component
    if component in "Zz":
        assert marker.integer is not None
        return _zone(marker, marker.integer, hours, minutes)
    if component == "P":
        half = "am" if moment.hour < 12 else "pm"
        return half.upper() if marker.names == "upper" else half
    if component in "CE":
        return "ISO"
    value = fragment(moment, component)
    if component == "Y" and marker.digits != -1:
        value %= 10**marker.digits
    if marker.names:
        return _name(marker, value)
    assert marker.integer is not None
    return integer_text(value, marker.integer)


def _name(marker: Marker, value: int) -> str:
    if marker.component in "Mx":
        name = _MONTHS[value - 1]
    elif marker.component == "F":
        name = _DAYS[value]
    else:
        raise EvaluationError("D3133", value=marker.component)
    name = name.upper() if marker.names == "upper" else name.lower() if marker.names == "lower" else name
    return name[: marker.widest] if marker.widest is not None else name


def _zone(marker: Marker, form: IntegerFormat, hours: int, minutes: int) -> str:
    offset = hours * 100 + minutes
    if form.regular:
        text = integer_text(offset, form)
    elif form.mandatory in {1, 2}:
        text = integer_text(hours, form)
        if minutes:
            text += ":" + integer_text(minutes, _TWO_DIGITS)
    elif form.mandatory in {3, 4}:
        text = integer_text(offset, form)
    else:
        raise EvaluationError("D3134", value=form.mandatory)
    if offset >= 0:
        text = "+" + text
    if marker.component == "z":
        text = "GMT" + text
    return "Z" if offset == 0 and marker.traditional else text


# --------------------------------------------------------------------------------------------------------- calendar


def fragment(moment: datetime, component: str) -> int:
    """One part of a time as a number."""
    simple = {
        "Y": moment.year, "M": moment.month, "D": moment.day, "F": moment.isoweekday(), "H": moment.hour,
        "h": moment.hour % 12 or 12, "m": moment.minute, "s": moment.second, "f": moment.microsecond // 1000,
        "P": moment.hour // 12,
    }  # fmt: skip
    if component in simple:
        return simple[component]
    today = moment.date()
    if component == "d":
        return today.timetuple().tm_yday
    if component in "WX":
        iso = today.isocalendar()
        return iso.week if component == "W" else iso.year
    return _week_of_month(today)[1 if component == "w" else 0]


def _week_of_month(today: date) -> tuple[int, int]:
    """(month, week): the week belongs to the month its Thursday is in."""
    thursday = today + timedelta(days=4 - today.isoweekday())
    return thursday.month, (thursday.day - 1) // 7 + 1


# ---------------------------------------------------------------------------------------------------------- parsing

_TIMESTAMP = re.compile(
    r"(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(?:\.(\d+))?"
    r"(Z|[+-][0-2]\d:?[0-5]\d)?"
)


@native("toMillis", "<s-s?:n>", 2)
def to_millis(runtime: Runtime, text: Any, picture: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if picture is not UNDEFINED:
        return _parsed(runtime, text, picture)
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise EvaluationError("D3110", value=text)
    year, month, day, hour, minute, second = (int(group or default) for group, default in zip(
        found.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True))  # fmt: skip
    fraction = int((found[7] or "0")[:3].ljust(3, "0"))
    zone = found[8] or "Z"
    shift = 0 if zone == "Z" else _minutes(zone)
    try:
        datetime(year or 1, month, day, min(hour, 23), minute, second, tzinfo=UTC)
    except ValueError:
        return math.nan
    return _utc(year, month, day, hour, minute, second, fraction) - shift * 60_000


def _minutes(zone: str) -> int:
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if zone[0] == "-" else minutes


def _utc(year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: int) -> float:
    """Milliseconds since the epoch; parts beyond their range carry over, as ``Date.UTC`` has it."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if not 0 <= year <= 9999 or max(map(abs, (day, hour, minute, second, fraction))) > _LARGEST_TIME:
        return math.nan
    days = timegm((max(year, 1), month, 1, 0, 0, 0)) + (day - 1) * 86_400
    return (days + hour * 3_600 + minute * 60 + second) * 1000 + fraction


def _parsed(runtime: Runtime, text: str, picture: str) -> Any:
    parts = read_picture(picture)
    pattern = "".join(f"({re.escape(part) if isinstance(part, str) else _pattern(part)})" for part in parts)
    found = re.fullmatch(pattern, text[:10_000], re.IGNORECASE)
    if found is None:
        return UNDEFINED
    components: dict[str, int] = {}
    try:
        for part, matched in zip(parts, found.groups(), strict=True):
            if isinstance(part, Marker) and (value := _read(part, matched)) is not None:
                components[part.component] = value
    except (KeyError, ValueError):
        return math.nan
    return _moment(components, _EPOCH + timedelta(milliseconds=round(runtime.now * 1000))) if components else UNDEFINED


def _pattern(marker: Marker) -> str:
    if marker.component in "Zz":
        assert marker.integer is not None
        pattern = "[-+][0-9]+"
        if marker.integer.separators:
            pattern += re.escape(marker.integer.separators[0][1]) + "[0-9]+"
        return ("GMT" if marker.component == "z" else "") + pattern
    if marker.integer is not None:
        return integer_pattern(marker.integer)
    if marker.component not in "MxFP":
        raise EvaluationError("D3133", value=marker.component)
    return "[a-zA-Z]+"


def _read(marker: Marker, text: str) -> int | None:
    component = marker.component
    if component in "Zz":
        zone = text.removeprefix("GMT")
        digits = re.sub(r"[^0-9]", "", zone)
        if marker.integer is not None and not marker.integer.separators and len(digits) <= 2:
            digits += "00"
        return _minutes(zone[0] + digits.rjust(4, "0"))
    if component in NUMERIC and marker.integer is not None:
        return read_integer(text, marker.integer)
    if component == "P":
        return {"am": 0, "pm": 1}[text.lower()]
    names = _DAYS[1:] if component == "F" else _MONTHS
    shown = [name[: marker.widest] if marker.widest else name for name in names]
    return [name.lower() for name in shown].index(text.lower()) + 1


def _moment(found: dict[str, int], now: datetime) -> float:
    """Parts above the most significant one given are those of now, parts below the least are the first ones.

    Raises EvaluationError D3136 for gaps and for dates by week, which the reference implementation does not read.
    """
    by_day = _only(found, "YXMxWwdD", "Yd")
    by_week = _only(found, "YXMxWwdD", "Xxw") or _only(found, "YXMxWwdD", "XW")
    half = _only(found, "PHhmsf", "Phmsf")
    dates = "Yd" if by_day else "XxwF" if "x" in found or "w" in found else "XWF" if by_week else "YMD"
    parts = dates + ("Phmsf" if half else "Hmsf")
    complete = dict(found)
    started = ended = False
    for part in parts:
        if part in found:
            started = True
            if ended:
                raise EvaluationError("D3136")
        elif started:
            complete[part] = 1 if part in "MDd" else 0
            ended = True
        else:
            complete[part] = fragment(now, part)
    if by_week:
        raise EvaluationError("D3136")
    month, day = (1, complete["d"]) if by_day else (complete["M"] or 1, complete["D"])
    hour = complete.get("H", 0)
    if half:
        hour = (0 if complete["h"] == 12 else complete["h"]) + (12 if complete["P"] == 1 else 0)
    millis = _utc(complete["Y"], month, day, hour, complete["m"], complete["s"], complete["f"])
    return millis - (found.get("Z") or found.get("z") or 0) * 60_000


def _only(found: dict[str, int], among: str, wanted: str) -> bool:
    """Whether of these components only the wanted ones are there, and at least one that counts."""
    present = {part for part in among if found.get(part)}
    if wanted == "Phmsf":
        return bool(present) and present <= set(wanted) and bool(present & {"P", "h"})
    return bool(present) and present <= set(wanted) and not present <= set("YMD")
