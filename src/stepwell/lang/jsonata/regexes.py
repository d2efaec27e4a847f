"""Regular expressions: JavaScript's notation on an engine with a time limit.

A regular expression is a function from a text to its first match: ``{match, start, end, groups, next}``; ``next`` is a
function that gives the following match. A pattern that backtracks for ever ends when the evaluation's time does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from stepwell.lang.jsonata.errors import TIMEOUT, EvaluationError, JsonataSyntaxError, LimitReached
from stepwell.lang.jsonata.functions import Native, apply
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED, Function

# What JavaScript writes differently. Tried from left to right at each place outside and inside classes.
_DIFFERENCES = re.compile(
    r"(?P<unicode>\\u(?:\{(?P<braced>[0-9a-fA-F]+)\}|(?P<hex>[0-9a-fA-F]{4})))"
    r"|(?P<control>\\c(?P<letter>[A-Za-z]))|(?P<any>\[\^\])|(?P<never>\[\])"
    r"|(?P<digit>\\d)|(?P<other>\\D)|(?P<word>\\w)|(?P<gap>\\W)|(?P<slash>\\/)|(?P<zero>\\0(?!\d))"
    r"|(?P<escaped>\\.)|(?P<name>\(\?<(?![=!]))|(?P<end>\$)|(?P<open>\[)|(?P<close>\])",
    re.DOTALL,
)
_MAX_SECONDS = 0.1  # the engine looks at its clock less often than an evaluation does
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE}


@dataclass(frozen=True, slots=True)
class Match:
    text: str
    start: int
    end: int
    groups: list[Any]


class Matcher(Native):
    """A regular expression written in an expression."""

    __slots__ = ("pattern", "source")

    def __init__(self, source: str, pattern: regex.Pattern[str]) -> None:
        super().__init__("regex", None, 2, self._call)
        self.source = source
        self.pattern = pattern

    def find(self, runtime: Runtime, text: str, start: int = 0) -> Match | None:
        try:
            found = self.pattern.search(text, start, timeout=min(runtime.remaining(), _MAX_SECONDS))
        except TimeoutError:
            raise LimitReached("timeout", TIMEOUT) from None
        if found is None:
            return None
        groups = [UNDEFINED if group is None else group for group in found.groups()]
        return Match(found.group(), found.start(), found.end(), groups)

    def following(self, runtime: Runtime, text: str, last: Match) -> Match | None:
        """Raises EvaluationError D1004 for a match of nothing: it would never end."""
        if last.end >= len(text):
            return None
        found = self.find(runtime, text, last.end)
        if found is not None and found.text == "":
            raise EvaluationError("D1004", value=self.source)
        return found

    def _call(self, runtime: Runtime, text: Any = UNDEFINED, start: Any = UNDEFINED, *_: Any) -> Any:
        at = start if type(start) is int and start > 0 else 0
        return self._shown(text, self.find(runtime, text, at) if type(text) is str else None)

    def _shown(self, text: str, found: Match | None) -> Any:
        if found is None:
            return UNDEFINED

        def following(runtime: Runtime, *_: Any) -> Any:
            return self._shown(text, self.following(runtime, text, found))

        return {
            "match": found.text,
            "start": found.start,
            "end": found.end,
            "groups": found.groups,
            "next": Native("next", None, 0, following),
        }


@lru_cache(maxsize=256)
def compile_regex(source: str, flags: str) -> Matcher:
    """Raises JsonataSyntaxError S0302 for a pattern that is none."""
    options = regex.V0
    for flag in flags:
        options |= _FLAGS[flag]
    try:
        return Matcher(source, regex.compile(_translated(source, "m" in flags), options))
    except (regex.error, OverflowError, RecursionError) as error:
        raise JsonataSyntaxError("S0302", 0, value=str(error)) from None


def _translated(source: str, multiline: bool) -> str:
    inside = False
    parts: list[str] = []
    at = 0
    for match in _DIFFERENCES.finditer(source):
        parts.append(source[at : match.start()])
        at = match.end()
        kind = match.lastgroup if match.lastgroup not in {"braced", "hex", "letter"} else None
        kind = kind or ("unicode" if match["unicode"] else "control")
        if kind == "open":
            parts.append(r"\[" if inside else "[")
            inside = True
        elif kind == "close":
            parts.append("]" if inside else r"\]")
            inside = False
        else:
            parts.append(_difference(kind, match, inside, multiline))
    parts.append(source[at:])
    return "".join(parts)


def _difference(kind: str, match: re.Match[str], inside: bool, multiline: bool) -> str:
    if kind == "unicode":
        return re.escape(chr(int(match["braced"] or match["hex"], 16)))
    if kind == "control":
        return re.escape(chr(ord(match["letter"]) % 32))
    if kind in {"any", "never"}:
        if inside:
            return match.group()
        return r"[\s\S]" if kind == "any" else r"(?!)"
    if kind == "name":
        return match.group() if inside else "(?P<"
    if kind == "end":
        return "$" if inside or multiline else r"\Z"
    classes = {"digit": "0-9", "word": "a-zA-Z0-9_"}
    if kind in classes:
        return classes[kind] if inside else f"[{classes[kind]}]"
    if kind in {"other", "gap"} and not inside:
        return "[^0-9]" if kind == "other" else "[^a-zA-Z0-9_]"
    return {"slash": "/", "zero": r"\x00"}.get(kind, match.group())


def matches(runtime: Runtime, matcher: Function, text: str) -> Iterator[Match]:
    """All matches in order, of a regular expression or of any function that answers like one."""
    if isinstance(matcher, Matcher):
        found = matcher.find(runtime, text)
        while found is not None:
            runtime.tick()
            yield found
            found = matcher.following(runtime, text, found)
        return
    answer = apply(runtime, matcher, [text])
    while answer is not UNDEFINED:
        runtime.tick()
        yield _answered(answer)
        answer = apply(runtime, answer["next"], [])


def _answered(answer: Any) -> Match:
    fits = type(answer) is dict and (
        type(answer.get("start")) is int
        and type(answer.get("end")) is int
        and isinstance(answer.get("groups"), list)
        and isinstance(answer.get("next"), Function)
    )
    if not fits:
        raise EvaluationError("T1010", value=answer)
    return Match(answer.get("match", ""), answer["start"], answer["end"], answer["groups"])
