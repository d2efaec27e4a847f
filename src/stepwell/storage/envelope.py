"""The three bytes in front of every stored blob, so that each release can read what the ones before it wrote.

::

    format (1) | codec (0 plain, 1 zstd, 2 encrypted) | key id (0: none) | body

This release writes and reads plain bodies only. The other codecs have their numbers so that a later release may write
them.
"""

from __future__ import annotations

from stepwell.kernel.errors import StorageError

FORMAT = 1
PLAIN = 0
CODECS = {PLAIN: "plain", 1: "zstd", 2: "encrypted"}
HEADER = bytes((FORMAT, PLAIN, 0))
_SIZE = len(HEADER)


def seal(body: bytes) -> bytes:
    """The blob to store."""
    return HEADER + body


def unseal(blob: bytes) -> bytes:
    """The body of a stored blob; raises StorageError for a format or codec this release cannot read."""
    if blob[:_SIZE] != HEADER:
        raise _unreadable(blob)
    return blob[_SIZE:]


def seal_text(text: str) -> bytes:
    return HEADER + text.encode("utf-8", "surrogatepass")


def unseal_text(blob: bytes) -> str:
    return unseal(blob).decode("utf-8", "surrogatepass")


def seal_optional(text: str | None) -> bytes | None:
    return None if text is None else seal_text(text)


def unseal_optional(blob: bytes | None) -> str | None:
    return None if blob is None else unseal_text(blob)


def _unreadable(blob: bytes) -> StorageError:
    if len(blob) < _SIZE:
        return StorageError("a stored blob is shorter than its header: the database is damaged")
    if blob[0] != FORMAT:
        return StorageError(f"a stored blob has format {blob[0]}; this release reads format {FORMAT} only")
    codec = CODECS.get(blob[1], "unknown")
    return StorageError(
        f"a stored blob has codec {blob[1]} ({codec}) and key {blob[2]}; this release reads plain blobs only"
    )
