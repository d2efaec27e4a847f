"""Regular expressions that cannot hang: whole-text matches by a set of states, never by backtracking.

A pattern in a definition is somebody else's text, and a backtracking engine needs exponential time for a short one
such as ``(a+)+``. Here time is bounded by (size of the program) times (length of the text). Understood is what
Java and Python share and a state machine can do: literals, ``.``, classes, ``\\d \\w \\s`` and their opposites,
groups, ``|``, ``* + ? {m,n}`` (greedy or not is all the same to a whole match), ``^ $ \\b \\B \\A \\z``.
Look-around, back references and possessive quantifiers are refused by name.

::

    text -> _Parser -> tree of tuples -> _emit -> program -> compile_regex(...)(text) -> bool
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_PROGRAM = 2_000
MAX_WORK = 50_000_000  # program size times text length
MAX_DEPTH = 50
_SPACE = " \t\n\r\f\v"
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "a": "\a", "e": "\x1b"}
_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_END_ESCAPES = {"A": "start", "z": "end", "Z": "end", "b": "edge", "B": "inside"}

_Test = Callable[[str], bool]
_Node = tuple[Any, ...]


class RegexError(ValueError):
    """The pattern is wrong, or uses what is not supported; the text says which."""


def compile_regex(pattern: str, flags: str = "") -> Callable[[str], bool]:
    """A test for whole texts. ``flags`` as in Java: i, s, m and u, U, d (no effect). Raises RegexError."""
    unknown = set(flags) - set("ismuUd")
    if unknown:
        raise RegexError(f"unsupported flag {min(unknown)!r}")
    program: list[list[Any]] = []
    parser = _Parser(pattern, flags)
    _emit(parser.parse(), program)
    program.append(["match"])
    return _Machine(program).matches


class _Parser:
    """Reads a pattern into ("test", f), ("assert", kind), ("seq", nodes), ("alt", nodes), ("repeat", node, low,
    high).
    """

    def __init__(self, text: str, flags: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._fold = "i" in flags
        self._dot_all = "s" in flags
        self._multiline = "m" in flags

    def parse(self) -> _Node:
        node = self._alternatives()
        if self._at < len(self._text):
            raise RegexError(f"unmatched ')' at {self._at}")
        return node

    def _alternatives(self) -> _Node:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return ("alt", branches) if len(branches) > 1 else branches[0]

    def _sequence(self) -> _Node:
        nodes = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            nodes.append(self._quantified(self._atom()))
        return ("seq", nodes)

    def _quantified(self, node: _Node) -> _Node:
        limits = self._quantifier()
        if limits is None:
            return node
        if self._take("+"):
            raise RegexError("possessive quantifiers are not supported")
        self._take("?")
        if self._quantifier() is not None:
            raise RegexError(f"nothing to repeat at {self._at}")
        return ("repeat", node, *limits)

    def _quantifier(self) -> tuple[int, int | None] | None:
        char = self._text[self._at : self._at + 1]
        if char in _QUANTIFIERS and char:
            self._at += 1
            return _QUANTIFIERS[char]
        if char != "{":
            return None
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()) or len(low + high) > 6:
            raise RegexError(f"bad repetition at {self._at}")
        self._at = end + 1
        limits = int(low), (int(high) if high else None) if comma else int(low)
        if limits[1] is not None and limits[1] < limits[0]:
            raise RegexError("repetition from high to low")
        return limits

    def _atom(self) -> _Node:
        char = self._text[self._at]
        self._at += 1
        if char == "(":
            return self._group()
        if char == "[":
            return ("test", self._class())
        if char == ".":
            return ("test", (lambda c: True) if self._dot_all else (lambda c: c not in "\n\r\u0085\u2028\u2029"))
        if char in "^$":
            kind = "start" if char == "^" else "end"
            return ("assert", "line " + kind if self._multiline else kind)
        if char == "\\":
            return self._escape()
        if char in "*+?{":
            raise RegexError(f"nothing to repeat at {self._at - 1}")
        return ("test", self._literal(char))

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RegexError("groups are nested too deeply")
        if self._take("?") and not self._take(":"):
            raise RegexError("look-around, named groups and inline flags are not supported")
        node = self._alternatives()
        if not self._take(")"):
            raise RegexError("missing ')'")
        self._depth -= 1
        return node

    def _escape(self) -> _Node:
        char = self._next("escape")
        if char in _END_ESCAPES:
            return ("assert", _END_ESCAPES[char])
        if char.isdigit() or char in "kGQ":
            raise RegexError(f"\\{char} is not supported")
        return ("test", _shorthand(char) or self._literal(self._control(char)))

    def _control(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in "xu":
            width = 2 if char == "x" else 4
            digits = self._text[self._at : self._at + width]
            self._at += width
            try:
                return chr(int(digits, 16)) if len(digits) == width else self._fail("short escape")
            except ValueError:
                self._fail("bad escape")
        if char.isalpha():
            self._fail(f"unknown escape \\{char}")
        return char

    def _fail(self, message: str) -> str:
        raise RegexError(message)

    def _class(self) -> _Test:
        negated = self._take("^")
        tests: list[_Test] = []
        first = True
        while first or not self._take("]"):
            first = False
            low, test = self._class_item()
            ahead = self._text[self._at : self._at + 2]
            if test is None and ahead[:1] == "-" and ahead != "-]":
                self._at += 1
                high, other = self._class_item()
                if other is not None or high < low:
                    raise RegexError("bad range in a class")
                tests.append(self._range(low, high))
            else:
                tests.append(test or self._literal(low))
        if negated:
            return lambda c: not any(test(c) for test in tests)
        return lambda c: any(test(c) for test in tests)

    def _class_item(self) -> tuple[str, _Test | None]:
        char = self._next("class")
        if char == "[" or self._text.startswith("&&", self._at - 1):
            raise RegexError("classes inside classes are not supported")
        if char != "\\":
            return char, None
        char = self._next("class")
        return (char, shorthand) if (shorthand := _shorthand(char)) else (self._control(char), None)

    def _range(self, low: str, high: str) -> _Test:
        if self._fold:
            return lambda c: low <= c <= high or low <= c.lower() <= high or low <= c.upper() <= high
        return lambda c: low <= c <= high

    def _literal(self, char: str) -> _Test:
        if self._fold and char.lower() != char.upper():
            both = char.lower(), char.upper()
            return lambda c: c in both
        return char.__eq__

    def _next(self, where: str) -> str:
        if self._at >= len(self._text):
            raise RegexError(f"the pattern ends inside of an {where}")
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False


def _shorthand(char: str) -> _Test | None:
    tests: dict[str, _Test] = {
        "d": lambda c: "0" <= c <= "9",
        "w": lambda c: c == "_" or (c.isascii() and c.isalnum()),
        "s": lambda c: c in _SPACE,
    }
    test = tests.get(char.lower())
    if test is None or char.islower():
        return test
    positive = test
    return lambda c: not positive(c)


def _emit(node: _Node, program: list[list[Any]]) -> None:
    """Append the instructions of the node: test f, assert kind, split a b, jump a."""
    if len(program) > MAX_PROGRAM:
        raise RegexError("the pattern is too large")
    kind = node[0]
    if kind in ("test", "assert"):
        program.append([kind, node[1]])
    elif kind == "seq":
        for item in node[1]:
            _emit(item, program)
    elif kind == "alt":
        _emit_alternatives(node[1], program)
    else:
        _emit_repeat(node[1], node[2], node[3], program)


def _emit_alternatives(branches: list[_Node], program: list[list[Any]]) -> None:
    jumps = []
    for branch in branches[:-1]:
        split = ["split", len(program) + 1, 0]
        program.append(split)
        _emit(branch, program)
        jump = ["jump", 0]
        program.append(jump)
        jumps.append(jump)
        split[2] = len(program)
    _emit(branches[-1], program)
    for jump in jumps:
        jump[1] = len(program)


def _emit_repeat(node: _Node, low: int, high: int | None, program: list[list[Any]]) -> None:
    for _ in range(low):
        before = len(program)
        _emit(node, program)
        if len(program) == before:  # an empty body: more copies change nothing
            return
    if high is None:
        start = len(program)
        split = ["split", start + 1, 0]
        program.append(split)
        _emit(node, program)
        program.append(["jump", start])
        split[2] = len(program)
        return
    splits = []
    for _ in range(high - low):
        split = ["split", len(program) + 1, 0]
        program.append(split)
        splits.append(split)
        _emit(node, program)
    for split in splits:
        split[2] = len(program)


class _Machine:
    """Runs a program on a text, all states at once."""

    def __init__(self, program: list[list[Any]]) -> None:
        self._program = program

    def matches(self, text: str) -> bool:
        """Raises RegexError for a text so long that the answer would take too much time."""
        if len(text) * len(self._program) > MAX_WORK:
            raise RegexError("the text is too long for this pattern")
        program = self._program
        states, ended = self._closure([0], text, 0)
        for at, char in enumerate(text):
            if not states:
                return False
            states, ended = self._closure([pc + 1 for pc in states if program[pc][1](char)], text, at + 1)
        return ended

    def _closure(self, pending: list[int], text: str, at: int) -> tuple[list[int], bool]:
        """The tests that can be reached without reading a character, and whether the end of the program can."""
        program, seen, tests, ended = self._program, set[int](), [], False
        while pending:
            pc = pending.pop()
            if pc in seen:
                continue
            seen.add(pc)
            operation = program[pc]
            kind = operation[0]
            if kind == "test":
                tests.append(pc)
            elif kind == "split":
                pending += operation[1:]
            elif kind == "jump":
                pending.append(operation[1])
            elif kind == "match":
                ended = True
            elif _holds(operation[1], text, at):
                pending.append(pc + 1)
        return tests, ended


def _holds(kind: str, text: str, at: int) -> bool:
    if kind == "start":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "line start":
        return at == 0 or text[at - 1] == "\n"
    if kind == "line end":
        return at == len(text) or text[at] == "\n"
    before = at > 0 and _is_word(text[at - 1])
    after = at < len(text) and _is_word(text[at])
    return (before != after) == (kind == "edge")


def _is_word(char: str) -> bool:
    return char == "_" or char.isalnum()
