"""``nextToken``: a signed position, good on every server with the same key ring, for the same request only.

A token is base64 of signature (17 bytes) and JSON ``[seconds since the epoch, position]``; the signature also covers
operation, account, region and the other parameters. It expires after 24 hours, as AWS's do:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.keys import MAC_BYTES, KeyRing
from stepwell.services.stepfunctions import faults

PAGE_RESULTS = 100  # when maxResults is not given, or 0
LIFETIME = 86_400
_SIGNATURE = MAC_BYTES + 1
_FREE = frozenset({"maxResults", "nextToken"})  # may differ from page to page

Params = Mapping[str, Any]
Position = Sequence[Any]


def page_size(params: Params) -> int:
    return int(params.get("maxResults") or PAGE_RESULTS)


class Pager:
    """Makes and reads tokens."""

    def __init__(self, keys: KeyRing, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def token(self, operation: str, scope: Scope, params: Params, position: Position) -> str:
        """The token of a request's next page; ``position`` is a list of plain JSON values."""
        body = orjson.dumps([int(self._clock.now()), position])
        signature = self._keys.sign(_bound(operation, scope, params) + body)
        return base64.urlsafe_b64encode(signature + body).decode()

    def position(self, operation: str, scope: Scope, params: Params) -> Any:
        """Where the request's page begins; None for the first. Raises InvalidToken."""
        token = params.get("nextToken")
        if token is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(token.encode())
        except (binascii.Error, ValueError):
            raise faults.invalid_token() from None
        signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if base64.urlsafe_b64encode(raw).decode() != token or not body:
            raise faults.invalid_token()
        if not self._keys.verify(_bound(operation, scope, params) + body, signature):
            raise faults.invalid_token()
        made, position = orjson.loads(body)
        if self._clock.now() > made + LIFETIME:
            raise faults.invalid_token()
        return position


def _bound(operation: str, scope: Scope, params: Params) -> bytes:
    kept = sorted((name, value) for name, value in params.items() if name not in _FREE and value is not None)
    return orjson.dumps([operation, scope.partition, scope.account, scope.region, kept])
