"""The patterns of StringMatches: ``*`` stands for any text, ``\\*`` for a star, ``\\\\`` for a backslash.

Source: https://states-language.net/spec.html#choice-state-example (StringMatches). A backslash before another character
stands for itself (assumed). A match never backtracks: the text between two stars is sought once, from the left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> Callable[[str], bool]:
    """A test for whole texts."""
    head, *parts = _parts(pattern)
    if not parts:
        return head.__eq__
    tail = parts.pop()
    between = [part for part in parts if part]

    def matches(text: str) -> bool:
        at, end = len(head), len(text) - len(tail)
        if at > end or not text.startswith(head) or not text.endswith(tail):
            return False
        for part in between:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return matches


def _parts(pattern: str) -> list[str]:
    """The literal texts between the stars."""
    parts, text = [], ""
    characters = iter(range(len(pattern)))
    for at in characters:
        if pattern[at] == "*":
            parts.append(text)
            text = ""
        elif pattern[at] == "\\" and pattern[at + 1 : at + 2] in ("*", "\\"):
            text += pattern[next(characters)]
        else:
            text += pattern[at]
    return [*parts, text]
