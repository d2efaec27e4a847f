"""Text into tokens, as JSONata 2.0 cuts it (grammar: https://docs.jsonata.org, reference implementation 2.0.6).

Whether ``/`` divides or opens a regular expression depends on what the parser expects, so tokens are read on demand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stepwell.lang.jsonata.errors import JsonataSyntaxError
from stepwell.lang.jsonata.values import number

_DOUBLE = {"..", ":=", "!=", ">=", "<=", "**", "~>"}
_SINGLE = set(".[]{}(),@#;:?+-*/%|=<>^&!~")
_SPACE = " \t\n\r\v"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_WORD = re.compile(r"[^ \t\n\r\v.\[\]{}(),@#;:?+\-*/%|=<>^&!~]*")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
END = "(end)"


@dataclass(slots=True)
class Token:
    """``kind`` is name, variable, operator, string, number, value, regex or (end)."""

    kind: str
    value: Any
    position: int  # just behind the token
    flags: str = ""  # of a regular expression

    @property
    def id(self) -> str:
        """What grammar rules are looked up by."""
        if self.kind == "operator":
            return str(self.value)
        if self.kind in {"name", "variable"}:
            return "(name)"
        if self.kind in {"string", "number", "value"}:
            return "(literal)"
        return "(regex)" if self.kind == "regex" else END


class Tokenizer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next(self, infix: bool) -> Token:
        """The next token. ``infix`` says that an operator may follow, so that ``/`` divides."""
        self._skip()
        text, at = self._text, self._at
        if at >= len(text):
            return Token(END, END, len(text))
        char = text[at]
        if char == "/" and not infix:
            self._at += 1
            return self._regex()
        if text[at : at + 2] in _DOUBLE:
            self._at += 2
            return Token("operator", text[at : at + 2], self._at)
        if char in _SINGLE:
            self._at += 1
            if char in "!~":
                raise JsonataSyntaxError("S0204", self._at, token=char)
            return Token("operator", char, self._at)
        if char in {'"', "'"}:
            return self._string(char)
        if match := _NUMBER.match(text, at):
            return self._number(match)
        if char == "`":
            return self._quoted_name()
        return self._word()

    def _skip(self) -> None:
        text = self._text
        while self._at < len(text):
            if text[self._at] in _SPACE:
                self._at += 1
            elif text.startswith("/*", self._at):
                start, end = self._at, text.find("*/", self._at + 2)
                if end < 0:
                    raise JsonataSyntaxError("S0106", start)
                self._at = end + 2
            else:
                return

    def _number(self, match: re.Match[str]) -> Token:
        self._at = match.end()
        value = float(match.group())
        if value == float("inf"):
            raise JsonataSyntaxError("S0102", self._at, token=match.group())
        return Token("number", number(value), self._at)

    def _quoted_name(self) -> Token:
        end = self._text.find("`", self._at + 1)
        if end < 0:
            raise JsonataSyntaxError("S0105", len(self._text))
        name = self._text[self._at + 1 : end]
        self._at = end + 1
        return Token("name", name, self._at)

    def _word(self) -> Token:
        match = _WORD.match(self._text, self._at)
        assert match is not None
        word = match.group()
        self._at = match.end()
        if word.startswith("$"):
            return Token("variable", word[1:], self._at)
        if word in {"or", "in", "and"}:
            return Token("operator", word, self._at)
        if word in _CONSTANTS:
            return Token("value", _CONSTANTS[word], self._at)
        return Token("name", word, self._at)

    def _string(self, quote: str) -> Token:
        text = self._text
        parts: list[str] = []
        at = self._at + 1
        while at < len(text):
            char = text[at]
            if char == quote:
                self._at = at + 1
                return Token("string", _joined("".join(parts)), self._at)
            if char == "\\":
                part, at = self._escape(at + 1)
                parts.append(part)
            else:
                parts.append(char)
                at += 1
        raise JsonataSyntaxError("S0101", len(text))

    def _escape(self, at: int) -> tuple[str, int]:
        char = self._text[at : at + 1]
        if char in _ESCAPES:
            return _ESCAPES[char], at + 1
        if char == "u":
            match = _HEX.match(self._text, at + 1)
            if match is None:
                raise JsonataSyntaxError("S0104", at)
            return chr(int(match.group(), 16)), match.end()
        raise JsonataSyntaxError("S0103", at, token=char)

    def _regex(self) -> Token:
        text, start, depth = self._text, self._at, 0
        at = start
        while at < len(text):
            char, escaped = text[at], text[at - 1] == "\\"
            if char == "/" and not escaped and depth == 0:
                if at == start:
                    raise JsonataSyntaxError("S0301", at)
                end = at + 1
                while text[end : end + 1] in {"i", "m"}:
                    end += 1
                self._at = end
                return Token("regex", text[start:at], end, text[at + 1 : end])
            if not escaped:
                depth += (char in "([{") - (char in ")]}")
            at += 1
        raise JsonataSyntaxError("S0302", at)


def _joined(text: str) -> str:
    """Surrogate halves written as two escapes are one character."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
