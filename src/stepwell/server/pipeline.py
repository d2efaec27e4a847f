"""The life of a request, as one list.

Each step is a small function that takes the exchange one step further, or raises ServiceError (answered in AWS's
words), or puts a reply in place and so ends the list. Steps that wait return an awaitable, the others None.

::

    admit     is there room, and are we not stopping?
    guard     might a web page have sent it?                                       (open mode)
    receive   the body, up to 1 MiB
    page      GET /health, GET /metrics, questions of other servers: answered here
    route     which service, operation and protocol
    identify  whose account, which region; in keys mode the signature is checked
    parse     bytes to parameters
    validate  AWS's constraints on parameters
    call      the service
    answer    result to bytes
    ------    always, whatever happened:
    send      bytes to the client
    note      one log line, one metric
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from stepwell.kernel.caller import Caller
from stepwell.kernel.errors import ServiceError, StorageError
from stepwell.kernel.ids import Ids
from stepwell.server.exchange import DisconnectedError, Exchange, Message, Receive, Send
from stepwell.server.guard import Guard
from stepwell.server.identity import Identify
from stepwell.server.metrics import Metrics
from stepwell.server.pages import Page
from stepwell.wire.models import Models
from stepwell.wire.protocols import PROTOCOLS
from stepwell.wire.routing import protocol_of, resolve
from stepwell.wire.validation import Validator

log = logging.getLogger("stepwell.server")

# Operations that wait for somebody else's work: ended early when the client leaves, and answered empty when the server
# stops (an empty answer is what AWS sends when a poll of GetActivityTask ends without a task).
LONG_POLLS = frozenset({("stepfunctions", "GetActivityTask")})

Step = Callable[[Exchange], Awaitable[None] | None]


@dataclass(kw_only=True)
class Pipeline:
    """The ASGI application. Everything it needs is handed in; ``stopping`` is set when the server is about to stop."""

    caller: Caller
    identify: Identify
    guard: Guard | None
    pages: dict[tuple[str, str], Page]
    metrics: Metrics
    ids: Ids
    models: Models = field(default_factory=Models)
    validator: Validator = field(default_factory=Validator)
    max_requests: int = 4_096
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.life: tuple[Step, ...] = (
            self._admit,
            *([self._guard] if self.guard else []),
            self._receive,
            self._page,
            self._route,
            self._identify,
            self._parse,
            self._validate,
            self._call,
            self._answer,
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']!r} connections here")
        exchange = Exchange(scope, receive, send, self.ids.uuid())
        self.in_flight += 1
        try:
            await self._live(exchange)
            await exchange.send_reply()
        except DisconnectedError:
            exchange.code = "ClientDisconnectedError"
        finally:
            self.in_flight -= 1
            self._note(exchange)

    async def _live(self, exchange: Exchange) -> None:
        try:
            for step in self.life:
                waiting = step(exchange)
                if waiting is not None:
                    await waiting
                if exchange.reply is not None:
                    return
        except ServiceError as error:
            self._refuse(exchange, error)
        except StorageError as error:
            exchange.error = error
            message = f"The database cannot take this request now; try again. Request ID: {exchange.request_id}"
            self._refuse(exchange, ServiceError("ServiceUnavailable", message, status=503))
        except DisconnectedError:
            raise
        except Exception as error:  # the last line of defence: our bug, logged with its traceback
            exchange.error = error
            message = f"An internal error has occurred. Request ID: {exchange.request_id}"
            self._refuse(exchange, ServiceError("InternalFailure", message, status=500))

    # -------------------------------------------------------------------------------------------------- the steps

    def _admit(self, exchange: Exchange) -> None:
        if self.in_flight > self.max_requests and (exchange.method, exchange.path) not in self.pages:
            raise ServiceError("ThrottlingException", "Rate exceeded")

    def _guard(self, exchange: Exchange) -> None:
        if self.guard is not None:
            self.guard(exchange.headers)

    def _page(self, exchange: Exchange) -> Awaitable[None] | None:
        page = self.pages.get((exchange.method, exchange.path))
        return None if page is None else self._show(exchange, page)

    async def _show(self, exchange: Exchange, page: Page) -> None:
        exchange.reply = await page(exchange.request, exchange.request_id)

    def _receive(self, exchange: Exchange) -> Awaitable[None]:
        return exchange.read_body()

    def _route(self, exchange: Exchange) -> None:
        exchange.route = route = resolve(exchange.request, self.models)
        exchange.operation = self.models.operation(route.service, route.operation)
        exchange.routed = True

    def _identify(self, exchange: Exchange) -> None:
        exchange.context = self.identify(exchange.request, exchange.route, exchange.request_id)

    def _parse(self, exchange: Exchange) -> None:
        exchange.params = PROTOCOLS[exchange.route.protocol].parse(exchange.operation, exchange.request)

    def _validate(self, exchange: Exchange) -> None:
        self.validator.validate(exchange.operation, exchange.params)

    async def _call(self, exchange: Exchange) -> None:
        route, context = exchange.route, exchange.context
        call = self.caller.call(route.service, route.operation, exchange.params, context)
        if (route.service, route.operation) in LONG_POLLS:
            exchange.result = await self._while_wanted(exchange, call)
        else:
            exchange.result = await call

    def _answer(self, exchange: Exchange) -> None:
        protocol = PROTOCOLS[exchange.route.protocol]
        exchange.reply = protocol.reply(exchange.operation, exchange.result, exchange.request_id)

    # ------------------------------------------------------------------------------------------------------ always

    def _refuse(self, exchange: Exchange, error: ServiceError) -> None:
        exchange.code = error.code
        service = self.models.service(exchange.route.service) if exchange.routed else None
        name = exchange.route.protocol if exchange.routed else protocol_of(exchange.as_request())
        exchange.reply = PROTOCOLS[name].fault(service, error, exchange.request_id)

    def _note(self, exchange: Exchange) -> None:
        seconds = time.perf_counter() - exchange.started
        service, operation = "", exchange.method
        if exchange.routed:
            service, operation = exchange.route.service, exchange.route.operation
        self.metrics.request(service, operation, exchange.code, seconds)
        status = exchange.reply.status if exchange.reply else 0
        level = logging.ERROR if status >= 500 else logging.INFO if exchange.code else logging.DEBUG
        if log.isEnabledFor(level):
            fields = {
                "service": service,
                "operation": operation,
                "status": status,
                "code": exchange.code or None,
                "ms": round(seconds * 1000, 2),
                "request_id": exchange.request_id,
            }
            shown = {name: value for name, value in fields.items() if value is not None}
            log.log(level, "request", extra={"fields": shown}, exc_info=exchange.error)

    async def _while_wanted(self, exchange: Exchange, call: Awaitable[dict[str, object]]) -> dict[str, object]:
        """The call's result; cancelled when the client leaves, empty when the server stops first."""
        answer = asyncio.ensure_future(call)
        gone = asyncio.ensure_future(self._gone(exchange))
        stop = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({answer, gone, stop}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if gone.done():
                raise DisconnectedError
            return {}
        finally:
            for task in (answer, gone, stop):
                task.cancel()
            await asyncio.gather(answer, gone, stop, return_exceptions=True)

    @staticmethod
    async def _gone(exchange: Exchange) -> None:
        while (await exchange.receive())["type"] != "http.disconnect":
            continue
