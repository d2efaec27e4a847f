"""Requests that are not AWS's: GET /health, GET /metrics, and what servers ask each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.kernel.jsontext import dumps
from stepwell.server.metrics import CONTENT_TYPE, Metrics
from stepwell.wire.http import Reply, Request

HEALTHY = "ok"

Health = Callable[[], Awaitable[dict[str, Any]]]
"""Returns the body of ``/health``; its ``status`` is ``ok`` when requests can be acknowledged, else the reason."""

Page = Callable[[Request, str], Awaitable[Reply]]
"""Takes the request and its id."""


def pages(health: Health, metrics: Metrics) -> dict[tuple[str, str], Page]:
    """The pages by method and path."""

    async def show_health(_: Request, request_id: str) -> Reply:
        body = await health()
        status = 200 if body["status"] == HEALTHY else 503
        return Reply(status, _headers("application/json", request_id), dumps(body).encode())

    async def show_metrics(_: Request, request_id: str) -> Reply:
        return Reply(200, _headers(CONTENT_TYPE, request_id), metrics.page())

    found = {"/health": show_health, "/metrics": show_metrics}
    return {(method, path): page for path, page in found.items() for method in ("GET", "HEAD")}


def _headers(content_type: str, request_id: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Cache-Control": "no-store", "x-amzn-RequestId": request_id}
