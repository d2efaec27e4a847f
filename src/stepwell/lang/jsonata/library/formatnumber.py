"""``$formatNumber``: numbers by a picture such as ``#,##0.00`` (rules: XPath Functions and Operators 3.1, section 4.7)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.library.numbers import rounded_to
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED, shown_number

MAX_PICTURE = 1_000  # assumed: longer ones are somebody's attack
_DEFAULTS = {
    "decimal-separator": ".", "grouping-separator": ",", "exponent-separator": "e", "infinity": "Infinity",
    "minus-sign": "-", "NaN": "NaN", "percent": "%", "per-mille": "\u2030", "zero-digit": "0", "digit": "#",
    "pattern-separator": ";",
}  # fmt: skip


@dataclass(slots=True)
class _Symbols:
    decimal: str
    group: str
    exponent: str
    minus: str
    percent: str
    per_mille: str
    digit: str
    separator: str
    family: str

    @property
    def active(self) -> str:
        return self.family + self.decimal + self.exponent + self.group + self.digit + self.separator


@dataclass(slots=True)
class _Parts:
    """A sub-picture cut up: prefix, integer, fraction, exponent, suffix."""

    picture: str
    prefix: str
    suffix: str
    active: str
    mantissa: str
    integer: str
    fraction: str
    exponent: str | None


@dataclass(slots=True)
class _Layout:
    parts: _Parts
    groups: list[int]
    regular: int
    fraction_groups: list[int]
    least_integer: int
    scaling: int
    least_fraction: int
    most_fraction: int
    exponent_size: int


@native("formatNumber", "<n-so?:s>", 3)
def format_number(_runtime: Runtime, value: Any, picture: Any = UNDEFINED, options: Any = UNDEFINED) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    if len(picture) > MAX_PICTURE:
        raise EvaluationError("D3086")
    symbols = _symbols(options if type(options) is dict else {})
    pictures = picture.split(symbols.separator)
    if len(pictures) > 2:
        raise EvaluationError("D3080")
    all_parts = [_cut(each, symbols) for each in pictures]
    for parts in all_parts:
        _check(parts, symbols)
    layouts = [_layout(parts, symbols) for parts in all_parts]
    layout = layouts[-1] if value < 0 else layouts[0]
    lead = symbols.minus if value < 0 and len(layouts) == 1 else ""
    return lead + layout.parts.prefix + _digits(value, layout, symbols) + layout.parts.suffix


def _symbols(options: dict[str, Any]) -> _Symbols:
    chosen = {**_DEFAULTS, **{key: value for key, value in options.items() if type(value) is str and value}}
    zero = ord(chosen["zero-digit"][0])
    return _Symbols(
        decimal=chosen["decimal-separator"], group=chosen["grouping-separator"],
        exponent=chosen["exponent-separator"], minus=chosen["minus-sign"], percent=chosen["percent"],
        per_mille=chosen["per-mille"], digit=chosen["digit"], separator=chosen["pattern-separator"],
        family="".join(chr(zero + offset) for offset in range(10)),
    )  # fmt: skip


def _cut(picture: str, symbols: _Symbols) -> _Parts:
    marks = [at for at, char in enumerate(picture) if char in symbols.active and char != symbols.exponent]
    start, end = (marks[0], marks[-1] + 1) if marks else (0, len(picture))
    active = picture[start:end]
    at = active.find(symbols.exponent)
    if not marks or at < 0:
        mantissa, exponent = active, None
        if marks and picture[end : end + len(symbols.exponent)] == symbols.exponent:  # an exponent without digits
            exponent, end = "", end + len(symbols.exponent)
    else:
        mantissa, exponent = active[:at], active[at + len(symbols.exponent) :]
    whole, _, fraction = mantissa.partition(symbols.decimal)
    return _Parts(picture, picture[:start], picture[end:], active, mantissa, whole, fraction, exponent)


def _any(text: str, chars: str) -> bool:
    return any(char in chars for char in text)


# Broken rules by code; of several the last one is reported, as in the reference implementation.
_RULES: dict[str, Callable[[_Parts, _Symbols], bool]] = {
    "D3081": lambda p, s: p.picture.count(s.decimal) > 1,
    "D3082": lambda p, s: p.picture.count(s.percent) > 1,
    "D3083": lambda p, s: p.picture.count(s.per_mille) > 1,
    "D3084": lambda p, s: s.percent in p.picture and s.per_mille in p.picture,
    "D3085": lambda p, s: not _any(p.mantissa, s.family + s.digit),
    "D3086": lambda p, s: any(char not in s.active for char in p.active),
    "D3087": lambda p, s: s.group + s.decimal in p.picture or s.decimal + s.group in p.picture,
    "D3088": lambda p, s: s.decimal not in p.picture and p.integer.endswith(s.group),
    "D3089": lambda p, s: s.group * 2 in p.picture,
    "D3090": lambda p, s: s.digit in p.integer and _any(p.integer[: p.integer.rindex(s.digit)], s.family),
    "D3091": lambda p, s: s.digit in p.fraction and _any(p.fraction[p.fraction.index(s.digit) :], s.family),
    "D3092": lambda p, s: bool(p.exponent) and (s.percent in p.picture or s.per_mille in p.picture),
    "D3093": lambda p, s: p.exponent is not None and (not p.exponent or any(c not in s.family for c in p.exponent)),
}


def _check(parts: _Parts, symbols: _Symbols) -> None:
    broken = [code for code, rule in _RULES.items() if rule(parts, symbols)]
    if broken:
        raise EvaluationError(broken[-1])


def _layout(parts: _Parts, symbols: _Symbols) -> _Layout:
    slots = symbols.family + symbols.digit
    groups = _group_places(parts.integer, symbols.group, slots, to_left=False)
    least_integer = sum(char in symbols.family for char in parts.integer)
    least_fraction = sum(char in symbols.family for char in parts.fraction)
    most_fraction = sum(char in slots for char in parts.fraction)
    scaling, exponent = least_integer, parts.exponent
    if least_integer == 0 and most_fraction == 0:
        if exponent is not None:
            least_fraction = most_fraction = 1
        else:
            least_integer = 1
    if exponent is not None and least_integer == 0 and symbols.digit in parts.integer:
        least_integer = 1
    if least_integer == 0 and least_fraction == 0:
        least_fraction = 1
    return _Layout(
        parts=parts, groups=groups, regular=_regular(groups),
        fraction_groups=_group_places(parts.fraction, symbols.group, slots, to_left=True),
        least_integer=least_integer, scaling=scaling, least_fraction=least_fraction, most_fraction=most_fraction,
        exponent_size=len(exponent) if exponent is not None else 0,
    )  # fmt: skip


def _group_places(part: str, separator: str, slots: str, *, to_left: bool) -> list[int]:
    places = []
    for found in re.finditer(re.escape(separator), part):
        side = part[: found.start()] if to_left else part[found.start() :]
        places.append(sum(char in slots for char in side))
    return places


def _regular(places: list[int]) -> int:
    """The distance at which separators repeat, or 0."""
    if not places:
        return 0
    step = math.gcd(*places)
    return step if step and all(step * index in places for index in range(1, len(places) + 1)) else 0


def _digits(value: float, layout: _Layout, symbols: _Symbols) -> str:
    mantissa: float = abs(value)
    if symbols.percent in layout.parts.picture:
        mantissa *= 100
    elif symbols.per_mille in layout.parts.picture:
        mantissa *= 1000
    exponent = 0
    if layout.exponent_size:
        mantissa, exponent = _scaled(mantissa, layout.scaling)
    text = _fixed(rounded_to(mantissa, layout.most_fraction), layout.most_fraction)
    whole, _, fraction = text.partition(".")
    whole = whole.lstrip("0").rjust(layout.least_integer, "0")
    fraction = fraction.rstrip("0").ljust(layout.least_fraction, "0")
    text = _grouped(whole, layout, symbols.group)
    if symbols.decimal in layout.parts.picture and fraction:
        for place in layout.fraction_groups:
            fraction = fraction[:place] + symbols.group + fraction[place:]
        text += symbols.decimal + fraction
    elif fraction:
        text += symbols.decimal + fraction
    if layout.exponent_size:
        sign = symbols.minus if exponent < 0 else ""
        text += symbols.exponent + sign + str(abs(exponent)).rjust(layout.exponent_size, "0")
    if symbols.family[0] != "0":
        text = text.translate({ord("0") + offset: char for offset, char in enumerate(symbols.family)})
    return text


def _scaled(mantissa: float, digits: int) -> tuple[float, int]:
    exponent = 0
    if mantissa == 0 or not math.isfinite(mantissa):
        return mantissa, 0
    while mantissa < 10.0 ** (digits - 1):
        mantissa, exponent = mantissa * 10, exponent - 1
    while mantissa > 10.0**digits:
        mantissa, exponent = mantissa / 10, exponent + 1
    return mantissa, exponent


def _fixed(value: float, places: int) -> str:
    return f"{value:.{places}f}" if abs(value) < 1e21 else shown_number(value)


def _grouped(whole: str, layout: _Layout, separator: str) -> str:
    if layout.regular:
        size = layout.regular
        head = len(whole) % size or min(size, len(whole))
        chunks = [whole[:head], *(whole[at : at + size] for at in range(head, len(whole), size))]
        return separator.join(chunk for chunk in chunks if chunk)
    for place in sorted(layout.groups):
        at = len(whole) - place - sum(other < place for other in layout.groups)
        if at > 0:
            whole = whole[:at] + separator + whole[at:]
    return whole
