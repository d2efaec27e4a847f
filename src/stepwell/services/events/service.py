"""EventBridge's door: operation names to methods; what is not served is refused by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.errors import ServiceError
from stepwell.services.events.connections import Connections

Operation = Callable[[Scope, dict[str, Any]], Awaitable[dict[str, Any]]]


class EventBridge:
    """Implements ``kernel.caller.Service``."""

    name = "events"

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._operations: dict[str, Operation] = {
            "CreateConnection": connections.create,
            "DeauthorizeConnection": connections.deauthorize,
            "DeleteConnection": connections.delete,
            "DescribeConnection": connections.describe,
            "ListConnections": connections.list,
            "UpdateConnection": connections.update,
        }

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        method = self._operations.get(operation)
        if method is None:
            raise ServiceError(
                "UnknownOperationException",
                f"The operation {operation} of EventBridge is not supported by this version of Stepwell. The setting "
                "endpoints.events can send EventBridge's operations elsewhere.",
            )
        return await method(context.scope, dict(params))
