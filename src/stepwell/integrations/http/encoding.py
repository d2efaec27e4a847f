"""Query strings and form bodies of ``http:invoke``.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html, "Applying URL-encoding on request
body": blanks are ``%20``, brackets of nested keys are escaped, arrays have four formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from stepwell.kernel.jsontext import dumps

Pair = tuple[str, str]


def scalar_text(value: Any) -> str:
    """A string as it is; a number, a boolean or null as JSON writes it."""
    return value if isinstance(value, str) else dumps(value)


def encode_pairs(pairs: list[Pair], *, safe: str = "") -> str:
    return "&".join(f"{quote(key, safe='')}={quote(value, safe=safe)}" for key, value in pairs)


def _indices(key: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{key}[{index}]", item) for index, item in enumerate(items))


def _repeat(key: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((key, item) for item in items)


def _brackets(key: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{key}[]", item) for item in items)


def _commas(key: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    yield key, ",".join(scalar_text(item) for item in items)


ARRAY_FORMATS: dict[str, Callable[[str, list[Any]], Iterator[tuple[str, Any]]]] = {
    "INDICES": _indices,
    "REPEAT": _repeat,
    "BRACKETS": _brackets,
    "COMMAS": _commas,
}


def form(body: dict[str, Any], array_format: str) -> str:
    """``{"a": {"b": 1}, "c": ["x"]}`` as ``a%5Bb%5D=1&c%5B0%5D=x``."""
    pairs: list[Pair] = []
    for key, value in body.items():
        _flatten(key, value, array_format, pairs)
    return encode_pairs(pairs, safe="," if array_format == "COMMAS" else "")


def _flatten(key: str, value: Any, array_format: str, pairs: list[Pair]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _flatten(f"{key}[{name}]", item, array_format, pairs)
    elif isinstance(value, list):
        for name, item in ARRAY_FORMATS[array_format](key, value):
            _flatten(name, item, array_format, pairs)
    else:
        pairs.append((key, scalar_text(value)))
