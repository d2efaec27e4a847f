"""Workflows that call AWS services we do not embed, at a configured endpoint: moto's server, through a live Stepwell."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from servers import LiveServer

DEADLINE = 30.0
ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def live(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    endpoints = {f"STEPWELL_ENDPOINT_{service}": moto for service in ("SQS", "DYNAMODB")}
    server = LiveServer(tmp_path_factory.mktemp("remote") / "data", environment=endpoints).start()
    yield server
    server.stop()


def remote(service: str, url: str) -> Any:
    """A client of the service itself, in the account that Stepwell calls for."""
    keys = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **keys)


def start(live: LiveServer, name: str, definition: dict[str, Any], argument: Any) -> str:
    sfn = live.client()
    machine = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    started = sfn.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(argument))
    return str(started["executionArn"])


def ended(live: LiveServer, arn: str) -> dict[str, Any]:
    """The execution's description once it has ended."""
    sfn, deadline = live.client(), time.monotonic() + DEADLINE
    while (shown := dict(sfn.describe_execution(executionArn=arn)))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution did not end"
    return shown


def test_dynamodb_states_write_and_read_an_item(live: LiveServer, moto: str) -> None:
    """The optimised integration writes, the SDK integration reads."""
    remote("dynamodb", moto).create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"id": {"S.$": "$.id"}}
    definition = {
        "StartAt": "Put",
        "States": {
            "Put": {
                "Type": "Task",
                "Resource": "arn:aws:states:::dynamodb:putItem",
                "Parameters": {"TableName": "orders", "Item": {**key, "total": {"N": "42"}}},
                "ResultPath": None,
                "Next": "Get",
            },
            "Get": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem",
                "Parameters": {"TableName": "orders", "Key": key},
                "OutputPath": "$.Item",
                "End": True,
            },
        },
    }
    shown = ended(live, start(live, "table", definition, {"id": "o-1"}))
    assert shown["status"] == "SUCCEEDED"
    assert json.loads(shown["output"]) == {"id": {"S": "o-1"}, "total": {"N": "42"}}


def test_a_missing_table_is_an_error_that_catch_names(live: LiveServer) -> None:
    put = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {"TableName": "nowhere", "Item": {"id": {"S": "x"}}},
        "Catch": [{"ErrorEquals": ["DynamoDB.ResourceNotFoundException"], "Next": "Told"}],
        "End": True,
    }
    definition = {"StartAt": "Put", "States": {"Put": put, "Told": {"Type": "Succeed"}}}
    shown = ended(live, start(live, "no-table", definition, {}))
    assert shown["status"] == "SUCCEEDED"
    assert json.loads(shown["output"])["Error"] == "DynamoDB.ResourceNotFoundException"


def test_an_sqs_callback_state_waits_for_whoever_reads_the_queue(live: LiveServer, moto: str) -> None:
    queue = remote("sqs", moto)
    url = queue.create_queue(QueueName="approvals")["QueueUrl"]
    definition = {
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {
                    "QueueUrl": url,
                    "MessageBody": {"order.$": "$.order", "token.$": "$$.Task.Token"},
                },
                "End": True,
            }
        },
    }
    arn = start(live, "approval", definition, {"order": 7})
    received = queue.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]
    asked = json.loads(received["Body"])
    assert asked["order"] == 7
    live.client().send_task_success(taskToken=asked["token"], output='{"approved": true}')
    shown = ended(live, arn)
    assert (shown["status"], shown["output"]) == ("SUCCEEDED", '{"approved": true}')


def test_a_service_without_an_endpoint_is_refused_by_the_name_of_its_setting(live: LiveServer) -> None:
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": "m"},
        "End": True,
    }
    shown = ended(live, start(live, "topic", {"StartAt": "Publish", "States": {"Publish": publish}}, {}))
    assert (shown["status"], shown["error"]) == ("FAILED", "SNS.SdkClientException")
    assert "STEPWELL_ENDPOINT_SNS" in shown["cause"]
