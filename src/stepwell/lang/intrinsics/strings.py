"""The functions on strings."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics.arguments import Arguments, Invalid
from stepwell.lang.intrinsics.errors import IntrinsicFailure
from stepwell.lang.javavalues import java_text


class Template(str):
    """The text of a literal with its escapes still in it, for States.Format to tell ``\\{`` from ``{``."""

    __slots__ = ()


def string_format(given: Arguments, ids: Ids) -> Any:
    """Each ``{}`` gives way to the next argument: strings as they are, others as Java writes them, ``{a=1}`` (recorded:
    test_format_2). Backslashes escape braces; in a literal also quotes and themselves."""
    pieces = _pieces(given[0], isinstance(given[0], Template))
    if len(pieces) != len(given):
        raise Invalid(": number of arguments do not match the occurrences of {}.")
    text = pieces[0]
    for place in range(1, len(pieces)):
        text += java_text(given[place]) + pieces[place]
    return text


def string_split(given: Arguments, ids: Ids) -> Any:
    """Every character of the second string separates; empty parts are dropped."""
    text, separators = given
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    parts = text.split(separators[0]) if separators else [text]
    return [part for part in parts if part]


def uuid(given: Arguments, ids: Ids) -> Any:
    return ids.uuid()


@lru_cache(maxsize=1024)
def _pieces(template: str, is_literal: bool) -> tuple[str, ...]:
    """The texts between the ``{}``. Raises IntrinsicFailure for a brace without its partner."""
    escapable = "'{}\\" if is_literal else "{}"
    pieces, piece, at = [], "", 0
    while at < len(template):
        char = template[at]
        ahead = template[at + 1 : at + 2]
        if char == "\\" and ahead and ahead in escapable:
            piece += ahead
            at += 1
        elif char == "{":
            if ahead != "}":
                raise _unpaired("}", "{")
            pieces.append(piece)
            piece = ""
            at += 1
        elif char == "}":
            raise _unpaired("{", "}")
        else:
            piece += char
        at += 1
    return (*pieces, piece)


def _unpaired(missing: str, found: str) -> IntrinsicFailure:
    return IntrinsicFailure(f"Invalid template in States.Format: matching '{missing}' not found for '{found}'.")
