"""``$formatInteger`` and ``$parseInteger``: whole numbers as digits, words, letters and Roman numerals, by a picture.

The pictures are those of ``fn:format-integer`` (XPath Functions and Operators 3.1, section 4.6). Date and time pictures
use them too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import SAFE_INTEGER, UNDEFINED, number

_FEW = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
]
_ORDINALS = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
]
_DECADES = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety", "Hundred"]
_MAGNITUDES = ["Thousand", "Million", "Billion", "Trillion"]
_ROMAN = [
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
]  # fmt: skip
_ZEROS = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
]  # fmt: skip


@dataclass(slots=True)
class IntegerFormat:
    """``style`` is decimal, letters, roman, words or sequence; ``case`` is lower, upper or title."""

    style: str = "decimal"
    case: str = "lower"
    ordinal: bool = False
    zero: int = 0x30
    mandatory: int = 0
    optional: int = 0
    separators: list[tuple[int, str]] = field(default_factory=list)  # (digits to its right, character)
    regular: int = 0
    token: str = ""
    parse_width: int | None = None


_NAMED = {
    "A": ("letters", "upper"), "a": ("letters", "lower"), "I": ("roman", "upper"), "i": ("roman", "lower"),
    "W": ("words", "upper"), "Ww": ("words", "title"), "w": ("words", "lower"),
}  # fmt: skip


def integer_format(picture: str) -> IntegerFormat:
    """Raises EvaluationError D3131 for digits of two scripts in one picture."""
    primary, separator, modifier = picture.rpartition(";")
    if not separator:
        primary, modifier = picture, ""
    made = IntegerFormat(ordinal=modifier.startswith("o"), token=primary)
    if primary in _NAMED:
        made.style, made.case = _NAMED[primary]
    else:
        _read_digits(made, primary)
    return made


def _read_digits(made: IntegerFormat, primary: str) -> None:
    zero: int | None = None
    for char in reversed(primary):
        code = ord(char)
        found = next((start for start in _ZEROS if start <= code <= start + 9), None)
        if found is not None:
            if zero is not None and found != zero:
                raise EvaluationError("D3131")
            zero = found
            made.mandatory += 1
        elif char == "#":
            made.optional += 1
        else:
            made.separators.append((made.mandatory + made.optional, char))
    if zero is None:
        made.style = "sequence"
        return
    made.zero = zero
    places = [place for place, _ in made.separators]
    if places and len({char for _, char in made.separators}) == 1:
        step = math.gcd(*places)
        made.regular = step if step and all(step * i in places for i in range(1, len(places) + 1)) else 0


@lru_cache(maxsize=256)
def _cached_format(picture: str) -> IntegerFormat:
    return integer_format(picture)


@native("formatInteger", "<n-s:s>", 2)
def format_integer(_runtime: Runtime, value: Any, picture: Any = UNDEFINED) -> Any:
    return UNDEFINED if value is UNDEFINED else integer_text(math.floor(value), _cached_format(picture))


def integer_text(value: int, form: IntegerFormat) -> str:
    magnitude = abs(value)
    if form.style == "letters":
        text = _cased(_letters(magnitude), form)
    elif form.style == "roman":
        text = _cased(_roman(magnitude), form)
    elif form.style == "words":
        text = _cased(_words(magnitude, False, form.ordinal), form)
    elif form.style == "decimal":
        text = _decimal(magnitude, form)
    else:
        raise EvaluationError("D3130", value=form.token)
    return "-" + text if value < 0 else text


def _cased(text: str, form: IntegerFormat) -> str:
    return text.upper() if form.case == "upper" else text.lower() if form.case == "lower" else text


def _decimal(value: int, form: IntegerFormat) -> str:
    text = str(value).rjust(form.mandatory, "0")
    ending = ""
    if form.ordinal:
        ending = {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")
        if len(text) > 1 and text[-2] == "1":
            ending = "th"
    if form.zero != 0x30:
        text = text.translate({0x30 + offset: form.zero + offset for offset in range(10)})
    return _separated(text, form) + ending


def _separated(text: str, form: IntegerFormat) -> str:
    if form.regular:
        size, separator = form.regular, form.separators[0][1]
        head = len(text) % size
        chunks = ([text[:head]] if head else []) + [text[at : at + size] for at in range(head, len(text), size)]
        return separator.join(chunks)
    inserted = 0
    for place, separator in form.separators:
        at = len(text) - inserted - place
        if at > 0:
            text = text[:at] + separator + text[at:]
            inserted += len(separator)
    return text


def _letters(value: int) -> str:
    letters = []
    while value > 0:
        value, letter = divmod(value - 1, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(reversed(letters))


def _roman(value: int) -> str:
    parts = []
    for size, numeral in _ROMAN:
        count, value = divmod(value, size)
        parts.append(numeral * min(count, 1000))
    return "".join(parts)


def _words(value: int, follows: bool, ordinal: bool) -> str:
    if value <= 19:
        return (" and " if follows else "") + (_ORDINALS if ordinal else _FEW)[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        words = (" and " if follows else "") + _DECADES[tens - 2]
        if rest:
            return words + "-" + _words(rest, False, ordinal)
        return words[:-1] + "ieth" if ordinal else words
    if value < 1000:
        size, rest = divmod(value, 100)
        words = (", " if follows else "") + _FEW[size] + " Hundred"
    else:
        level = min((len(str(value)) - 1) // 3, len(_MAGNITUDES))
        size, rest = _divided(value, 10 ** (level * 3))
        words = (", " if follows else "") + _words(size, False, False) + " " + _MAGNITUDES[level - 1]
    if rest:
        return words + _words(rest, True, ordinal)
    return words + ("th" if ordinal else "")


def _divided(value: int, by: int) -> tuple[int, int]:
    """As doubles divide, so that 1e46 has the words of 1e46 and not of the nearest double's digits."""
    if value <= SAFE_INTEGER:
        return divmod(value, by)
    size = math.floor(value / by)
    return size, max(0, int(float(value) - float(size) * by))


# ---------------------------------------------------------------------------------------------------------- parsing

_WORD_VALUES: dict[str, int] = {
    **{word.lower(): value for value, word in enumerate(_FEW)},
    **{word.lower(): value for value, word in enumerate(_ORDINALS)},
    **{word.lower(): (value + 2) * 10 for value, word in enumerate(_DECADES)},
    **{word.lower()[:-1] + "ieth": (value + 2) * 10 for value, word in enumerate(_DECADES)},
    "hundredth": 100,
    **{word.lower(): 10 ** (3 * level) for level, word in enumerate(_MAGNITUDES, start=1)},
    **{word.lower() + "th": 10 ** (3 * level) for level, word in enumerate(_MAGNITUDES, start=1)},
}
_BREAKS = re.compile(r",\s|\sand\s|[\s\-]", re.IGNORECASE)


@native("parseInteger", "<s-s:n>", 2)
def parse_integer(_runtime: Runtime, text: Any, picture: Any = UNDEFINED) -> Any:
    """NaN where the picture cannot read the text (measured: floci-io/floci issue 2737)."""
    if text is UNDEFINED:
        return UNDEFINED
    form = _cached_format(picture)
    if form.style == "sequence":
        raise EvaluationError("D3130", value=form.token)
    try:
        return number(read_integer(text, form))
    except (KeyError, ValueError):
        return math.nan


def read_integer(text: str, form: IntegerFormat) -> int:
    """Raises KeyError or ValueError for a text that is not of this form."""
    if form.style == "letters":
        return _from_letters(text.lower())
    if form.style == "roman":
        return _from_roman(text.lower())
    if form.style == "words":
        return _from_words(text)
    digits = text
    if form.ordinal:
        digits = digits[:-2]
    for separator in {char for _, char in form.separators}:
        digits = digits.replace(separator, "")
    if form.zero != 0x30:
        digits = digits.translate({form.zero + offset: 0x30 + offset for offset in range(10)})
    found = re.match(r"\s*[-+]?[0-9]+", digits)
    if found is None:
        raise ValueError(text)
    return int(found.group()[:400])


def _from_letters(text: str) -> int:
    value = 0
    for char in text[:20]:
        value = value * 26 + ord(char) - ord("a") + 1
    return value


def _from_roman(text: str) -> int:
    sizes = {numeral: size for size, numeral in _ROMAN}
    value, largest = 0, 0
    for char in reversed(text):
        size = sizes[char]
        if size < largest:
            value -= size
        else:
            largest = size
            value += size
    return value


def _from_words(text: str) -> int:
    segments = [0]
    for word in _BREAKS.split(text):
        value = _WORD_VALUES[word.lower()]
        if value < 100:
            top = segments.pop()
            if top >= 1000:
                segments.append(top)
                top = 0
            segments.append(top + value)
        else:
            segments.append(segments.pop() * value)
    return sum(segments)


def integer_pattern(form: IntegerFormat) -> str:
    """A regular expression for texts of this form, used in date and time pictures."""
    if form.style == "letters":
        return "[A-Z]+" if form.case == "upper" else "[a-z]+"
    if form.style == "roman":
        return "[MDCLXVI]+" if form.case == "upper" else "[mdclxvi]+"
    if form.style == "words":
        words = sorted([*_WORD_VALUES, "and"], key=len, reverse=True)
        return "(?:" + "|".join([*words, r"[\-, ]"]) + ")+"
    digits = f"[{chr(form.zero)}-{chr(form.zero + 9)}]"
    pattern = f"{digits}{{{form.parse_width}}}" if form.parse_width is not None else digits + "+"
    if form.separators and form.parse_width is None:
        listed = "".join(re.escape(char) for _, char in form.separators)
        pattern = f"{digits[:-1]}{listed}]+"
    return pattern + ("(?:th|st|nd|rd)" if form.ordinal else "")
