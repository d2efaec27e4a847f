"""The HTTP request and response as values, as far as AWS's protocols need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in.

    ``path`` and ``query`` are the bytes of the request line as text, percent-encoding untouched (signatures depend on
    it), ``query`` without its question mark. ``headers`` have lower-case names; a header sent more than once has its
    values joined by commas, in order.
    """

    method: str
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. The server adds Content-Length and Date."""

    status: int
    headers: dict[str, str]
    body: bytes


def form_pairs(text: str) -> Iterator[tuple[str, str]]:
    """The pairs of a form or query string in order; bytes that are not UTF-8 become U+FFFD, as in Java."""
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote_plus(name), unquote_plus(value)


def form_of(request: Request) -> str:
    """The text of the form: the body of a POST that has one, else the query string (a GET, or a presigned URL)."""
    if request.body and request.headers.get("content-type", FORM).startswith(FORM):
        return request.body.decode("utf-8", "replace")
    return request.query
