"""``nextToken``: a position in URL-safe base64, and GetLogEvents' tokens, which say a place and a direction.

A token of GetLogEvents looks like AWS's: ``f/`` or ``b/``, 56 digits, ``/s``. The digits are also an event's id.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.jsontext import dumps, loads
from stepwell.services.logs.shelf import invalid
from stepwell.storage.logs import Key

BAD_TOKEN = "The specified nextToken is invalid."  # noqa: S105 - a message
_DIRECTED = re.compile(r"([fb])/([0-9]{56})/s")
_WIDTHS = (19, 19, 18)


def token(*position: Any) -> str:
    """The token of a position made of plain JSON values."""
    return base64.urlsafe_b64encode(dumps(position).encode()).decode()


def position(text: str | None, *kinds: type) -> list[Any] | None:
    """The position in a token, which must have values of these kinds. Raises InvalidParameterException."""
    if text is None:
        return None
    try:
        values = loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, JsonSyntaxError):
        raise invalid(BAD_TOKEN) from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise invalid(BAD_TOKEN)
    return values


def event_id(key: Key) -> str:
    """56 digits that sort as events do."""
    return "".join(f"{value:0{width}d}" for value, width in zip(key, _WIDTHS, strict=True))


def key_of(digits: str) -> Key:
    time, chunk = int(digits[:19]), int(digits[19:38])
    return Key(time, chunk, int(digits[38:]))


def directed(down: bool, place: Key) -> str:
    return f"{'b' if down else 'f'}/{event_id(place)}/s"


def read_directed(text: str) -> tuple[bool, Key]:
    """Whether it leads backwards, and from where. Raises InvalidParameterException."""
    found = _DIRECTED.fullmatch(text)
    if found is None:
        raise invalid(BAD_TOKEN)
    return found[1] == "b", key_of(found[2])
