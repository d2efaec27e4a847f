"""The HTTP request and response of an HTTP Task, as the level TRACE shows them.

Headers are one text, ``[Range: bytes=0-262144, ...]``. What a connection adds is left out unless secrets are revealed. Source:
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from stepwell.engine.exchanges import Exchange, Header, Request


def shown(exchanges: Sequence[Exchange], *, reveal: bool) -> dict[str, Any]:
    """``request`` and ``response`` of the last exchange; nothing where there was none."""
    if not exchanges:
        return {}
    last = exchanges[-1]
    members: dict[str, Any] = {"request": _request(last.sent if reveal else last.public)}
    answer = last.answer
    if answer is not None:
        members["response"] = {
            "protocol": urlsplit(last.sent.url).scheme,
            "statusCode": str(answer.status),
            "statusMessage": answer.reason,
            "headers": _headers(answer.headers),
            "body": _text(answer.body),
        }
    return members


def _request(request: Request) -> dict[str, str]:
    members = {
        "protocol": urlsplit(request.url).scheme,
        "method": request.method,
        "url": request.url,
        "headers": _headers(request.headers),
    }
    if request.body is not None:
        members["body"] = _text(request.body)
    return members


def _headers(headers: Sequence[Header]) -> str:
    return f"[{', '.join(f'{name}: {value}' for name, value in headers)}]"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
