"""Reads the steps of a path. Filters are read by ``filtersyntax``, which hands its reader in.

The grammar is Jayway's, with its habits: a name after a dot goes on to the next ``.``, ``[`` or ``(`` whatever is
in it, the third part of a slice is ignored, ``$.['a']`` is ``$['a']`` (Jayway JsonPath 2.x;
cburgmer/json-path-comparison).
"""

from __future__ import annotations

from collections.abc import Callable

from stepwell.lang.jsonpath.cursor import Cursor
from stepwell.lang.jsonpath.functions import FUNCTIONS
from stepwell.lang.jsonpath.literals import read_literal
from stepwell.lang.jsonpath.nodes import (
    Call,
    Filter,
    Indices,
    Literal,
    Names,
    ParsedPath,
    Scan,
    Slice,
    Step,
    Test,
    Wildcard,
)

FilterReader = Callable[[Cursor], Test]
_INT_LIMIT = 1 << 31
_NAME_END = ".[("


class PathReader:
    """Reads one path: all of the text between the cursor and its end."""

    def __init__(self, cursor: Cursor, read_filter: FilterReader) -> None:
        self._cursor = cursor
        self._read_filter = read_filter

    def read(self) -> ParsedPath:
        cursor = self._cursor
        root = cursor.char
        if root not in ("$", "@"):
            cursor.fail("Path must start with '$' or '@'")
        cursor.at += 1
        if cursor.char not in ("", ".", "["):
            cursor.fail(f"Illegal character at position {cursor.at} expected '.' or '['")
        steps: list[Step] = []
        while cursor.char:
            self._read_step(steps)
        return ParsedPath(root, tuple(steps))

    def _read_step(self, steps: list[Step]) -> None:
        cursor = self._cursor
        if cursor.char == ".":
            cursor.at += 1
            if cursor.char == ".":
                cursor.at += 1
                steps.append(Scan())
            if cursor.char == ".":
                cursor.fail(f"Character '.' on position {cursor.at} is not valid.")
            if not cursor.char:
                cursor.fail("Path must not end with a '.' or '..'")
        if cursor.char == "[":
            steps.append(self._read_bracket())
        elif cursor.char == "*":
            cursor.at += 1
            steps.append(Wildcard())
        else:
            steps.append(self._read_name_or_call())

    def _read_name_or_call(self) -> Step:
        cursor, text = self._cursor, self._cursor.text
        start = cursor.at
        while cursor.at < cursor.end and text[cursor.at] not in _NAME_END:
            if text[cursor.at] == " ":
                cursor.fail(
                    f"Use bracket notion ['my prop'] if your property contains blank characters. position: {start}"
                )
            cursor.at += 1
        name = text[start : cursor.at]
        if cursor.char == "(":
            return self._read_call(name)
        return Names((name,))

    def _read_call(self, name: str) -> Call:
        cursor = self._cursor
        if name not in FUNCTIONS:
            cursor.fail(f"Function with name: {name} does not exist.")
        cursor.at += 1
        arguments: list[ParsedPath | Literal] = []
        while cursor.skip_blanks() != ")":
            if arguments:
                cursor.expect(",")
            arguments.append(self._read_argument(name))
        cursor.at += 1
        return Call(name, tuple(arguments))

    def _read_argument(self, function: str) -> ParsedPath | Literal:
        cursor = self._cursor
        cursor.enter()
        argument: ParsedPath | Literal
        if cursor.skip_blanks() in ("$", "@"):
            start = cursor.at
            while cursor.char not in ("", ",", ")"):
                if cursor.char in "[(":
                    cursor.skip_group()
                else:
                    cursor.at += 1
            inner = Cursor(cursor.text, start, start + len(cursor.text[start : cursor.at].rstrip()), cursor.depth)
            argument = PathReader(inner, self._read_filter).read()
        elif not cursor.char:
            cursor.fail(f"Arguments to function: '{function}' are not closed properly.")
        else:
            argument = Literal(read_literal(cursor))
        cursor.leave()
        return argument

    def _read_bracket(self) -> Step:
        cursor = self._cursor
        cursor.at += 1
        char = cursor.skip_blanks()
        step: Step
        if char and char in "'\"":
            step = self._read_names()
        elif char == "*":
            cursor.at += 1
            step = Wildcard()
        elif char == "?":
            step = self._read_filter_step()
        elif char and char in "-:0123456789":
            step = self._read_numbers()
        else:
            cursor.fail(f"Could not parse token starting at position {cursor.at}. Expected ?, ', 0-9, * ")
        cursor.expect("]")
        return step

    def _read_filter_step(self) -> Filter:
        cursor = self._cursor
        cursor.at += 1
        cursor.enter()
        cursor.expect("(")
        test = self._read_filter(cursor)
        cursor.expect(")")
        cursor.leave()
        return Filter(test)

    def _read_names(self) -> Names:
        names = [self._read_quoted_name()]
        while self._cursor.skip_blanks() == ",":
            self._cursor.at += 1
            if self._cursor.skip_blanks() not in ("'", '"'):
                self._cursor.fail(f"Found empty property at index {self._cursor.at}")
            names.append(self._read_quoted_name())
        if self._cursor.char not in ("]", ""):
            self._cursor.fail(
                "Property must be separated by comma or Property must be terminated close square bracket "
                f"at index {self._cursor.at}"
            )
        return Names(tuple(names))

    def _read_quoted_name(self) -> str:
        """A backslash escapes the quote and itself; before anything else it is part of the name (recorded:
        test_escape_sequence_parsing[ESCAPE_SEQUENCES_JSONPATH])."""
        cursor = self._cursor
        start, quote = cursor.at, cursor.char
        cursor.skip_quoted()
        raw = cursor.text[start + 1 : cursor.at - 1]
        if "\\" not in raw:
            return raw
        out, at = [], 0
        while at < len(raw):
            if raw[at] == "\\" and raw[at + 1 : at + 2] in (quote, "\\"):
                at += 1
            out.append(raw[at])
            at += 1
        return "".join(out)

    def _read_numbers(self) -> Step:
        cursor = self._cursor
        end = cursor.text.find("]", cursor.at, cursor.end)
        if end < 0:
            cursor.fail(f"'[' before position {cursor.at} is not closed")
        text = cursor.text[cursor.at : end].strip()
        if ":" in text:
            parts = [self._whole(part) if part else None for part in text.split(":")[:2]]
            if " " in text or parts == [None, None]:
                cursor.fail(f"Failed to parse SliceOperation: {text}")
            cursor.at = end
            return Slice(*parts)
        indices = tuple(self._whole(part.strip()) for part in text.split(","))
        cursor.at = end
        return Indices(indices)

    def _whole(self, text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or not -_INT_LIMIT <= int(text) < _INT_LIMIT:
            self._cursor.fail(f"Failed to parse token in ArrayIndexOperation: {text}")
        return int(text)
