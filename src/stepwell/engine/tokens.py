"""Task tokens: they say which task they are for, and prove that this server made them.

A token is base64 of: format (1 byte), partition id (1), execution id (16), frame (4), event (4), nonce (8), signature (17):
68 characters. So a token whose task is gone can still be told from one that never was: InvalidToken, TaskTimedOut and
TaskDoesNotExist are different answers.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import NamedTuple

from stepwell.engine.journal import Key
from stepwell.kernel.keys import KeyRing

FORMAT = 1
NONCE_BYTES = 8
_LAYOUT = struct.Struct(">BB16sII8s")


class Token(NamedTuple):
    """What a token says."""

    key: Key
    frame: int
    event: int
    nonce: bytes


class Tokens:
    """Makes and reads tokens with a key ring."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def make(self, token: Token) -> str:
        body = _LAYOUT.pack(FORMAT, token.key.pid, token.key.id, token.frame, token.event, token.nonce)
        return base64.urlsafe_b64encode(body + self._keys.sign(body)).decode()

    def read(self, text: str) -> Token | None:
        """None for anything this key ring did not sign."""
        try:
            raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, signature = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if len(body) < _LAYOUT.size or body[0] != FORMAT or not self._keys.verify(body, signature):
            return None
        _, pid, execution, frame, event, nonce = _LAYOUT.unpack(body)
        return Token(Key(pid, execution), frame, event, nonce)
