"""The protocols that are spoken, by botocore's name. A further protocol family is one file and one row here."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.model import OperationModel, ServiceModel

from stepwell.kernel.errors import ServiceError
from stepwell.wire.http import Reply, Request
from stepwell.wire.json_protocol import JsonProtocol
from stepwell.wire.query_protocol import QueryProtocol


class WireProtocol(Protocol):
    """Between HTTP and plain values. Timestamps are epoch seconds (float), blobs bytes."""

    def parse(self, operation: OperationModel, request: Request) -> dict[str, Any]:
        """The parameters of a request; constraints are not checked here. Raises ServiceError."""
        ...

    def reply(self, operation: OperationModel, result: dict[str, Any], request_id: str) -> Reply: ...

    def fault(self, service: ServiceModel | None, error: ServiceError, request_id: str) -> Reply: ...


PROTOCOLS: dict[str, WireProtocol] = {"json": JsonProtocol(), "query": QueryProtocol()}
