"""Ids and randomness, handed in so that tests can repeat a run exactly."""

from __future__ import annotations

import os
import random
import uuid
from typing import Protocol

BLOCK_BYTES = 4_096


class Ids(Protocol):
    """A source of ids and random numbers."""

    def uuid(self) -> str:
        """A random UUID in AWS's form: 36 lower-case characters."""
        ...

    def token(self, size: int) -> bytes:
        """``size`` random bytes."""
        ...

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...


def uuid_text(raw: bytes) -> str:
    """16 random bytes as the text of a version 4 UUID."""
    text = raw.hex()
    variant = "89ab"[raw[8] & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


class SystemIds:
    """Unpredictable ids from the operating system, asked for many at a time: a system call an id would cost as much again."""

    def __init__(self) -> None:
        self._block = b""
        self._at = 0

    def uuid(self) -> str:
        return uuid_text(self.token(16))

    def token(self, size: int) -> bytes:
        start, end = self._at, self._at + size
        if end > len(self._block):
            if size > BLOCK_BYTES:
                return os.urandom(size)
            self._block, start, end = os.urandom(BLOCK_BYTES), 0, size
        self._at = end
        return self._block[start:end]

    def random(self) -> float:
        return random.random()  # noqa: S311 - jitter and MathRandom need no secrecy


class SeededIds:
    """The same ids again for the same seed."""

    def __init__(self, seed: int | str = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def token(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def random(self) -> float:
        return self._random.random()
