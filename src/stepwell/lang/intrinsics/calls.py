"""Reads a call such as ``States.Format('{}', $.name)`` and compiles it to closures.

::

    call     = name "(" [ argument { "," argument } ] ")"
    argument = call | reference | 'text' | number | true | false | null

In a text a backslash may stand before ``'``, ``{``, ``}`` and itself only (recorded: test_illegal_escapes). Calls
may be nested 10 deep (https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics.errors import IntrinsicFailure, IntrinsicSyntaxError
from stepwell.lang.intrinsics.registry import FUNCTIONS, Function
from stepwell.lang.intrinsics.strings import Template
from stepwell.lang.jsonpath import PathSyntaxError
from stepwell.lang.references import Reference, compile_reference

MAX_DEPTH = 10
PREFIX = "States."
Resolve = Callable[[Reference], Any]
_Node = Callable[[Resolve, Ids], Any]
_NAME = re.compile(r"[\w.]*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPABLE = "'{}\\"
_BLANKS = " \t\r\n"
_CLOSERS = {"[": "]", "(": ")"}
_MAX_DIGITS = 400


class Intrinsic:
    """A compiled call. ``functions``: the names it calls. ``references``: what it asks the resolver for, in order."""

    __slots__ = ("_node", "functions", "references", "text")

    def __init__(self, text: str) -> None:
        reader = _Reader(text)
        self.text = text
        self._node = reader.read()
        self.functions = frozenset(reader.functions)
        self.references = tuple(reader.references)

    def evaluate(self, resolve: Resolve, ids: Ids) -> Any:
        """The result. Raises IntrinsicFailure, and whatever ``resolve`` raises; an IntrinsicFailure of the
        resolver gets the text of this call too."""
        try:
            return self._node(resolve, ids)
        except IntrinsicFailure as failure:
            raise IntrinsicFailure(failure.detail, self.text) from None

    def __repr__(self) -> str:
        return f"Intrinsic({self.text!r})"


@lru_cache(maxsize=4096)
def compile_intrinsic(text: str) -> Intrinsic:
    """The call with this text. Raises IntrinsicSyntaxError."""
    return Intrinsic(text)


def is_intrinsic(text: str) -> bool:
    """Whether the text is meant to be a call: it begins with ``States.``."""
    return text.startswith(PREFIX)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.functions: list[str] = []
        self.references: list[Reference] = []

    def read(self) -> _Node:
        node = self._call(1)
        if self._peek():
            self._fail("Unexpected text after the call")
        return node

    def _call(self, depth: int) -> _Node:
        self._peek()
        found = _NAME.match(self._text, self._at)
        name = found.group() if found else ""
        function = FUNCTIONS.get(name)
        if function is None:
            self._fail(f"There is no intrinsic function '{name}'")
        if depth > MAX_DEPTH:
            self._fail(f"Intrinsic functions may be nested {MAX_DEPTH} deep")
        self._at += len(name)
        self.functions.append(name)
        if self._peek() != "(":
            self._fail("Expected '('")
        self._at += 1
        arguments: list[_Node] = []
        while self._peek() != ")" or arguments:
            arguments.append(self._argument(function, len(arguments), depth))
            if self._peek() == ")":
                break
            if self._peek() != ",":
                self._fail("Expected ',' or ')'")
            self._at += 1
        self._at += 1
        return _calling(function, tuple(arguments))

    def _argument(self, function: Function, place: int, depth: int) -> _Node:
        char = self._peek()
        if char == "'":
            value, raw = self._string()
            return _constant(Template(raw) if function.name == "States.Format" and place == 0 else value)
        if char == "$":
            return self._reference()
        if self._text.startswith(PREFIX, self._at):
            return self._call(depth + 1)
        number = _NUMBER.match(self._text, self._at)
        if number:
            return self._number(number.group())
        word = _NAME.match(self._text, self._at)
        if word and word.group() in _WORDS:
            self._at = word.end()
            return _constant(_WORDS[word.group()])
        return self._fail("Expected an argument")

    def _number(self, text: str) -> _Node:
        if len(text) > _MAX_DIGITS:
            self._fail("The number is too long")
        self._at += len(text)
        return _constant(int(text) if text.removeprefix("-").isdigit() else float(text))

    def _string(self) -> tuple[str, str]:
        """The text between the quotes, without and with its escapes."""
        start = at = self._at + 1
        out = []
        while at < len(self._text) and self._text[at] != "'":
            if self._text[at] == "\\":
                at += 1
                if self._text[at : at + 1] not in tuple(_ESCAPABLE):
                    self._at = at
                    self._fail("A backslash may stand before ' { } and \\ only")
            out.append(self._text[at])
            at += 1
        if at >= len(self._text):
            self._fail("The text is not closed")
        self._at = at + 1
        return "".join(out), self._text[start:at]

    def _reference(self) -> _Node:
        start = self._at
        self._skip_path()
        text = self._text[start : self._at].rstrip()
        try:
            reference = compile_reference(text)
        except PathSyntaxError as error:
            raise IntrinsicSyntaxError(error.message, start + error.position) from None
        self.references.append(reference)
        return lambda resolve, ids: resolve(reference)

    def _skip_path(self) -> None:
        """To the ``,`` or ``)`` behind a path, which may hold both inside its brackets."""
        opened: list[str] = []
        quote = ""
        while self._at < len(self._text):
            char = self._text[self._at]
            if quote:
                if char == "\\":
                    self._at += 1
                elif char == quote:
                    quote = ""
            elif opened and char in "'\"":
                quote = char
            elif char in _CLOSERS:
                opened.append(_CLOSERS[char])
            elif opened and char == opened[-1]:
                opened.pop()
            elif not opened and char in ",)":
                return
            self._at += 1

    def _peek(self) -> str:
        while self._at < len(self._text) and self._text[self._at] in _BLANKS:
            self._at += 1
        return self._text[self._at] if self._at < len(self._text) else ""

    def _fail(self, message: str) -> NoReturn:
        raise IntrinsicSyntaxError(f"{message} at position {self._at}", self._at)


def _constant(value: Any) -> _Node:
    return lambda resolve, ids: value


def _calling(function: Function, arguments: tuple[_Node, ...]) -> _Node:
    call = function.taking(len(arguments))
    return lambda resolve, ids: call([argument(resolve, ids) for argument in arguments], ids)
