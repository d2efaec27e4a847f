"""The resource catalogue: parsing, patterns, the calls behind resources and the names of their errors."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.loaders import Loader

from stepwell.asl.resources import (
    OPTIMISED,
    SDK_SERVICES,
    is_known,
    parse_resource,
    pascal,
    sdk_error,
    sdk_prefix,
    sdk_service,
)


def test_an_activity_and_a_function_keep_their_arns() -> None:
    activity = parse_resource("arn:aws:states:us-east-1:000000000000:activity:review")
    assert (activity.kind, str(activity.arn)) == ("activity", activity.text)
    function = parse_resource("arn:aws:lambda:us-east-1:000000000000:function:price:7")
    assert function.kind == "function"
    assert function.arn is not None
    assert function.arn.names == ["price", "7"]
    assert function.error_prefix == "Lambda"
    assert function.call is None


@pytest.mark.parametrize(
    ("text", "resource_type", "resource", "pattern"),
    [
        ("arn:aws:states:::lambda:invoke", "lambda", "invoke", "request"),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "sqs",
            "sendMessage.waitForTaskToken",
            "waitForTaskToken",
        ),
        ("arn:aws-cn:states:::ecs:runTask.sync", "ecs", "runTask.sync", "sync"),
        ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution.sync:2", "sync:2"),
        ("arn:aws:states:::aws-sdk:dynamodb:getItem", "aws-sdk:dynamodb", "getItem", "request"),
        ("arn:aws:states:::emr-containers:startJobRun.sync", "emr-containers", "startJobRun.sync", "sync"),
    ],
)
def test_history_names_a_resource_by_type_and_action(
    text: str, resource_type: str, resource: str, pattern: str
) -> None:
    """Recorded: the resourceType and resource of Task events."""
    parsed = parse_resource(text)
    assert (parsed.resource_type, parsed.resource, parsed.pattern) == (resource_type, resource, pattern)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sendMessage",
        "arn:aws:sqs:us-east-1:000000000000:queue",
        "arn:aws:lambda:us-east-1:000000000000:layer:x",
        "arn:aws:lambda:us-east-1:000000000000:function:",
        "arn:aws:states:us-east-1:000000000000:activity:",
        "arn:aws:states:us-east-1:000000000000:stateMachine:m",
        "arn:aws:states:us-east-1:000000000000:sqs:sendMessage",
        "arn:aws:states:::sqs",
        "arn:aws:states:::sqs:sendMessage.sync",
        "arn:aws:states:::sqs:sendMessage.",
        "arn:aws:states:::sqs:sendMessage.waitForever",
        "arn:aws:states:::ecs:runTask.sync:2",
        "arn:aws:states:::s3:getObject",
        "arn:aws:states:::aws-sdk:s3",
        "arn:aws:states:::aws-sdk:s3:GetObject",
        "arn:aws:states:::aws-sdk:s3:getObject.sync",
    ],
)
def test_what_is_no_resource_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is for people
        parse_resource(text)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("arn:aws:states:::dynamodb:putItem", "DynamoDB"),
        ("arn:aws:states:::aws-sdk:dynamodb:putItem", "DynamoDb"),
        ("arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", "Sfn"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "S3"),
        ("arn:aws:states:::events:putEvents", "EventBridge"),
        ("arn:aws:states:::apigateway:invoke", "ApiGateway"),
        ("arn:aws:states:::sns:publish", "SNS"),
        ("arn:aws:states:::states:startExecution", "StepFunctions"),
    ],
)
def test_optimised_and_sdk_errors_are_named_differently(text: str, prefix: str) -> None:
    """Recorded: the error names of failed tasks."""
    assert parse_resource(text).error_prefix == prefix


def test_every_optimised_call_is_an_operation_of_botocore() -> None:
    loader = Loader()
    for (service, action), row in OPTIMISED.items():
        call = parse_resource(f"arn:aws:states:::{service}:{action}").call
        if row.botocore and row.botocore in loader.list_available_services("service-2"):
            assert call is not None
            operations = loader.load_service_model(call[0], "service-2")["operations"]
            if service != "bedrock-agentcore":  # newer than the oldest botocore we allow
                assert call[1] in operations, (service, action)
        else:
            assert call is None or service == "bedrock-agentcore"


def test_every_exceptional_sdk_name_leads_to_a_service_of_botocore() -> None:
    services = set(Loader().list_available_services("service-2"))
    assert set(SDK_SERVICES.values()) <= services


@pytest.mark.parametrize(
    ("name", "service", "prefix"),
    [
        ("acmpca", "acm-pca", "AcmPca"),
        ("apigatewayv2", "apigatewayv2", "ApiGatewayV2"),
        ("cloudwatchlogs", "logs", "CloudWatchLogs"),
        ("databasemigration", "dms", "DatabaseMigration"),
        ("elasticloadbalancingv2", "elbv2", "ElasticLoadBalancingV2"),
        ("iot", "iot", "Iot"),
        ("sesv2", "sesv2", "SesV2"),
        ("secretsmanager", "secretsmanager", "SecretsManager"),
    ],
)
def test_sdk_services_are_named_after_the_clients_of_java(name: str, service: str, prefix: str) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html"""
    assert (sdk_service(name), sdk_prefix(name)) == (service, prefix)


def test_a_name_of_botocore_that_aws_does_not_use_is_unknown() -> None:
    assert sdk_service("stepfunctions") is None
    assert sdk_service("no-such") is None
    with pytest.raises(ValueError, match="nosuch"):
        sdk_prefix("nosuch")


def test_an_sdk_action_is_looked_up_in_the_model() -> None:
    assert is_known(parse_resource("arn:aws:states:::aws-sdk:s3:getObject.waitForTaskToken"))
    assert not is_known(parse_resource("arn:aws:states:::aws-sdk:s3:getObjct"))
    assert not is_known(parse_resource("arn:aws:states:::aws-sdk:nosuch:getObject"))
    assert is_known(parse_resource("arn:aws:states:::sqs:sendMessage"))


def test_sdk_errors_end_in_exception() -> None:
    """Recorded: S3.NoSuchKeyException, Sfn.InvalidTokenException."""
    assert sdk_error("s3", "NoSuchKey") == "S3.NoSuchKeyException"
    assert sdk_error("sfn", "InvalidTokenException") == "Sfn.InvalidTokenException"
    assert sdk_error("rds", "DBInstanceNotFoundFault") == "Rds.DbInstanceNotFoundException"


def test_words_are_split_as_java_does() -> None:
    assert [pascal(text) for text in ("DynamoDB", "IoTSiteWise", "CloudHSM V2", "EC2")] == [
        "DynamoDb",
        "IoTSiteWise",
        "CloudHsmV2",
        "Ec2",
    ]


def test_importing_the_catalogue_does_not_import_botocore() -> None:
    script = "import sys, stepwell.asl.resources; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
