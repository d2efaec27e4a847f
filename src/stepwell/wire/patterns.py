"""Java regular expressions of the models as Python ones.

The models' patterns are matched against the whole text. ``\\w``, ``\\d`` and ``\\s`` mean ASCII in Java; ``\\p{L}`` and
its kin, which Python's ``re`` does not have, become character ranges.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import chain

from stepwell.wire.constraints import LINEAR_PATTERNS

_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_CLASS_THEN_DASH = re.compile(r"(\\[wds])-")  # in Java the dash of [\w-_] stands for itself
_ASSIGNED = (range(0x34000), range(0xE0000, 0xE0200))
_POSIX = {"ASCII": r"\x00-\x7f", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9"}


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """For ``fullmatch``. Raises re.error for a pattern that Python cannot express."""
    text = LINEAR_PATTERNS.get(pattern, pattern)
    return re.compile(_CLASS_THEN_DASH.sub(r"\1\\-", _without_properties(text)), re.ASCII)


def _without_properties(pattern: str) -> str:
    out, end = [], 0
    for match in _PROPERTY.finditer(pattern):
        before = pattern[: match.start()]
        in_class = before.count("[") - before.count(r"\[") > before.count("]") - before.count(r"\]")
        name = match.group(1)
        ranges = _POSIX.get(name) or _ranges(name)
        out += [pattern[end : match.start()], ranges if in_class else f"[{ranges}]"]
        end = match.end()
    return "".join([*out, pattern[end:]])


@lru_cache(maxsize=32)
def _ranges(category: str) -> str:
    """The characters of a Unicode general category (``L``, ``Nd``) as the inside of a character class."""
    merged: list[list[int]] = []
    for found, low, high in _runs():
        if not found.startswith(category):
            continue
        if merged and merged[-1][1] == low - 1:
            merged[-1][1] = high
        else:
            merged.append([low, high])
    if not merged or category.startswith("C"):
        raise re.error(f"unknown property {category}")
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in merged)


@lru_cache(maxsize=1)
def _runs() -> list[tuple[str, int, int]]:
    """Runs of characters of one category (category, first, last); what lies outside _ASSIGNED has category C."""
    runs: list[tuple[str, int, int]] = []
    for code in chain(*_ASSIGNED):
        category = unicodedata.category(chr(code))
        if runs and runs[-1][0] == category and runs[-1][2] == code - 1:
            runs[-1] = (category, runs[-1][1], code)
        else:
            runs.append((category, code, code))
    return runs
