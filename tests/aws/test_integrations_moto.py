"""Task integrations against a server that speaks AWS's protocols: moto on loopback, named by the setting endpoints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from stepwell.asl.resources import parse_resource
from stepwell.engine.tasks import TaskCall, TaskFailed, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.integrations.caller import RoutingCaller
from stepwell.integrations.runner import IntegrationRunner
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.jsontext import Json
from stepwell.services.events.connection import Connection

SERVICES = ("dynamodb", "lambda", "s3", "secretsmanager", "sns", "sqs")
SCOPE = Scope(account="123456789012")
ITEM = {"id": {"S": "id1"}, "data": {"S": "HelloWorld"}}


class NoConnections:
    async def resolve(self, arn: str) -> Connection:
        raise ServiceError("ResourceNotFoundException", arn)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def runner(moto_url: str) -> AsyncIterator[IntegrationRunner]:
    caller = RoutingCaller(dict.fromkeys(SERVICES, moto_url), {})
    made = IntegrationRunner(caller, NoConnections(), ManualClock())
    yield made
    await made.close()
    await caller.close()


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=SCOPE.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def table(moto_url: str) -> Iterator[str]:
    dynamodb = client("dynamodb", moto_url)
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield "orders"
    dynamodb.delete_table(TableName="orders")


def call(resource: str, parameters: Any, **more: Any) -> TaskCall:
    return TaskCall(
        key="key-1",
        resource=parse_resource(resource),
        parameters=Json(parameters),
        state="State",
        attempt=0,
        execution_arn=SCOPE.states("execution:machine:one"),
        machine_arn=SCOPE.states("stateMachine:machine"),
        role_arn="arn:aws:iam::123456789012:role/role",
        scope=SCOPE,
        **more,
    )


async def run(runner: IntegrationRunner, resource: str, parameters: Any) -> TaskOutcome:
    async def submitted(answer: Json) -> None:
        raise AssertionError("only .sync tasks report that they were submitted")

    return await runner.run(call(f"arn:aws:states:::{resource}", parameters), submitted)


async def value(runner: IntegrationRunner, resource: str, parameters: Any) -> Any:
    outcome = await run(runner, resource, parameters)
    assert isinstance(outcome, TaskSucceeded), outcome
    return outcome.output.value


async def failure(runner: IntegrationRunner, resource: str, parameters: Any) -> TaskFailed:
    outcome = await run(runner, resource, parameters)
    assert isinstance(outcome, TaskFailed), outcome
    return outcome


async def test_sdk_results_of_dynamodb_carry_no_metadata(runner: IntegrationRunner, table: str) -> None:
    """Recorded: test_dynamodb_put_update_get_item."""
    key = {"id": {"S": "id1"}}
    assert await value(runner, "aws-sdk:dynamodb:putItem", {"TableName": table, "Item": ITEM}) == {}
    changed = await value(
        runner,
        "aws-sdk:dynamodb:updateItem",
        {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "set S=:r",
            "ExpressionAttributeValues": {":r": {"S": "HelloWorldUpdated"}},
            "ReturnValues": "UPDATED_NEW",
        },
    )
    assert changed["Attributes"] == {"S": {"S": "HelloWorldUpdated"}}
    got = await value(runner, "aws-sdk:dynamodb:getItem", {"TableName": table, "Key": key})
    assert got == {"Item": ITEM | {"S": {"S": "HelloWorldUpdated"}}}


async def test_optimised_results_of_dynamodb_carry_headers_and_request_id(
    runner: IntegrationRunner, table: str
) -> None:
    """Recorded: DYNAMODB_PUT_GET_ITEM; members are in alphabetical order."""
    await value(runner, "dynamodb:putItem", {"TableName": table, "Item": ITEM})
    got = await value(runner, "dynamodb:getItem", {"TableName": table, "Key": {"id": {"S": "id1"}}})
    assert list(got) == ["Item", "SdkHttpMetadata", "SdkResponseMetadata"]
    assert got["Item"] == ITEM
    http = got["SdkHttpMetadata"]
    assert http["HttpStatusCode"] == 200
    assert http["AllHttpHeaders"]["Content-Type"] == ["application/x-amz-json-1.0"]
    assert http["HttpHeaders"]["Content-Type"] == "application/x-amz-json-1.0"
    assert got["SdkResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("resource", "error", "service"),
    [
        ("dynamodb:putItem", "DynamoDB.ResourceNotFoundException", "AmazonDynamoDBv2; Status Code: 400; Error Code: "),
        ("aws-sdk:dynamodb:putItem", "DynamoDb.ResourceNotFoundException", "DynamoDb, Status Code: 400, Request ID: "),
    ],
)
async def test_a_missing_table_fails_in_the_words_of_each_sdk(
    runner: IntegrationRunner, resource: str, error: str, service: str
) -> None:
    """Recorded: test_dynamodb_put_item_no_such_table."""
    failed = await failure(runner, resource, {"TableName": "nothing", "Item": ITEM})
    assert failed.error == error
    assert failed.cause is not None
    assert failed.cause.startswith(f"Requested resource not found (Service: {service}")


async def test_an_error_the_model_does_not_name_is_the_services_general_exception(
    runner: IntegrationRunner, table: str
) -> None:
    """Recorded: test_invalid_param (DynamoDB.AmazonDynamoDBException)."""
    parameters = {"TableName": table, "Item": {"data": {"S": "no key"}}}
    failed = await failure(runner, "dynamodb:putItem", parameters)
    assert failed.error == "DynamoDB.AmazonDynamoDBException"
    assert "Error Code: ValidationException" in str(failed.cause)
    assert (await failure(runner, "aws-sdk:dynamodb:putItem", parameters)).error == "DynamoDb.DynamoDbException"


async def test_an_object_as_message_body_is_sent_as_its_text(runner: IntegrationRunner, moto_url: str) -> None:
    """Recorded: test_send_message; MD5OfMessageBody keeps its capitals, and has others through aws-sdk."""
    sqs = client("sqs", moto_url)
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    sent = await value(
        runner,
        "sqs:sendMessage",
        {
            "QueueUrl": url,
            "MessageBody": {"hello": ["world", 1]},
            "MessageAttributes": {"one": {"DataType": "String", "StringValue": "1"}},
        },
    )
    assert {"MD5OfMessageBody", "MD5OfMessageAttributes", "MessageId", "SdkHttpMetadata"} <= set(sent)
    received = await value(runner, "aws-sdk:sqs:receiveMessage", {"QueueUrl": url})
    assert received["Messages"][0]["Body"] == '{"hello":["world",1]}'
    plain = await value(runner, "aws-sdk:sqs:sendMessage", {"QueueUrl": url, "MessageBody": "text"})
    assert set(plain) == {"Md5OfMessageBody", "MessageId"}
    sqs.delete_queue(QueueUrl=url)


async def test_a_task_that_waits_for_its_token_is_submitted(runner: IntegrationRunner, moto_url: str) -> None:
    sqs = client("sqs", moto_url)
    url = sqs.create_queue(QueueName="tokens")["QueueUrl"]
    parameters = {"QueueUrl": url, "MessageBody": {"TaskToken": "token"}}
    outcome = await run(runner, "sqs:sendMessage.waitForTaskToken", parameters)
    assert isinstance(outcome, TaskSubmitted)
    assert outcome.output.value["MessageId"]
    sqs.delete_queue(QueueUrl=url)


async def test_a_missing_queue_is_named_by_the_exception_of_its_model(runner: IntegrationRunner, moto_url: str) -> None:
    parameters = {"QueueUrl": f"{moto_url}/123456789012/none", "MessageBody": "x"}
    failed = await failure(runner, "sqs:sendMessage", parameters)
    assert failed.error == "SQS.QueueDoesNotExistException"
    assert "Error Code: AWS.SimpleQueueService.NonExistentQueue" in str(failed.cause)


async def test_an_object_as_message_of_a_topic_is_sent_as_its_text(runner: IntegrationRunner, moto_url: str) -> None:
    """Recorded: test_fifo_message_attribute; SNS speaks the query protocol."""
    topic = client("sns", moto_url).create_topic(Name="news")["TopicArn"]
    sent = await value(runner, "sns:publish", {"TopicArn": topic, "Message": {"Message": "HelloWorld!"}})
    assert list(sent) == ["MessageId", "SdkHttpMetadata", "SdkResponseMetadata"]
    missing = topic.replace("news", "none")
    failed = await failure(runner, "sns:publish", {"TopicArn": missing, "Message": "x"})
    assert failed.error == "SNS.NotFoundException"


@pytest.mark.parametrize("body", ["text data", {"Dict": "Value"}, ["List", "Data"], False, 0])
async def test_any_json_can_be_an_objects_body(runner: IntegrationRunner, moto_url: str, body: Any) -> None:
    """Recorded: test_s3_put_object, test_s3_get_object."""
    client("s3", moto_url).create_bucket(Bucket="bucket")
    await value(runner, "aws-sdk:s3:putObject", {"Bucket": "bucket", "Key": "dir/file key", "Body": body})
    got = await value(runner, "aws-sdk:s3:getObject", {"Bucket": "bucket", "Key": "dir/file key"})
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    assert got["Body"] == text
    assert got["ContentLength"] == len(text)
    assert got["Metadata"] == {}
    assert got["LastModified"].endswith("Z")


async def test_a_missing_key_has_the_bucket_services_words(runner: IntegrationRunner, moto_url: str) -> None:
    """Recorded: test_s3_no_such_key, test_no_such_bucket."""
    client("s3", moto_url).create_bucket(Bucket="bucket")
    failed = await failure(runner, "aws-sdk:s3:getObject", {"Bucket": "bucket", "Key": "none"})
    assert failed.error == "S3.NoSuchKeyException"
    assert str(failed.cause).startswith(
        "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: "
    )
    bucket = await failure(runner, "aws-sdk:s3:listObjects", {"Bucket": "some-none-existent-bucket"})
    assert bucket.error == "S3.NoSuchBucketException"


async def test_an_empty_list_of_secrets_is_an_empty_list(runner: IntegrationRunner) -> None:
    """Recorded: test_list_secrets."""
    assert await value(runner, "aws-sdk:secretsmanager:listSecrets", {}) == {"SecretList": []}


async def test_a_missing_function_fails_the_task(runner: IntegrationRunner) -> None:
    """Recorded: test_no_such_function_catch."""
    failed = await failure(runner, "lambda:invoke", {"FunctionName": "none", "Payload": None})
    assert failed.error == "Lambda.ResourceNotFoundException"
    assert "(Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: " in str(
        failed.cause
    )
