"""FilterLogEvents' filter patterns: words, and conditions on JSON.

::

    ERROR "exit code" -DEBUG          all words, none with a minus; a word of other than letters, digits and _ in quotes
    ?ERROR ?WARN                      any of the words; beside other words they are ignored
    { $.type = "Task*" && ($.id > 3 || $.details.error NOT EXISTS) }

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. A word is found anywhere in a
message, inside other words too (assumed). Regular expressions and patterns for columns are refused by name.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.kernel.jsontext import loads
from stepwell.services.logs.shelf import invalid

Matches = Callable[[str], bool]
Test = Callable[[Any], bool]  # of a parsed message
_MISSING = object()
_DEPTH = 50  # of parentheses

_WORDS = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?=\s|$)')
_TOKENS = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w-]+|\[\s*(?:\d+|\*)\s*\]|\["(?:[^"\\]|\\.)*"\])*)
      | (?P<mark>\|\||&&|\(|\)|!=|<=|>=|=|<|>)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<word>[^\s()&|=<>!"{}]+)
    )""",
    re.VERBOSE,
)
_STEPS = re.compile(r'\.([\w-]+)|\[\s*(\d+|\*)\s*\]|\["((?:[^"\\]|\\.)*)"\]')
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_STATES: dict[tuple[str, str], Test] = {
    ("IS", "NULL"): lambda value: value is None,
    ("IS", "TRUE"): lambda value: value is True,
    ("IS", "FALSE"): lambda value: value is False,
    ("NOT", "EXISTS"): lambda value: value is _MISSING,
}
Token = tuple[str, str]


def matcher(pattern: str) -> Matches:
    """Raises InvalidParameterException for a pattern that cannot be read or is not supported."""
    text = pattern.strip()
    if text.startswith("["):
        raise _unsupported("patterns for columns")
    if text.startswith("{"):
        return _conditions(text)
    return _words(text)


# ---------------------------------------------------------------------------------------------- words
def _words(text: str) -> Matches:
    found: dict[str, list[str]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        word = _WORDS.match(text, at)
        if word is None:
            raise _unsupported("regular expressions") if "%" in text[at:] else _bad()
        found[word[1]].append(word[3] if word[2] is None else _unescaped(word[2]))
        at = word.end()
    needed, excluded, optional = found[""], found["-"], found["?"]

    def matches(message: str) -> bool:
        if any(word in message for word in excluded) or not all(word in message for word in needed):
            return False
        return bool(needed) or not optional or any(word in message for word in optional)

    return matches


# ---------------------------------------------------------------------------------------------- conditions
def _conditions(text: str) -> Matches:
    if not text.endswith("}"):
        raise _bad()
    if "%" in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        raise _unsupported("regular expressions")
    reader = _Reader(_tokens(text[1:-1]))
    test = reader.either(0)
    reader.finish()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):
            return False
        try:
            return test(loads(message))
        except JsonSyntaxError:
            return False

    return matches


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    text = text.rstrip()
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None or found.lastgroup is None:
            raise _bad()
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


class _Reader:
    """Reads conditions from tokens; ``&&`` binds closer than ``||``."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def finish(self) -> None:
        if self._at < len(self._tokens):
            raise _bad()

    def either(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self._skips("||"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda message: any(test(message) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._skips("&&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda message: all(test(message) for test in tests)

    def _one(self, depth: int) -> Test:
        if self._skips("("):
            if depth == _DEPTH:
                raise _bad()
            test = self.either(depth + 1)
            if not self._skips(")"):
                raise _bad()
            return test
        kind, selector = self._next()
        if kind != "selector":
            raise _bad()
        steps = _steps(selector)
        compare = self._comparison()
        return lambda message: any(compare(value) for value in _select(message, steps))

    def _comparison(self) -> Test:
        kind, mark = self._next()
        if kind == "word":
            state = _STATES.get((mark.upper(), self._next()[1].upper()))
            if state is None:
                raise _bad()
            return state
        kind, text = self._next()
        if kind not in {"quoted", "word"}:
            raise _bad()
        wanted = _unescaped(text) if kind == "quoted" else _number(text)
        if mark in _ORDER:
            return _ordered(_ORDER[mark], wanted)
        if mark not in {"=", "!="}:
            raise _bad()
        equal = _equal(wanted)
        if mark == "=":
            return equal
        return lambda value: value is not _MISSING and not equal(value)

    def _next(self) -> Token:
        if self._at == len(self._tokens):
            raise _bad()
        self._at += 1
        return self._tokens[self._at - 1]

    def _skips(self, mark: str) -> bool:
        there = self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)
        self._at += there
        return there


def _ordered(order: Callable[[Any, Any], bool], wanted: str | float) -> Test:
    if isinstance(wanted, str):
        raise _bad()
    return lambda value: _is_number(value) and order(value, wanted)


def _equal(wanted: str | float) -> Test:
    if not isinstance(wanted, str):
        return lambda value: _is_number(value) and value == wanted
    if "*" not in wanted:
        return lambda value: value == wanted
    glob = re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", wanted)), re.DOTALL
    )
    return lambda value: isinstance(value, str) and glob.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _steps(selector: str) -> list[str | int]:
    """Names, numbers, and ``*`` as -1."""
    steps: list[str | int] = []
    for name, number, quoted in _STEPS.findall(selector):
        if number:
            steps.append(-1 if number == "*" else int(number))
        else:
            steps.append(name or _unescaped(quoted))
    return steps


def _select(value: Any, steps: list[str | int]) -> list[Any]:
    """The values a selector means; one that is missing if there is none."""
    found = [value]
    for step in steps:
        found = [inner for outer in found for inner in _inner(outer, step)]
    return found or [_MISSING]


def _inner(value: Any, step: str | int) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    return value if step < 0 else value[step : step + 1]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _bad() -> ServiceError:
    return invalid("Invalid filter pattern")


def _unsupported(what: str) -> ServiceError:
    return invalid(f"Invalid filter pattern: {what} are not supported yet by this version of Stepwell.")
