"""Functions on text (https://docs.jsonata.org/string-functions). Every function begins with the runtime."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from stepwell.lang.jsonata.errors import EvaluationError, JsonataFailure
from stepwell.lang.jsonata.functions import apply
from stepwell.lang.jsonata.library.registry import native
from stepwell.lang.jsonata.regexes import Match, matches
from stepwell.lang.jsonata.runtime import Runtime
from stepwell.lang.jsonata.values import UNDEFINED, Function, Sequence, is_number, shown_json_number, stringify


@native("string", "<x-b?:s>", 1)
def string(runtime: Runtime, value: Any = UNDEFINED, pretty: Any = False) -> Any:
    if value is UNDEFINED or type(value) is str:
        return value
    if isinstance(value, Function):
        return ""
    if type(value) is float and not math.isfinite(value):
        raise EvaluationError("D3001", value=value)
    runtime.check_time()
    text = stringify(value, 2 if pretty is True else None, _finite_number)
    runtime.reserve(characters=len(text))
    return text


def _finite_number(value: float) -> str:
    if math.isinf(value):
        raise EvaluationError("D1001", value=value)
    return shown_json_number(value)


@native("substring", "<s-nn?:s>", 3)
def substring(_runtime: Runtime, text: Any, start: Any, length: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    start = 0 if len(text) + start < 0 else start
    if length is UNDEFINED:
        return text[int(start) :]
    if length <= 0:
        return ""
    end = start + length if start >= 0 else len(text) + start + length
    return text[int(start) : int(min(end, len(text) + 1))]


@native("substringBefore", "<s-s:s>", 2)
def substring_before(_runtime: Runtime, text: Any, chars: Any = UNDEFINED) -> Any:
    return text if text is UNDEFINED or chars is UNDEFINED else text.partition(chars)[0] if chars else ""


@native("substringAfter", "<s-s:s>", 2)
def substring_after(_runtime: Runtime, text: Any, chars: Any = UNDEFINED) -> Any:
    if text is UNDEFINED or chars is UNDEFINED or not chars or chars not in text:
        return text
    return text.partition(chars)[2]


@native("lowercase", "<s-:s>", 1)
def lowercase(_runtime: Runtime, text: Any) -> Any:
    return text if text is UNDEFINED else text.lower()


@native("uppercase", "<s-:s>", 1)
def uppercase(_runtime: Runtime, text: Any) -> Any:
    return text if text is UNDEFINED else text.upper()


@native("length", "<s-:n>", 1)
def length_of(_runtime: Runtime, text: Any) -> Any:
    return text if text is UNDEFINED else len(text)


_BLANKS = re.compile(r"[ \t\n\r]+")


@native("trim", "<s-:s>", 1)
def trim(_runtime: Runtime, text: Any) -> Any:
    return text if text is UNDEFINED else _BLANKS.sub(" ", text).strip(" ")


@native("pad", "<s-ns?:s>", 3)
def pad(runtime: Runtime, text: Any, width: Any = UNDEFINED, char: Any = UNDEFINED) -> Any:
    if text is UNDEFINED or width is UNDEFINED:
        return text
    runtime.reserve(characters=abs(width))
    missing = int(abs(width)) - len(text)
    if missing <= 0:
        return text
    filler = char or " "
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return text + padding if width > 0 else padding + text


@native("match", "<s-f<s:o>n?:a<o>>", 3)
def match(runtime: Runtime, text: Any, pattern: Any = UNDEFINED, limit: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise EvaluationError("D3040", value=limit, index=3)
    found = Sequence()
    if limit is UNDEFINED or limit > 0:
        for each in matches(runtime, pattern, text):
            found.append({"match": each.text, "index": each.start, "groups": _groups(each)})
            if limit is not UNDEFINED and len(found) >= limit:
                break
    return found


def _groups(found: Match) -> list[Any]:
    return [None if group is UNDEFINED else group for group in found.groups]


@native("contains", "<s-(sf):b>", 2)
def contains(runtime: Runtime, text: Any, token: Any = UNDEFINED) -> Any:
    if text is UNDEFINED or token is UNDEFINED:
        return UNDEFINED
    if type(token) is str:
        return token in text
    return next(matches(runtime, token, text), None) is not None


@native("replace", "<s-(sf)(sf)n?:s>", 4)
def replace(
    runtime: Runtime, text: Any, pattern: Any = UNDEFINED, replacement: Any = UNDEFINED, limit: Any = UNDEFINED
) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if pattern == "":
        raise EvaluationError("D3010", value=pattern, index=2)
    if limit is not UNDEFINED and limit < 0:
        raise EvaluationError("D3011", value=limit, index=4)
    if limit == 0:
        return text
    if type(pattern) is str:
        return _replace_text(runtime, text, pattern, replacement, -1 if limit is UNDEFINED else math.ceil(limit))
    parts, at, size = [], 0, 0
    for count, found in enumerate(matches(runtime, pattern, text), start=1):
        parts += [text[at : found.start], _substitute(runtime, replacement, found)]
        size += found.start - at + len(parts[-1])
        runtime.reserve(characters=size) if size > 10_000 else None
        at = found.start + len(found.text)
        if limit is not UNDEFINED and count >= limit:
            break
    return "".join([*parts, text[at:]])


def _replace_text(runtime: Runtime, text: str, pattern: str, replacement: Any, count: int) -> str:
    if type(replacement) is not str:
        raise EvaluationError("D3012", value=replacement)
    times = text.count(pattern) if count < 0 else min(count, text.count(pattern))
    runtime.reserve(characters=max(0, len(text) + times * (len(replacement) - len(pattern))))
    return text.replace(pattern, replacement, count)


def _substitute(runtime: Runtime, replacement: Any, found: Match) -> str:
    if type(replacement) is str:
        return _filled(replacement, found) if "$" in replacement else replacement
    shown = {"match": found.text, "start": found.start, "end": found.end, "groups": _groups(found)}
    text = apply(runtime, replacement, [shown])
    if type(text) is not str:
        raise EvaluationError("D3012", value=text)
    return text


_REFERENCE = re.compile(r"\$(\$|0|[1-9][0-9]*)?")


def _filled(replacement: str, found: Match) -> str:
    """``$1`` is the first group, ``$0`` everything, ``$$`` a dollar; as many digits count as there are groups."""
    groups = found.groups
    digits = len(str(len(groups))) if groups else 1

    def fill(reference: re.Match[str]) -> str:
        number = reference.group(1)
        if number is None or number == "$":
            return "$"
        if number == "0":
            return found.text
        used = number[:digits]
        if len(used) > 1 and int(used) > len(groups):
            used = used[:-1]
        index = int(used)
        group = groups[index - 1] if index <= len(groups) else UNDEFINED
        return ("" if group is UNDEFINED else group) + number[len(used) :]

    return _REFERENCE.sub(fill, replacement)


@native("split", "<s-(sf)n?:a<s>>", 3)
def split(runtime: Runtime, text: Any, separator: Any = UNDEFINED, limit: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise EvaluationError("D3020", value=limit, index=3)
    most = len(text) + 1 if limit is UNDEFINED else math.floor(limit)
    if type(separator) is str:
        runtime.reserve(members=text.count(separator) + 1 if separator else len(text), each=60)
        return (text.split(separator) if separator else list(text))[:most]
    parts: list[str] = []
    at = 0
    for found in matches(runtime, separator, text):
        if len(parts) >= most:
            return parts
        parts.append(text[at : found.start])
        at = found.end
    if len(parts) < most:
        parts.append(text[at:])
    return parts


@native("join", "<a<s>s?:s>", 2)
def join(runtime: Runtime, parts: Any, separator: Any = UNDEFINED) -> Any:
    if parts is UNDEFINED:
        return UNDEFINED
    between = "" if separator is UNDEFINED else separator
    runtime.reserve(characters=sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


# -------------------------------------------------------------------------------------------------------- encodings


@native("base64encode", "<s-:s>", 1)
def base64encode(_runtime: Runtime, text: Any) -> Any:
    """Characters beyond Latin-1 lose their high bits, as in the reference implementation."""
    if text is UNDEFINED:
        return UNDEFINED
    return base64.b64encode(bytes(ord(char) & 0xFF for char in text)).decode()


@native("base64decode", "<s-:s>", 1)
def base64decode(_runtime: Runtime, text: Any) -> Any:
    """What is no base64 is an internal error on AWS (measured: floci-io/floci issue 2736)."""
    if text is UNDEFINED:
        return UNDEFINED
    compact = "".join(text.split()).rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        raise JsonataFailure("internal", "", "$base64decode was given text that is not base64") from None


_COMPONENT = "-_.!~*'()"
_RESERVED = ";/?:@&=+$,#"


def _encoder(name: str, safe: str) -> Callable[..., Any]:
    def encode(_runtime: Runtime, text: Any) -> Any:
        if text is UNDEFINED:
            return UNDEFINED
        try:
            return quote(text, safe=safe)
        except UnicodeEncodeError:
            raise EvaluationError("D3140", value=text, functionName=name) from None

    return encode


_ESCAPED = re.compile(r"(?:%[0-9a-fA-F]{2})+")


def _decoder(name: str, kept: str) -> Callable[..., Any]:
    def decode(_runtime: Runtime, text: Any) -> Any:
        if text is UNDEFINED:
            return UNDEFINED
        if "%" in _ESCAPED.sub("", text):
            raise EvaluationError("D3140", value=text, functionName=name)
        try:
            return _ESCAPED.sub(lambda run: _decoded(run.group(), kept), text)
        except UnicodeDecodeError:
            raise EvaluationError("D3140", value=text, functionName=name) from None

    return decode


def _decoded(run: str, kept: str) -> str:
    plain = unquote_to_bytes(run).decode("utf-8")
    return "".join(f"%{ord(char):02X}" if char in kept else char for char in plain)


native("encodeUrlComponent", "<s-:s>", 1)(_encoder("encodeUrlComponent", _COMPONENT))
native("encodeUrl", "<s-:s>", 1)(_encoder("encodeUrl", _COMPONENT + _RESERVED))
native("decodeUrlComponent", "<s-:s>", 1)(_decoder("decodeUrlComponent", ""))
native("decodeUrl", "<s-:s>", 1)(_decoder("decodeUrl", _RESERVED))

_NUMERIC = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")


def numeric_text(text: str) -> float | None:
    """The number a text spells, or None."""
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if not _NUMERIC.fullmatch(text):
        return None
    value = float(text)
    return value if is_number(value) and math.isfinite(value) else None
