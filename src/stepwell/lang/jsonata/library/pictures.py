"""Date and time pictures such as ``[Y0001]-[M01]-[D01]``, read into literals and markers (XPath F&O 3.1, section 9.8)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.library.formatnumber import MAX_PICTURE
from stepwell.lang.jsonata.library.integers import IntegerFormat, integer_format

_PRESENTATIONS = {
    "Y": "1", "M": "1", "D": "1", "d": "1", "F": "n", "W": "1", "w": "1", "X": "1", "x": "1", "H": "1", "h": "1",
    "P": "n", "m": "01", "s": "01", "f": "1", "Z": "01:01", "z": "01:01", "C": "n", "E": "n",
}  # fmt: skip
NUMERIC = "YMDdFWwXxHhmsf"


@dataclass(slots=True)
class Marker:
    """One ``[...]``: what it stands for and how that is shown."""

    component: str
    widest: int | None = None
    narrowest: int | None = None
    names: str = ""  # lower, upper or title: shown by name
    integer: IntegerFormat | None = None
    traditional: bool = False  # the modifier t: Z for a zone offset of nothing
    digits: int = -1  # of a year: how many are shown; -1 for all


@lru_cache(maxsize=256)
def read_picture(picture: str) -> tuple[str | Marker, ...]:
    """Raises EvaluationError D3132, D3135 (and D3131 for mixed digits)."""
    if len(picture) > MAX_PICTURE:
        raise EvaluationError("D3135")
    parts: list[str | Marker] = []
    literal, at = "", 0
    while at < len(picture):
        char = picture[at]
        if char != "[":
            literal += char
            at += 1
            continue
        if picture[at + 1 : at + 2] == "[":
            literal += "["
            at += 2
            continue
        end = picture.find("]", at)
        if end < 0:
            raise EvaluationError("D3135")
        if literal:
            parts.append(literal.replace("]]", "]"))
            literal = ""
        parts.append(_marker("".join(picture[at + 1 : end].split()), parts[-1] if parts else ""))
        at = end + 1
    if literal:
        parts.append(literal.replace("]]", "]"))
    return tuple(parts)


def _marker(text: str, before: str | Marker) -> Marker:
    marker = Marker(text[:1])
    body, comma, widths = text[1:].rpartition(",")
    if comma:
        low, _, high = widths.partition("-")
        marker.narrowest, marker.widest = _width(low), _width(high)
    else:
        body = text[1:]
    default = _PRESENTATIONS.get(marker.component)
    if default is None:
        raise EvaluationError("D3132", value=marker.component)
    modifier = ""
    if len(body) > 1 and body[-1] in "atco":
        body, modifier = body[:-1], body[-1]
    presentation = body or default
    marker.traditional = modifier == "t"
    if presentation[0] in "nN":
        marker.names = "lower" if presentation[0] == "n" else "title" if presentation[1:2] == "n" else "upper"
    elif marker.component in NUMERIC:
        marker.integer = integer_format(presentation + (f";{modifier}" if modifier else ""))
        _fit(marker, marker.integer, before)
    if marker.component in "Zz":
        marker.integer = integer_format(presentation)
    return marker


def _width(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _fit(marker: Marker, form: IntegerFormat, before: str | Marker) -> None:
    if marker.narrowest is not None:
        form.mandatory = max(form.mandatory, marker.narrowest)
    if marker.component in "YMD":
        if marker.widest is not None:
            marker.digits = form.mandatory = marker.widest
        elif form.mandatory + form.optional >= 2:
            marker.digits = form.mandatory + form.optional
    if isinstance(before, Marker) and before.integer is not None:
        before.integer.parse_width = before.integer.mandatory
