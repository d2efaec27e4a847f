"""Reads filters, and with them whole paths: ``parse(text)`` is the front door of the two parsers.

::

    test     = both { "||" both }
    both     = operand { "&&" operand }
    operand  = "!" operand | "(" test ")" | value [ operator value ]
    value    = path | literal | /pattern/flags

A path inside a filter ends at a blank, a comparison sign, ``&&``, ``||`` or the closing bracket (Jayway
FilterCompiler).
"""

from __future__ import annotations

from collections.abc import Callable

from stepwell.lang.jsonpath.cursor import Cursor
from stepwell.lang.jsonpath.literals import read_literal
from stepwell.lang.jsonpath.nodes import Both, Compare, Either, Exists, Literal, Not, Operand, ParsedPath, Pattern, Test
from stepwell.lang.jsonpath.operators import OPERATORS
from stepwell.lang.jsonpath.syntax import PathReader
from stepwell.lang.linearregex import RegexError, compile_regex

_SIGNS = "<>=~!"
_MAX_PATTERN = 1_000


def parse(text: str) -> ParsedPath:
    """A path from its text. Raises PathSyntaxError."""
    return PathReader(Cursor(text.rstrip()), read_filter).read()


def read_filter(cursor: Cursor) -> Test:
    """What stands between the brackets of ``?( )``."""
    tests = _read_joined(cursor, "||", lambda inner: _both(_read_joined(inner, "&&", _read_operand)))
    return tests[0] if len(tests) == 1 else Either(tuple(tests))


def _both(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else Both(tuple(tests))


def _read_joined(cursor: Cursor, sign: str, read: Callable[[Cursor], Test]) -> list[Test]:
    tests = [read(cursor)]
    while cursor.take(sign):
        tests.append(read(cursor))
    return tests


def _read_operand(cursor: Cursor) -> Test:
    wanted = True
    if cursor.skip_blanks() == "!":
        cursor.at += 1
        if cursor.skip_blanks() not in ("@", "$"):
            cursor.enter()
            test = _read_operand(cursor)
            cursor.leave()
            return Not(test)
        wanted = False
    if cursor.char == "(":
        cursor.enter()
        cursor.at += 1
        test = read_filter(cursor)
        cursor.expect(")")
        cursor.leave()
        return test
    left = _read_value(cursor)
    operator = _read_operator(cursor)
    if operator:
        return Compare(left, operator, _read_value(cursor))
    if not isinstance(left, ParsedPath):
        cursor.fail("Expected path node")
    return Exists(left, wanted)


def _read_operator(cursor: Cursor) -> str:
    """The operator at the cursor, or nothing where the expression ends. Words count in any case."""
    char = cursor.skip_blanks()
    if char in ("", ")") or cursor.text.startswith(("&&", "||"), cursor.at):
        return ""
    start = cursor.at
    if char in _SIGNS:
        while cursor.char and cursor.char in _SIGNS:
            cursor.at += 1
    else:
        while cursor.char and cursor.char.isalpha():
            cursor.at += 1
    operator = cursor.text[start : cursor.at].lower()
    if operator not in OPERATORS:
        cursor.at = start
        cursor.fail(f"Operator not supported {cursor.text[start : start + max(1, len(operator))]}")
    return operator


def _read_value(cursor: Cursor) -> Operand:
    char = cursor.skip_blanks()
    if char in ("$", "@"):
        return _read_path(cursor)
    if char == "/":
        return _read_pattern(cursor)
    return Literal(read_literal(cursor))


def _read_path(cursor: Cursor) -> ParsedPath:
    start = cursor.at
    cursor.at += 1
    while (char := cursor.char) and char not in _SIGNS and char not in " )":
        if char in "[(":
            cursor.skip_group()
        elif char in "&|" and cursor.peek() == char:
            break
        else:
            cursor.at += 1
    inner = Cursor(cursor.text, start, cursor.at, cursor.depth)
    return PathReader(inner, read_filter).read()


def _read_pattern(cursor: Cursor) -> Pattern:
    start = cursor.at
    cursor.at += 1
    while cursor.char and cursor.char != "/":
        cursor.at += 2 if cursor.char == "\\" else 1
    if not cursor.char:
        cursor.at = start
        cursor.fail("Pattern not closed. Expected /")
    body = cursor.text[start + 1 : cursor.at]
    cursor.at += 1
    flags = cursor.at
    while cursor.char.isalpha():
        cursor.at += 1
    if len(body) > _MAX_PATTERN:
        cursor.fail(f"Patterns may have {_MAX_PATTERN} characters")
    try:
        return Pattern(compile_regex(body.replace("\\/", "/"), cursor.text[flags : cursor.at]))
    except RegexError as error:
        cursor.fail(f"Pattern /{body}/: {error}")
