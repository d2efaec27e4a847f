"""A partner's API for the example: orders in pages, shipments, and the moods of a real one.

::

    GET  /orders?page=N   {"orders": [...], "subtotalCents": n, "more": true}
    POST /shipments       {"orderId": "..."} -> {"tracking": "..."}; the same order twice gets the same tracking number
    GET  /stats           what was asked so far, and the sums that a right run ends with; needs no key

Every answer takes a while, and every so often one is 503 or 429. Callers send the header ``X-Api-Key: demo-key``.
Run ``python partner.py [--port N] [--latency SECONDS]``; it prints its address.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import socket
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API_KEY = "demo-key"
PAGES, PAGE_ORDERS = 8, 6
BUSY_EVERY, LIMITED_EVERY = 7, 11  # each so-manieth request gets 503 or 429


def price(number: int) -> int:
    """Cents; different for each order, the same for all time."""
    return 500 + (number * 7919) % 20_000


def expected() -> dict[str, int]:
    """The answer that a right run of the workflow gives."""
    orders = PAGES * PAGE_ORDERS
    total = sum(price(number) for number in range(orders))
    return {"orders": orders, "totalCents": total, "shipments": orders, "distinctShipments": orders}


class Partner:
    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._asked = 0
        self.stats = {"requests": 0, "busy": 0, "limited": 0, "pages": 0, "shipments": 0, "repeatedShipments": 0}
        self._shipments: dict[str, str] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._moods])
        app.add_routes(
            [
                web.get("/orders", self.orders),
                web.post("/shipments", self.ship),
                web.get("/stats", self.show_stats),
            ]
        )
        return app

    @web.middleware
    async def _moods(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/stats":
            return await handler(request)
        if request.headers.get("X-Api-Key") != API_KEY:
            return web.json_response({"message": "unknown key"}, status=401)
        self._asked += 1
        self.stats["requests"] += 1
        asked = self._asked
        await asyncio.sleep(self._latency)
        if asked % BUSY_EVERY == 0:
            self.stats["busy"] += 1
            return web.json_response({"message": "busy, come back"}, status=503)
        if asked % LIMITED_EVERY == 0:
            self.stats["limited"] += 1
            return web.json_response({"message": "too many requests"}, status=429, headers={"Retry-After": "1"})
        return await handler(request)

    async def orders(self, request: web.Request) -> web.Response:
        page = int(request.query.get("page", "1"))
        numbers = range((page - 1) * PAGE_ORDERS, min(page, PAGES) * PAGE_ORDERS)
        self.stats["pages"] += 1
        orders = [{"id": f"order-{number:04d}", "cents": price(number)} for number in numbers]
        subtotal = sum(price(number) for number in numbers)
        return web.json_response({"orders": orders, "subtotalCents": subtotal, "more": page < PAGES})

    async def ship(self, request: web.Request) -> web.Response:
        order = str((await request.json())["orderId"])
        known = order in self._shipments
        self.stats["repeatedShipments" if known else "shipments"] += 1
        tracking = self._shipments.setdefault(order, "T" + hashlib.sha256(order.encode()).hexdigest()[:10].upper())
        return web.json_response({"tracking": tracking}, status=200 if known else 201)

    async def show_stats(self, _: web.Request) -> web.Response:
        return web.json_response({**self.stats, "expected": expected()})


async def main(port: int, latency: float) -> None:
    runner = web.AppRunner(Partner(latency).application(), access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", port))
    await web.SockSite(runner, listener).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A partner's API with orders in pages")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.12, help="seconds before each answer")
    options = parser.parse_args()
    try:
        asyncio.run(main(options.port, options.latency))
    except KeyboardInterrupt:
        sys.exit(0)
