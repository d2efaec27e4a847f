"""HTTP requests and answers of a task, for one who wants to look on: TestState at the level TRACE.

Whoever looks on does so in a context of its own (``watching``); the tasks that are started in it inherit it. A runner that
sends a request tells ``note`` of it, which does nothing where nobody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

Header = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. ``body`` None sends none."""

    method: str
    url: str
    headers: Sequence[Header]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: Sequence[Header]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """``sent`` holds what a connection adds, ``public`` does not; ``answer`` is None if none came."""

    sent: Request
    public: Request
    answer: Answer | None = None


_seen: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)


@contextmanager
def watching() -> Iterator[list[Exchange]]:
    """The exchanges of tasks that are started inside, in order; one that is answered is there twice."""
    seen: list[Exchange] = []
    before = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(before)


def watched() -> bool:
    return _seen.get() is not None


def note(exchange: Exchange) -> None:
    seen = _seen.get()
    if seen is not None:
        seen.append(exchange)
