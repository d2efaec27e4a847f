"""Names, parameters and results: JSON as workflows write it against what operations take."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stepwell.asl.casing import first_generation_name, sdk_name
from stepwell.integrations.models import operation_model
from stepwell.integrations.shapes import (
    FIRST_GENERATION_IN,
    FIRST_GENERATION_OUT,
    SDK_IN,
    SDK_OUT,
    Intakes,
    blob_text,
    instant,
)


@pytest.mark.parametrize(
    ("member", "sdk", "optimised"),
    [
        ("op", "Op", "Op"),
        ("patchOperations", "PatchOperations", "PatchOperations"),
        ("ETag", "ETag", "ETag"),
        ("ChecksumCRC32", "ChecksumCRC32", "ChecksumCRC32"),
        ("MD5OfMessageBody", "Md5OfMessageBody", "MD5OfMessageBody"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier", "DBInstanceIdentifier"),
        ("SSEKMSKeyId", "SsekmsKeyId", "SSEKMSKeyId"),
        ("ARN", "Arn", "ARN"),
        ("S", "S", "S"),
        ("SS", "Ss", "SS"),
    ],
)
def test_members_are_named_as_each_generation_of_the_sdk_names_them(member: str, sdk: str, optimised: str) -> None:
    assert sdk_name(member) == sdk
    assert first_generation_name(member) == optimised


def read(service: str, operation: str, value: Any) -> tuple[dict[str, Any], list[str]]:
    return SDK_IN.read(operation_model(service, operation).input_shape, value)


def test_nested_parameters_become_the_services_members() -> None:
    """Recorded: test_step_functions_calling_api_gateway (PatchOperations[].Op)."""
    given = {"RestApiId": "a", "StageName": "s", "PatchOperations": [{"Op": "replace", "Path": "/x", "Value": "1"}]}
    params, reasons = read("apigateway", "UpdateStage", given)
    assert not reasons
    assert params == {
        "restApiId": "a",
        "stageName": "s",
        "patchOperations": [{"op": "replace", "path": "/x", "value": "1"}],
    }


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    assert read("stepfunctions", "StartExecution", {"StateMachineArn": "a", "Input": None}) == (
        {"stateMachineArn": "a"},
        [],
    )


@pytest.mark.parametrize(
    ("service", "operation", "value", "reason"),
    [
        ("sqs", "SendMessage", {"queueUrl": "x"}, 'The field "queueUrl" is not supported by Step Functions'),
        ("sqs", "SendMessage", {"DelaySeconds": "1"}, "The value of the field 'DelaySeconds' has an invalid format"),
        ("sqs", "SendMessage", {"MessageBody": {}}, "The value of the field 'MessageBody' has an invalid format"),
        ("dynamodb", "PutItem", {"Item": {"a": {"N": 1}}}, "The value of the field 'N' has an invalid format"),
        ("dynamodb", "PutItem", {"Item": {"a": "x"}}, "The value of the field 'a' has an invalid format"),
        ("s3", "GetObject", {"Bucket": "b"}, "The field 'Key' is required but was missing"),
        ("sqs", "ListQueues", {"MaxResults": True}, "The value of the field 'MaxResults' has an invalid format"),
        ("sts", "GetCallerIdentity", {"X": 1}, 'The field "X" is not supported by Step Functions'),
    ],
)
def test_parameters_that_cannot_be_used_are_named(service: str, operation: str, value: Any, reason: str) -> None:
    assert read(service, operation, value)[1] == [reason]


def test_times_are_read_from_text_and_numbers() -> None:
    shape = operation_model("cloudwatch", "GetMetricData").input_shape
    params, reasons = SDK_IN.read(shape, {"StartTime": "2022-08-02T07:39:52Z", "EndTime": 1659425993.5})
    assert not reasons
    assert params == {"StartTime": 1659425992.0, "EndTime": 1659425993.5}
    assert SDK_IN.read(shape, {"StartTime": "yesterday"})[1] == [
        "The value of the field 'StartTime' has an invalid format"
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1659425992.717, "2022-08-02T07:39:52.717Z"),
        (1659425992.0, "2022-08-02T07:39:52Z"),
        (0.000001, "1970-01-01T00:00:00.000001Z"),
    ],
)
def test_an_instant_has_a_fraction_only_if_there_is_one(seconds: float, text: str) -> None:
    assert instant(seconds) == text


def test_results_are_in_pascal_case_with_each_generations_times() -> None:
    shape = operation_model("stepfunctions", "StartExecution").output_shape
    result = {
        "startDate": datetime(2022, 8, 2, 7, 39, 52, 717000, UTC),
        "executionArn": "arn",
        "ResponseMetadata": {"HTTPStatusCode": 200},
    }
    assert SDK_OUT.write(shape, result) == {"StartDate": "2022-08-02T07:39:52.717Z", "ExecutionArn": "arn"}
    written = FIRST_GENERATION_OUT.write(shape, {"startDate": 1659425992.717, "executionArn": "arn"})
    assert list(written.items()) == [("ExecutionArn", "arn"), ("StartDate", 1659425992717)]


def test_recursive_shapes_are_compiled_as_deep_as_the_data() -> None:
    """DynamoDB's AttributeValue holds itself."""
    item = {"a": {"M": {"b": {"L": [{"M": {"c": {"S": "deep"}}}]}}}}
    shape = operation_model("dynamodb", "PutItem").input_shape
    params, reasons = FIRST_GENERATION_IN.read(shape, {"TableName": "t", "Item": item})
    assert not reasons
    assert params["Item"] == item


def test_a_shape_is_compiled_once() -> None:
    made = Intakes(sdk_name)
    item = {"TableName": "t", "Item": {"a": {"M": {"b": {"L": [{"S": "x"}]}}}}}
    for _ in range(3):
        made.read(operation_model("dynamodb", "PutItem").input_shape, item)
        count = made.compiled
    made.read(operation_model("dynamodb", "PutItem").input_shape, item)
    assert made.compiled == count


def test_bytes_are_text_where_they_are_text() -> None:
    assert blob_text("grün".encode()) == "grün"
    assert blob_text(b"\xff\x00") == "/wA="
