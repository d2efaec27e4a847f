"""Marker and MaxItems, IAM's way to page through lists.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html (100 items when MaxItems is not given).
The marker is the last key already seen, in URL-safe base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from stepwell.kernel.caller import Params
from stepwell.kernel.errors import ServiceError

PAGE_ITEMS = 100
T = TypeVar("T")


def page(items: Sequence[tuple[str, T]], params: Params, member: str, show: Callable[[T], Any]) -> dict[str, Any]:
    """One page of ``items`` (key and thing, in key order) as the operation's answer, under ``member``."""
    after = _after(params.get("Marker"))
    limit = int(params.get("MaxItems") or PAGE_ITEMS)
    left = [item for item in items if after is None or item[0] > after]
    answer: dict[str, Any] = {member: [show(thing) for _, thing in left[:limit]], "IsTruncated": len(left) > limit}
    if len(left) > limit:
        answer["Marker"] = base64.urlsafe_b64encode(left[limit - 1][0].encode()).decode()
    return answer


def _after(marker: str | None) -> str | None:
    if marker is None:
        return None
    try:
        return base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise ServiceError("ValidationError", "Invalid Marker.") from None
