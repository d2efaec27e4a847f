"""JSON as text and as value, kept together.

AWS passes the caller's own text on where a state does not touch it: spaces and the spelling of numbers survive. ``Json``
therefore holds either form and makes the other on demand. A value inside ``Json`` is never changed in place: whoever
needs another value builds a new one that shares what is the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from stepwell.kernel.errors import FatalStateError, JsonSyntaxError

# A run of 17 digits may be a number that fits neither 64 bits nor a double: such a text is read exactly. Looked for with
# all digits made zeros and all else made nothing, which takes a fifth of a regular expression's time (measured).
_DIGITS_AS_ZEROS = bytes(ord("0") if chr(code).isascii() and chr(code).isdigit() else 0 for code in range(256))
_LONG_NUMBER = b"0" * 17
_MISSING: Any = object()


class Json:
    """A JSON document: its compact or original text, its value, or both. Equal if the values are equal."""

    __slots__ = ("_bytes", "_text", "_value")

    def __init__(self, value: Any = _MISSING, text: str | None = None) -> None:
        self._value = value
        self._text = text
        self._bytes = -1

    @classmethod
    def parse(cls, text: str) -> Json:
        """Checks the text at once; raises JsonSyntaxError."""
        return cls(loads(text), text)

    @property
    def value(self) -> Any:
        if self._value is _MISSING:
            self._value = loads(self._text or "")
        return self._value

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = dumps(self._value)
        return self._text

    @property
    def size(self) -> int:
        """Bytes of UTF-8, the unit of AWS's limits."""
        size = self._bytes
        if size < 0:
            text = self._text
            if text is None:
                text = self._text = dumps(self._value)
            self._bytes = size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        return size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Json) and (self is other or self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Json({self.text})"


EMPTY_OBJECT = Json({}, "{}")
NULL = Json(None, "null")


def loads(text: str | bytes) -> Any:
    """Parse JSON; of a key given twice the last value counts. Raises JsonSyntaxError."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        if _LONG_NUMBER in raw.translate(_DIGITS_AS_ZEROS):
            return _loads_exactly(raw)
        return orjson.loads(raw)
    except (orjson.JSONDecodeError, ValueError, RecursionError) as error:
        raise _explain(raw, error) from None


def dumps(value: Any) -> str:
    """Compact JSON text, as Jackson writes it: no spaces, non-ASCII characters as they are.

    Raises FatalStateError for a value that is nested so deeply that no text of it could be read again: only a workflow
    builds one, out of a document that is nearly as deep.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer beyond 64 bits, a lone surrogate, or a depth orjson does not walk
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except RecursionError:
            raise FatalStateError("States.Runtime", "The document is nested too deeply.") from None


def _loads_exactly(raw: bytes) -> Any:
    orjson.loads(raw)  # the one judge of what is JSON: syntax, depth, range and surrogates
    return json.loads(raw)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_TOKEN = re.compile(r"[A-Za-z_$][\w$]*")


def _explain(raw: bytes, error: Exception) -> JsonSyntaxError:
    """Say what is wrong the way Jackson, AWS's JSON reader, does (recorded: InvalidExecutionInput, validation)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as bad:
        return JsonSyntaxError("Invalid UTF-8 start byte", column=bad.start + 1)
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as found:
        return _jackson(text, found)
    except (ValueError, RecursionError):
        pass
    return JsonSyntaxError(str(error) if not isinstance(error, RecursionError) else "JSON is nested too deeply")


def _jackson(text: str, found: json.JSONDecodeError) -> JsonSyntaxError:
    at = found.pos
    place = {"line": found.lineno, "column": found.colno}
    if at >= len(text.rstrip()):
        return JsonSyntaxError("Unexpected end-of-input", **place)
    char = text[at]
    if found.msg.startswith("Expecting property name"):
        return JsonSyntaxError(
            f"Unexpected character ('{char}' (code {ord(char)})): was expecting double-quote to start field name",
            **place,
        )
    if found.msg == "Expecting value":
        token = _TOKEN.match(text, at)
        if token:
            place["column"] += len(token.group())
            expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            return JsonSyntaxError(f"Unrecognized token '{token.group()}': was expecting {expected}", **place)
        return JsonSyntaxError(
            f"Unexpected character ('{char}' (code {ord(char)})): expected a valid value "
            "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            **place,
        )
    wanted = {
        "Expecting ',' delimiter": "comma to separate Object entries",
        "Expecting ':' delimiter": "a colon to separate field name and value",
    }
    if found.msg in wanted:
        return JsonSyntaxError(
            f"Unexpected character ('{char}' (code {ord(char)})): was expecting {wanted[found.msg]}", **place
        )
    return JsonSyntaxError(found.msg, **place)
