"""Ids and randomness, handed in so that tests can repeat a run exactly."""

from __future__ import annotations

import os
import random
import uuid
from typing import Protocol


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


class SystemIds:
    """Unpredictable ids from the operating system."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def token(self, size: int) -> bytes:
        return os.urandom(size)

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
