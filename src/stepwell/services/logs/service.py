"""The embedded service: which operation is which function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.errors import ServiceError
from stepwell.services.logs import events, groups, streams, writing
from stepwell.services.logs.shelf import Shelf

Operation = Callable[[Shelf, Params, Scope], Awaitable[dict[str, Any]]]

OPERATIONS: dict[str, Operation] = {
    "CreateLogGroup": groups.create,
    "DeleteLogGroup": groups.delete,
    "DescribeLogGroups": groups.describe,
    "PutRetentionPolicy": groups.put_retention,
    "DeleteRetentionPolicy": groups.delete_retention,
    "TagResource": groups.tag,
    "UntagResource": groups.untag,
    "ListTagsForResource": groups.list_tags,
    "CreateLogStream": streams.create,
    "DeleteLogStream": streams.delete,
    "DescribeLogStreams": streams.describe,
    "PutLogEvents": writing.put,
    "GetLogEvents": events.get,
    "FilterLogEvents": events.search,
}


class Logs:
    """Implements ``kernel.caller.Service``."""

    name = "logs"

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """Raises ServiceError with CloudWatch Logs' codes; UnknownOperationException for what is not served."""
        function = OPERATIONS.get(operation)
        if function is None:
            raise ServiceError(
                "UnknownOperationException", f"logs {operation} is not supported yet by this version of Stepwell."
            )
        return await function(self._shelf, params, context.scope)
