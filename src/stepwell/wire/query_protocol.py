"""AWS Query: the input shape as a form, the output shape as XML.

Readers and writers are compiled once per operation (``query_form``, ``xml_writer``).
Rules: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, ServiceModel

from stepwell.kernel.errors import ServiceError
from stepwell.wire import errors
from stepwell.wire.http import Reply, Request, form_of
from stepwell.wire.query_form import Read, reader_of, tree_of
from stepwell.wire.xml_writer import Write, scalar_text, writer_of, xml_text


class QueryProtocol:
    """The ``query`` protocol of STS, IAM and other early services."""

    def __init__(self) -> None:
        self._readers: dict[OperationModel, Read] = {}
        self._writers: dict[OperationModel, Write] = {}

    def parse(self, operation: OperationModel, request: Request) -> dict[str, Any]:
        """The parameters as plain values: timestamps are epoch seconds, blobs bytes.

        Raises ServiceError: SerializationException (sent as MalformedInput), RequestEntityTooLargeException.
        """
        errors.check_size(request.body)
        reader = self._readers.get(operation)
        if reader is None:
            shape = operation.input_shape
            reader = self._readers[operation] = reader_of(shape) if shape is not None else lambda _node: {}
        params: dict[str, Any] = reader(tree_of(form_of(request)))
        return params

    def reply(self, operation: OperationModel, result: dict[str, Any], request_id: str) -> Reply:
        """A result that is the operation's output shape; members it does not have and None are left out."""
        parts: list[str] = []
        name = operation.name
        parts.append(f"<{name}Response{_namespace(operation.service_model)}>")
        shape = operation.output_shape
        if shape is not None:
            writer = self._writers.get(operation)
            if writer is None:
                writer = self._writers[operation] = writer_of(shape)
            writer(parts, shape.serialization.get("resultWrapper", f"{name}Result"), result)
        request_part = f"<RequestId>{xml_text(request_id)}</RequestId>"
        parts.append(f"<ResponseMetadata>{request_part}</ResponseMetadata></{name}Response>")
        return Reply(200, _headers(request_id), _encode(parts))

    def fault(self, service: ServiceModel | None, error: ServiceError, request_id: str) -> Reply:
        """An error; ``service`` is None if the request could not be routed."""
        code, status = errors.QUERY_CODES.get(error.code, (error.code, error.status))
        namespace = _namespace(service) if service is not None else ""
        parts = [
            f"<ErrorResponse{namespace}><Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type>",
            f"<Code>{xml_text(code)}</Code><Message>{xml_text(error.message)}</Message>",
        ]
        for name, value in error.fields.items():
            if value is not None:
                parts.append(f"<{name}>{xml_text(scalar_text(value))}</{name}>")
        parts.append(f"</Error><RequestId>{xml_text(request_id)}</RequestId></ErrorResponse>")
        return Reply(status, _headers(request_id), _encode(parts))


def _headers(request_id: str) -> dict[str, str]:
    return {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}


def _namespace(service: ServiceModel) -> str:
    uri = service.metadata.get("xmlNamespace")
    return f' xmlns="{uri}"' if uri else ""


def _encode(parts: list[str]) -> bytes:
    return "".join(parts).encode("utf-8", "replace")
