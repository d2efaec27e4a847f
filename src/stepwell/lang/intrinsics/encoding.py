"""Base64 and hashes. Each takes at most 10,000 characters."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.intrinsics.arguments import Arguments, Invalid
from stepwell.lang.javavalues import java_text

MAX_CHARACTERS = 10_000
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_URL_SAFE = str.maketrans("-_", "+/")
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def base64_encode(given: Arguments, ids: Ids) -> Any:
    return base64.b64encode(_bounded(given[0]).encode("utf-8", "replace")).decode()


def base64_decode(given: Arguments, ids: Ids) -> Any:
    """Lenient as AWS is: other characters are skipped, the first ``=`` ends the text, missing padding is no fault.
    Bytes that are no UTF-8 become U+FFFD."""
    text = _bounded(given[0]).partition("=")[0]
    digits = "".join(char for char in text if char in _ALPHABET).translate(_URL_SAFE)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    raw = base64.b64decode(digits + "=" * (-len(digits) % 4))
    return raw.decode("utf-8", "replace")


def hashed(given: Arguments, ids: Ids) -> Any:
    """Data that is no string is hashed by its Java text."""
    data, algorithm = _bounded(java_text(given[0])), _ALGORITHMS.get(given[1])
    if algorithm is None:
        raise Invalid
    return hashlib.new(algorithm, data.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise Invalid
    return text
