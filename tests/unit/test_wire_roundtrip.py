"""Every operation of every served service, proven against the other side: botocore's serialisers and parsers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from stepwell.kernel.errors import ServiceError
from stepwell.wire.http import FORM, Reply, Request
from stepwell.wire.models import SERVED, Models
from stepwell.wire.protocols import PROTOCOLS

MODELS = Models()
OPERATIONS = [
    pytest.param(row.protocol, MODELS.operation(row.name, name), id=f"{row.name}-{name}")
    for row in SERVED
    for name in MODELS.service(row.name).operation_names
    if not MODELS.operation(row.name, name).has_event_stream_output  # none of these is served
]
MOMENT = 1_767_225_600.125
TEXTS = ["plain", "<a href='x'>&amp; \"quoted\"</a>", "snow \u2603 \U0001f600", "tab\tline\nreturn", "a+b %20 & c=d;e"]
SCALARS: dict[str, Any] = {
    "integer": -7,
    "long": 2**40,
    "float": 12.5,
    "double": 0.1,
    "boolean": True,
    "timestamp": MOMENT,
    "blob": b"\x00\xff bytes",
}


def sample(shape: Shape, above: tuple[str, ...] = ()) -> Any:
    """A value with every member of the shape; a shape inside itself is left out."""
    if isinstance(shape, StructureShape):
        inside = (*above, shape.name)
        members = {name: sample(member, inside) for name, member in shape.members.items() if member.name not in inside}
        return dict(list(members.items())[:1]) if getattr(shape, "is_tagged_union", False) else members
    if isinstance(shape, ListShape):
        return [sample(shape.member, above), sample(shape.member, above)]
    if isinstance(shape, MapShape):
        return {text: sample(shape.value, above) for text in TEXTS[:3]}
    if shape.type_name == "string":
        return shape.metadata.get("enum", [TEXTS[(len(above) + 1) % len(TEXTS)]])[0]
    return SCALARS[shape.type_name]


def with_datetimes(shape: Shape | None, value: Any) -> Any:
    """The same value as botocore has it."""
    if isinstance(shape, StructureShape):
        return {name: with_datetimes(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [with_datetimes(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: with_datetimes(shape.value, item) for key, item in value.items()}
    is_time = shape is not None and shape.type_name == "timestamp"
    return datetime.fromtimestamp(value, UTC) if is_time else value


def sent_by_botocore(protocol: str, operation: OperationModel, params: Any) -> Request:
    made = create_serializer(protocol, include_validation=False).serialize_to_request(params, operation)
    headers = {name.lower(): value for name, value in made["headers"].items()}
    body = made["body"]
    if isinstance(body, dict):
        headers["content-type"] = FORM
        body = urlencode(body).encode()
    return Request(made["method"], made["url_path"], "", headers, body)


def read_by_botocore(protocol: str, reply: Reply, shape: Shape | None) -> Any:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    response = {"body": reply.body, "headers": headers, "status_code": reply.status}
    return create_parser(protocol).parse(response, shape)


@pytest.mark.parametrize(("protocol", "operation"), OPERATIONS)
def test_what_botocore_sends_is_read_back(protocol: str, operation: OperationModel) -> None:
    """Milliseconds of timestamps are not looked at here: botocore's JSON serialiser drops them."""
    shape = operation.input_shape
    params = sample(shape) if shape is not None else {}
    request = sent_by_botocore(protocol, operation, with_datetimes(shape, params))
    found = PROTOCOLS[protocol].parse(operation, request)
    assert _rounded(found) == _rounded(params)


@pytest.mark.parametrize(("protocol", "operation"), OPERATIONS)
def test_what_is_answered_is_read_by_botocore(protocol: str, operation: OperationModel) -> None:
    shape = operation.output_shape
    result = sample(shape) if shape is not None else {}
    reply = PROTOCOLS[protocol].reply(operation, result, "the-request-id")
    found = read_by_botocore(protocol, reply, shape)
    assert found.pop("ResponseMetadata")["RequestId"] == "the-request-id"
    assert found == with_datetimes(shape, result)


@pytest.mark.parametrize(("protocol", "operation"), OPERATIONS)
def test_an_empty_request_and_result_pass(protocol: str, operation: OperationModel) -> None:
    """Absence of required members is found by validation, not by reading."""
    request = sent_by_botocore(protocol, operation, {})
    assert PROTOCOLS[protocol].parse(operation, request) == {}
    reply = PROTOCOLS[protocol].reply(operation, {"NoSuchMember": 1}, "id")
    found = read_by_botocore(protocol, reply, operation.output_shape)
    assert set(found) - {"ResponseMetadata"} == set()


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_errors_are_read_by_botocore(row: Any) -> None:
    """Code, message and request id, with texts that need escaping."""
    service = MODELS.service(row.name)
    error = ServiceError("SomethingDoesNotExist", "No <such> 'thing' & \u2603 \x00", status=404)
    reply = PROTOCOLS[row.protocol].fault(service, error, "the-request-id")
    assert reply.status == 404
    found = read_by_botocore(row.protocol, reply, service.operation_model(service.operation_names[0]).output_shape)
    assert found["Error"]["Code"] == "SomethingDoesNotExist"
    assert found["Error"]["Message"] in (error.message, error.message.replace("\x00", "\ufffd"))
    assert found["ResponseMetadata"]["RequestId"] == "the-request-id"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return int(value) if value in (MOMENT, int(MOMENT)) else value
