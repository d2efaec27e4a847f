"""Reads the values written in filters and as arguments: JSON with single quotes and bare words, as in Jayway."""

from __future__ import annotations

import re
from typing import Any

from stepwell.lang.jsonpath.cursor import Cursor

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
_MAX_DIGITS = 400


def read_literal(cursor: Cursor) -> Any:
    """A string, number, boolean, null, array or object at the cursor."""
    char = cursor.skip_blanks()
    if char and char in "'\"":
        return cursor.read_string()
    if char == "[":
        return _read_array(cursor)
    if char == "{":
        return _read_object(cursor)
    for word, value in _WORDS.items():
        if cursor.text.startswith(word, cursor.at, cursor.end):
            cursor.at += len(word)
            return value
    return read_number(cursor)


def read_number(cursor: Cursor) -> int | float:
    found = _NUMBER.match(cursor.text, cursor.at, cursor.end)
    if found is None or len(found.group()) > _MAX_DIGITS:
        cursor.fail(f"Expected a value at position {cursor.at}")
    cursor.at = found.end()
    text = found.group()
    return int(text) if text.removeprefix("-").isdigit() else float(text)


def _read_array(cursor: Cursor) -> list[Any]:
    cursor.enter()
    cursor.at += 1
    items: list[Any] = []
    while not cursor.take("]"):
        if items:
            cursor.expect(",")
        items.append(_read_item(cursor))
    cursor.leave()
    return items


def _read_object(cursor: Cursor) -> dict[str, Any]:
    cursor.enter()
    cursor.at += 1
    members: dict[str, Any] = {}
    while not cursor.take("}"):
        if members:
            cursor.expect(",")
        name = _read_item(cursor)
        cursor.expect(":")
        members[str(name)] = _read_item(cursor)
    cursor.leave()
    return members


def _read_item(cursor: Cursor) -> Any:
    """A value inside an array or object, where a bare word is a string."""
    char = cursor.skip_blanks()
    if char.isalpha():
        start = cursor.at
        while cursor.char and cursor.char not in ",]}: ":
            cursor.at += 1
        word = cursor.text[start : cursor.at]
        return _WORDS.get(word, word)
    return read_literal(cursor)
