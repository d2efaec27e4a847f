"""A place in a text, for the two parsers."""

from __future__ import annotations

from typing import NoReturn

from stepwell.lang.jsonpath.errors import PathSyntaxError

MAX_DEPTH = 40  # of parentheses, filters inside filters, literals inside literals
_CLOSERS = {"[": "]", "(": ")", "{": "}"}
_BLANKS = " \t\r\n"
_ESCAPES = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}


class Cursor:
    """Reads ``text`` from ``at`` up to ``end``."""

    __slots__ = ("at", "depth", "end", "text")

    def __init__(self, text: str, at: int = 0, end: int | None = None, depth: int = 0) -> None:
        self.text = text
        self.at = at
        self.end = len(text) if end is None else end
        self.depth = depth

    @property
    def char(self) -> str:
        """The character at the cursor, empty at the end."""
        return self.text[self.at] if self.at < self.end else ""

    def peek(self) -> str:
        """The character after it."""
        return self.text[self.at + 1] if self.at + 1 < self.end else ""

    def skip_blanks(self) -> str:
        """Go to the next character that is no blank; gives it back."""
        while self.at < self.end and self.text[self.at] in _BLANKS:
            self.at += 1
        return self.char

    def take(self, expected: str) -> bool:
        """Skip blanks, then ``expected`` if it is there."""
        self.skip_blanks()
        if self.text.startswith(expected, self.at, self.end):
            self.at += len(expected)
            return True
        return False

    def expect(self, expected: str) -> None:
        if not self.take(expected):
            self.fail(f"Expected '{expected}' at position {self.at}")

    def fail(self, message: str) -> NoReturn:
        raise PathSyntaxError(message, self.at)

    def enter(self) -> None:
        """One level deeper; bounds the recursion of the parsers and of what they make."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"The path is nested more than {MAX_DEPTH} levels deep")

    def leave(self) -> None:
        self.depth -= 1

    def skip_group(self) -> None:
        """From an opening bracket to behind the one that closes it; quoted text does not count."""
        opened: list[str] = []
        start = self.at
        while self.at < self.end:
            char = self.text[self.at]
            if char in "'\"":
                self.skip_quoted()
                continue
            if char in _CLOSERS:
                opened.append(_CLOSERS[char])
            elif opened and char == opened[-1]:
                opened.pop()
            self.at += 1
            if not opened:
                return
        self.at = start
        self.fail(f"'{self.char}' at position {start} is not closed")

    def skip_quoted(self) -> None:
        """From a quote to behind the one that closes it."""
        start, quote = self.at, self.char
        self.at += 1
        while self.at < self.end:
            char = self.text[self.at]
            self.at += 2 if char == "\\" else 1
            if char == quote:
                return
        self.at = start
        self.fail(f"The text that begins at position {start} is not closed")

    def read_string(self) -> str:
        """A quoted text with JSON's escapes; a backslash before another character is dropped (Jayway Utils)."""
        start = self.at
        self.skip_quoted()
        raw = self.text[start + 1 : self.at - 1]
        return unescape(raw) if "\\" in raw else raw


def unescape(raw: str) -> str:
    """Resolve backslashes."""
    out, at = [], 0
    while at < len(raw):
        char = raw[at]
        at += 1
        if char == "\\" and at < len(raw):
            char = raw[at]
            at += 1
            if char == "u" and len(raw) >= at + 4 and all(c in "0123456789abcdefABCDEF" for c in raw[at : at + 4]):
                char = chr(int(raw[at : at + 4], 16))
                at += 4
            else:
                char = _ESCAPES.get(char, char)
        out.append(char)
    return "".join(out)
