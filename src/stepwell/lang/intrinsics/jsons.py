"""Between JSON text and JSON values."""

from __future__ import annotations

from typing import Any

from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import dumps, loads
from stepwell.lang.intrinsics.arguments import Arguments, Invalid


def string_to_json(given: Arguments, ids: Ids) -> Any:
    """Blank text is null (recorded: test_string_to_json)."""
    text = given[0].strip()
    if not text:
        return None
    try:
        return loads(text)
    except JsonSyntaxError:
        raise Invalid from None


def json_to_string(given: Arguments, ids: Ids) -> Any:
    return dumps(given[0])


def json_merge(given: Arguments, ids: Ids) -> Any:
    """Shallow only: ``true`` as third argument fails, anything else counts as false."""
    left, right, deep = given
    if deep is True:
        raise Invalid
    return {**left, **right}
