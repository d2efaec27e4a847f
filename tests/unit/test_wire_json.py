"""The JSON protocols against input no SDK would send, and the form of what they answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.kernel.errors import ServiceError
from stepwell.kernel.limits import REQUEST_BYTES
from stepwell.wire.http import Request
from stepwell.wire.models import Models
from stepwell.wire.protocols import PROTOCOLS
from stepwell.wire.validation import Validator

MODELS = Models()
JSON = PROTOCOLS["json"]
VALIDATOR = Validator()
REFUSALS = ("read", "SerializationException", "ValidationException")


LONG = '"unknown": 12345678901234567890'  # makes the reader take its exact path, which knows numbers beyond a double


def parse(operation: str, body: bytes | str, service: str = "stepfunctions") -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else body.encode()
    return JSON.parse(MODELS.operation(service, operation), Request("POST", body=raw))


def outcome(operation: str, body: bytes | str, service: str = "stepfunctions") -> str:
    """What becomes of a request on its way to the service: "read", or the code of the refusal."""
    try:
        VALIDATOR.validate(MODELS.operation(service, operation), parse(operation, body, service))
    except ServiceError as error:
        return error.code
    return "read"


def refused(operation: str, body: bytes | str, service: str = "stepfunctions") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        parse(operation, body, service)
    assert caught.value.code == "SerializationException"
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    ("operation", "body", "message"),
    [
        ("ListStateMachines", '{"maxResults": "1"}', "STRING_VALUE can not be converted to an Integer"),
        ("ListStateMachines", '{"maxResults": true}', "TRUE_VALUE can not be converted to an Integer"),
        ("ListStateMachines", '{"maxResults": false}', "FALSE_VALUE can not be converted to an Integer"),
        ("ListStateMachines", '{"maxResults": [1]}', "Start of list found where not expected"),
        ("ListStateMachines", '{"maxResults": {}}', "Start of structure or map found where not expected."),
        ("StartExecution", '{"name": 1}', "NUMBER_VALUE can not be converted to a String"),
        ("StartExecution", '{"name": 1.5}', "NUMBER_VALUE can not be converted to a String"),
        ("StartExecution", '{"name": true}', "TRUE_VALUE can not be converted to a String"),
        ("StartExecution", '{"input": {"a": 1}}', "Start of structure or map found where not expected."),
        ("TagResource", '{"tags": "x"}', "Expected list or null"),
        ("TagResource", '{"tags": 1}', "Expected list or null"),
        ("TagResource", '{"tags": {}}', "Start of structure or map found where not expected."),
        ("TagResource", '{"tags": ["x"]}', "Expected null"),
        ("TagResource", '{"tags": [[]]}', "Start of list found where not expected"),
        ("TagResource", '{"tags": [{"key": 1}]}', "NUMBER_VALUE can not be converted to a String"),
        ("CreateStateMachine", '{"loggingConfiguration": "x"}', "Expected null"),
        ("CreateStateMachine", '{"publish": 1}', "NUMBER_VALUE can not be converted to a Boolean"),
        ("CreateStateMachine", '{"publish": "perhaps"}', "STRING_VALUE can not be converted to a Boolean"),
        ("UpdateMapRun", '{"toleratedFailurePercentage": "5"}', "STRING_VALUE can not be converted to a Float"),
        ("StartExecution", "[]", "Start of list found where not expected"),
        ("StartExecution", '"x"', "Expected null"),
        ("StartExecution", "null", "Expected null"),
    ],
)
def test_a_value_of_the_wrong_json_type_is_named_as_on_aws(operation: str, body: str, message: str) -> None:
    assert refused(operation, body).message == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b'{"name": "x",}',
        b'{"name": "\xff"}',
        b'{"name": NaN}',
        b"\xff\xfe{\x00}\x00",
        b'{"name": "\\ud800"}',
        b"[" * 200_000,
        b'{"tags": ' * 50_000,
    ],
    ids=["empty", "cut", "text", "comma", "not-utf8", "nan", "utf16", "surrogate", "deep-list", "deep-object"],
)
def test_text_that_is_not_json_is_a_serialization_exception(body: bytes) -> None:
    assert refused("StartExecution", body).message


def test_a_wrong_time_is_refused_and_both_forms_are_read() -> None:
    """AWS SDKs send numbers; ISO 8601 is read too."""
    for body in ('{"EventStartTime": 1767225600.125}', '{"EventStartTime": "2026-01-01T00:00:00.125Z"}'):
        assert parse("StartReplay", body, "events") == {"EventStartTime": 1767225600.125}
    assert "Timestamp" in refused("StartReplay", '{"EventStartTime": "soon"}', "events").message
    assert refused("StartReplay", '{"EventStartTime": 1e400}', "events").code == "SerializationException"


def test_unknown_members_and_nulls_are_not_there() -> None:
    body = '{"nothing": {"deep": [1]}, "name": null, "maxResults": 3, "tags": [null, {"key": "k", "value": null}]}'
    assert parse("CreateActivity", body) == {"tags": [{"key": "k"}]}
    assert parse("ListActivities", body) == {"maxResults": 3}


@pytest.mark.parametrize(
    ("number", "found"),
    [("1.9", 1), ("-1.9", -1), ("99999999999", 2**31 - 1), ("-99999999999", -(2**31)), (f"5, {LONG}", 5)],
)
def test_numbers_become_java_integers(number: str, found: int) -> None:
    """A fraction is cut off (measured on Athena), a larger number is the largest (measured on DynamoDB)."""
    assert parse("ListActivities", f'{{"maxResults": {number}}}') == {"maxResults": found}


def test_numbers_too_long_for_a_double_are_read() -> None:
    assert parse("UpdateMapRun", '{"toleratedFailureCount": 9007199254740993}') == {"toleratedFailureCount": 2**53 + 1}
    assert parse("UpdateMapRun", f'{{"toleratedFailurePercentage": 1{"0" * 300}}}') == {
        "toleratedFailurePercentage": 1e300
    }
    assert refused("UpdateMapRun", f'{{"toleratedFailurePercentage": 1{"0" * 400}}}').code == "SerializationException"
    assert parse("UpdateMapRun", '{"toleratedFailurePercentage": "Infinity"}')["toleratedFailurePercentage"] > 1e300


def test_a_body_of_more_than_a_mebibyte_is_too_large() -> None:
    edge = b'{"name": "' + b"x" * (REQUEST_BYTES - 12) + b'"}'
    assert len(edge) == REQUEST_BYTES
    assert len(parse("StartExecution", edge)["name"]) == REQUEST_BYTES - 12
    with pytest.raises(ServiceError) as caught:
        parse("StartExecution", edge + b" ")
    assert (caught.value.code, caught.value.status) == ("RequestEntityTooLargeException", 413)


def test_an_error_is_named_in_body_and_headers() -> None:
    error = ServiceError("StateMachineDoesNotExist", "State Machine Does Not Exist: 'x'", reason="WHY", nothing=None)
    reply = JSON.fault(MODELS.service("stepfunctions"), error, "id-1")
    assert reply.status == 400
    assert reply.headers == {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amzn-ErrorType": "StateMachineDoesNotExist",
        "x-amzn-RequestId": "id-1",
    }
    assert json.loads(reply.body) == {
        "__type": "StateMachineDoesNotExist",
        "message": "State Machine Does Not Exist: 'x'",
        "reason": "WHY",
    }


def test_the_version_of_the_protocol_is_the_services() -> None:
    operation = MODELS.operation("events", "ListConnections")
    assert JSON.reply(operation, {}, "id").headers["Content-Type"] == "application/x-amz-json-1.1"
    assert JSON.fault(None, ServiceError("X", ""), "id").body == b'{"__type":"X"}'


def test_results_are_written_without_none_and_with_milliseconds() -> None:
    operation = MODELS.operation("stepfunctions", "DescribeExecution")
    result = {"startDate": 1767225600.1239, "stopDate": None, "input": "{}", "status": "RUNNING", "\ud800": 1}
    reply = JSON.reply(operation, result, "id")
    assert json.loads(reply.body) == {"startDate": 1767225600.124, "input": "{}", "status": "RUNNING"}


def test_a_lone_surrogate_does_not_break_an_answer() -> None:
    reply = JSON.fault(None, ServiceError("InvalidName", "Invalid Name: '\ud800'"), "id")
    assert json.loads(reply.body)["message"] == "Invalid Name: '?'"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
INPUTS = [
    (service, name)
    for service in ("stepfunctions", "events")
    for name in MODELS.service(service).operation_names
    if MODELS.operation(service, name).input_shape is not None
]


@given(st.data())
def test_reading_raises_nothing_but_service_errors(data: st.DataObject) -> None:
    """Any JSON value at any member of any operation."""
    service, name = data.draw(st.sampled_from(INPUTS))
    members = sorted(MODELS.operation(service, name).input_shape.members) or ["x"]
    body = json.dumps(data.draw(VALUES | st.dictionaries(st.sampled_from(members), VALUES)))
    assert outcome(name, body, service) in REFUSALS


@given(st.binary(max_size=64))
def test_reading_any_bytes_raises_nothing_but_service_errors(body: bytes) -> None:
    assert outcome("CreateStateMachine", body) in REFUSALS
