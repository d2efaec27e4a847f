"""The numbers of ``java.util.Random`` for a seed (algorithm: the Java SE documentation of that class)."""

from __future__ import annotations

_MULTIPLIER = 0x5DEECE66D
_ADDEND = 0xB
_MASK = (1 << 48) - 1
_INT_SIZE = 1 << 31


class JavaRandom:
    """A source of numbers that repeats for the same 64-bit seed."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK

    def between(self, start: int, end: int) -> int:
        """A whole number from ``start`` up to, not including, ``end``; both are 32-bit and ``start < end``."""
        size = end - start
        if size < _INT_SIZE:
            return start + self._below(size)
        while not start <= (number := self._signed(32)) < end:
            pass
        return number

    def _below(self, bound: int) -> int:
        if bound & (bound - 1) == 0:
            return (bound * self._next(31)) >> 31
        while True:
            bits = self._next(31)
            number = bits % bound
            if bits - number + (bound - 1) < _INT_SIZE:
                return number

    def _next(self, bits: int) -> int:
        self._state = (self._state * _MULTIPLIER + _ADDEND) & _MASK
        return self._state >> (48 - bits)

    def _signed(self, bits: int) -> int:
        number = self._next(bits)
        return number - (1 << bits) if number >= _INT_SIZE else number
