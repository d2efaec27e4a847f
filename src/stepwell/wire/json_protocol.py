"""AWS JSON 1.0 and 1.1: the body is the input shape as JSON, X-Amz-Target names the operation.

Readers and writers are compiled once per operation (``json_shapes``).
Rules: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, ServiceModel

from stepwell.kernel import jsontext
from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.wire import errors
from stepwell.wire.http import Reply, Request
from stepwell.wire.json_shapes import Convert, Readers, Writers

TOO_DEEP = "JSON is nested too deeply"


class JsonProtocol:
    """The ``json`` protocol; its version (1.0 or 1.1) is the service's."""

    def __init__(self) -> None:
        self._readers: dict[OperationModel, Convert] = {}
        self._writers: dict[OperationModel, Convert] = {}

    def parse(self, operation: OperationModel, request: Request) -> dict[str, Any]:
        """The parameters as plain values: timestamps are epoch seconds, blobs bytes.

        Raises ServiceError: SerializationException, RequestEntityTooLargeException.
        """
        errors.check_size(request.body)
        reader = self._readers.get(operation)
        if reader is None:
            reader = self._readers[operation] = Readers().structure_of(operation.input_shape)
        try:
            params: dict[str, Any] = reader(jsontext.loads(request.body))
        except JsonSyntaxError as error:
            raise errors.serialization(error.message) from None
        except RecursionError:
            raise errors.serialization(TOO_DEEP) from None
        return params

    def reply(self, operation: OperationModel, result: dict[str, Any], request_id: str) -> Reply:
        """A result that is the operation's output shape; members it does not have and None are left out."""
        writer = self._writers.get(operation)
        if writer is None:
            writer = self._writers[operation] = Writers().structure_of(operation.output_shape)
        return Reply(200, self._headers(operation.service_model, request_id), encode(writer(result)))

    def fault(self, service: ServiceModel | None, error: ServiceError, request_id: str) -> Reply:
        """An error; ``service`` is None if the request could not be routed."""
        headers = self._headers(service, request_id)
        headers["X-Amzn-ErrorType"] = error.code
        body: dict[str, Any] = {"__type": error.code}
        if error.message:
            body["message"] = error.message
        body.update((name, value) for name, value in error.fields.items() if value is not None)
        return Reply(error.status, headers, encode(body))

    @staticmethod
    def _headers(service: ServiceModel | None, request_id: str) -> dict[str, str]:
        version = service.metadata.get("jsonVersion", "1.0") if service is not None else "1.0"
        return {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request_id}


def encode(value: Any) -> bytes:
    """JSON in UTF-8; a lone surrogate becomes a question mark, as when Java writes it."""
    return jsontext.dumps(value).encode("utf-8", "replace")
