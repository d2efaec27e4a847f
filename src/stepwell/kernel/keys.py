"""The key ring: encrypts secrets and signs tokens. Every ciphertext and MAC names the key that made it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stepwell.kernel.errors import SettingError

KEY_BYTES = 32
NONCE_BYTES = 12
MAC_BYTES = 16


class KeyRing:
    """Keys by id (1 to 255); the newest encrypts and signs, all decrypt and verify."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or any(len(k) != KEY_BYTES or not 0 < i < 256 for i, k in keys.items()):
            raise SettingError("a key ring needs at least one key of 32 bytes with an id from 1 to 255")
        self._keys = keys
        self._newest = max(keys)

    @classmethod
    def generate(cls) -> KeyRing:
        return cls({1: os.urandom(KEY_BYTES)})

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Reads ``{"1": "<64 hex digits>"}``."""
        try:
            return cls({int(i): bytes.fromhex(k) for i, k in json.loads(text).items()})
        except (ValueError, AttributeError, TypeError) as error:
            raise SettingError('keys must be a JSON object like {"1": "<64 hex digits>"}') from error

    @classmethod
    def open(cls, path: Path) -> KeyRing:
        """The ring in this file; made with mode 0600 if the file is not there."""
        if not path.exists():
            ring = cls.generate()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(ring.dump())
                file.flush()
                os.fsync(file.fileno())
            return ring
        return cls.parse(path.read_text())

    def dump(self) -> str:
        return json.dumps({str(i): k.hex() for i, k in sorted(self._keys.items())})

    def encrypt(self, plain: bytes, context: bytes = b"") -> bytes:
        """AES-256-GCM; ``context`` must be the same when decrypting. The first byte names the key."""
        nonce = os.urandom(NONCE_BYTES)
        return bytes([self._newest]) + nonce + AESGCM(self._keys[self._newest]).encrypt(nonce, plain, context)

    def decrypt(self, sealed: bytes, context: bytes = b"") -> bytes:
        """Raises SettingError when the key is missing or the bytes were changed."""
        key = self._keys.get(sealed[0]) if sealed else None
        if key is None:
            raise SettingError("a stored secret was encrypted with a key that is not in the key ring")
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, body, context)
        except InvalidTag:
            raise SettingError("a stored secret does not decrypt with the key that its header names") from None

    def sign(self, message: bytes) -> bytes:
        """17 bytes: key id and a truncated HMAC-SHA-256."""
        return bytes([self._newest]) + self._mac(self._keys[self._newest], message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        key = self._keys.get(signature[0]) if signature else None
        return key is not None and hmac.compare_digest(self._mac(key, message), signature[1:])

    @staticmethod
    def _mac(key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, hashlib.sha256)[:MAC_BYTES]
