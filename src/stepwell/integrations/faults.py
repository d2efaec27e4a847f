"""A service's error as a workflow sees it: the error's name and the text of its cause.

Two wordings exist, as two generations of the AWS SDK for Java stand behind the integrations::

    optimised   DynamoDB.ResourceNotFoundException
                Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; Error Code:
                ResourceNotFoundException; Request ID: 4NK...; Proxy: null)
    aws-sdk     DynamoDb.ResourceNotFoundException
                Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: 4NK...)

Sources: recorded: test_dynamodb_put_item_no_such_table, test_put_item_invalid_table_name, test_fifo_message_attribute,
test_no_such_function_catch, test_sfn_send_task_outcome_with_no_such_token, test_s3_no_such_key.
"""

from __future__ import annotations

from botocore.model import ServiceModel

from stepwell.asl.resources import sdk_error, sdk_prefix
from stepwell.kernel.errors import ServiceError, StateError

RUNTIME = "States.Runtime"
CLIENT_EXCEPTION = "SdkClientException"

# What the first generation called a service. Source: the recordings above and the AWS SDK for Java 1.x client names.
FIRST_GENERATION = {
    "batch": "AWSBatch",
    "codebuild": "AWSCodeBuild",
    "dynamodb": "AmazonDynamoDBv2",
    "ecs": "AmazonECS",
    "emr": "AmazonElasticMapReduce",
    "events": "AmazonEventBridge",
    "glue": "AWSGlue",
    "lambda": "AWSLambda",
    "sagemaker": "AmazonSageMaker",
    "sns": "AmazonSNS",
    "sqs": "AmazonSQS",
    "stepfunctions": "AWSStepFunctions",
}
# An error that the service's model does not name is the service's general exception.
# Source: recorded: test_invalid_param (DynamoDB.AmazonDynamoDBException); AWS SDK for Java 1.x for the others.
FIRST_GENERATION_GENERAL = {"dynamodb": "AmazonDynamoDBException"}
# Recorded before the SDK counted its attempts in the text (it does since 2025); recorded cases win.
WITHOUT_ATTEMPTS = frozenset({"DynamoDb", "S3"})


class UnreachableError(ServiceError):
    """No answer came from a service: nobody serves it, the connection failed, or the request could not be built."""

    def __init__(self, message: str) -> None:
        super().__init__(CLIENT_EXCEPTION, message, status=503)


def could_not_start(parameters: str, *reasons: str) -> StateError:
    """The task's parameters are wrong, so no request was made.

    Source: wording as public reports of AWS executions show it (https://docs.aws.amazon.com/step-functions/latest/dg/
    connect-parameters.html names the reason about unsupported fields).
    """
    return StateError(
        RUNTIME, f"The Parameters '{parameters}' could not be used to start the Task: [{', '.join(reasons)}]"
    )


def optimised_fault(error: ServiceError, prefix: str, model: ServiceModel) -> StateError:
    """The error of an optimised integration: ``prefix`` is ``DynamoDB``, ``SQS``, ``StepFunctions``."""
    if isinstance(error, UnreachableError):
        return StateError(f"{prefix}.{CLIENT_EXCEPTION}", error.message)
    service = FIRST_GENERATION.get(model.service_name, f"Amazon{prefix}")
    general = FIRST_GENERATION_GENERAL.get(model.service_name, f"{service}Exception")
    name = _exception(error, model) or general
    code = error.fields.get("query_code") or error.code
    cause = (
        f"{error.message} (Service: {service}; Status Code: {error.status}; Error Code: {code}; "
        f"Request ID: {error.fields.get('request_id', '')}; Proxy: null)"
    )
    return StateError(f"{prefix}.{name}", cause)


def sdk_fault(error: ServiceError, service: str, model: ServiceModel) -> StateError:
    """The error of an ``aws-sdk`` integration: ``service`` as the resource names it, ``dynamodb``, ``sfn``."""
    prefix = sdk_prefix(service)
    attempts = "" if prefix in WITHOUT_ATTEMPTS else " (SDK Attempt Count: 1)"
    if isinstance(error, UnreachableError):
        return StateError(f"{prefix}.{CLIENT_EXCEPTION}", error.message + attempts)
    shape = model.shape_for_error_code(error.code)
    name = sdk_error(service, shape.name) if shape is not None else f"{prefix}.{prefix}Exception"
    ids = f"Request ID: {error.fields.get('request_id', '')}"
    if extended := error.fields.get("extended_request_id"):
        ids += f", Extended Request ID: {extended}"
    return StateError(name, f"{error.message} (Service: {prefix}, Status Code: {error.status}, {ids}){attempts}")


def _exception(error: ServiceError, model: ServiceModel) -> str | None:
    """The modelled exception's class name in the SDK for Java 1.x, or None for a code the model does not have."""
    shape = model.shape_for_error_code(error.code)
    if shape is None:
        return None
    name: str = shape.name
    return name if name.endswith("Exception") else name.removesuffix("Fault") + "Exception"
