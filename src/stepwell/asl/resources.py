"""The resource catalogue: what a Task's ``Resource`` may name, its patterns, the call behind it, its errors' names.

::

    arn:aws:states:us-east-1:000000000000:activity:review       activity
    arn:aws:lambda:us-east-1:000000000000:function:price:7      function
    arn:aws:states:::sqs:sendMessage.waitForTaskToken           optimised: service sqs, action sendMessage
    arn:aws:states:::aws-sdk:dynamodb:getItem                   sdk: service dynamodb, action getItem

The tables are data for everybody: the checker, the integrations, the documentation. botocore's models are read only
when an ``aws-sdk`` resource asks for them. Source of patterns and actions:
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html and the page of each service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from stepwell.kernel.arns import Arn

Kind = Literal["activity", "function", "optimised", "sdk"]
Pattern = Literal["request", "sync", "sync:2", "waitForTaskToken"]

_SUFFIXES: dict[str, Pattern] = {
    "": "request",
    ".sync": "sync",
    ".sync:2": "sync:2",
    ".waitForTaskToken": "waitForTaskToken",
}
_SUFFIX = {pattern: suffix for suffix, pattern in _SUFFIXES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A parsed ``Resource``. ``arn`` is set for activities and functions, ``service`` and ``action`` for the others."""

    text: str
    kind: Kind
    service: str = ""
    action: str = ""
    pattern: Pattern = "request"
    arn: Arn | None = None

    @property
    def resource_type(self) -> str:
        """``resourceType`` of history events: ``sqs``, ``aws-sdk:sqs`` (recorded: test_aws_sdk_task_service)."""
        return f"aws-sdk:{self.service}" if self.kind == "sdk" else self.service

    @property
    def resource(self) -> str:
        """``resource`` of history events: ``sendMessage.waitForTaskToken`` (recorded: test_sqs_task_service)."""
        return self.action + _SUFFIX[self.pattern]

    @property
    def integration(self) -> Integration | None:
        """The row of an optimised integration."""
        return OPTIMISED.get((self.service, self.action)) if self.kind == "optimised" else None

    @property
    def error_prefix(self) -> str:
        """What stands before the dot in the names of this resource's errors: ``SQS``, or ``Sqs`` through aws-sdk."""
        if self.kind == "sdk":
            return sdk_prefix(self.service)
        return self.integration.error_prefix if self.integration else "Lambda"

    @property
    def call(self) -> tuple[str, str] | None:
        """botocore's service and operation, or None where no AWS API stands behind it (http, apigateway, eks:call)."""
        if self.kind == "sdk":
            service = sdk_service(self.service)
            return None if service is None else (service, _upper_first(self.action))
        row = self.integration
        return None if row is None or not row.operation else (row.botocore, row.operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An optimised integration. ``operation`` is empty where no single AWS operation stands behind it.

    ``required`` names parameters that AWS asks for when a state machine is created, measured through
    ValidateStateMachineDefinition: https://github.com/badmintoncryer/cdk-preflight, rules/stepfunctions.
    """

    patterns: frozenset[Pattern]
    error_prefix: str
    botocore: str = ""
    operation: str = ""
    required: tuple[str, ...] = ()


# Service in the ARN, error prefix, botocore's service ("" where no single operation stands behind the action), and the
# actions, each followed by the patterns it has besides request-response. Prefixes: recorded for ApiGateway, DynamoDB,
# EventBridge, Lambda, SNS, SQS and StepFunctions; ECS is that of public workflows' Retry fields; States.Http:
# https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html; the rest are assumed from the same habit,
# the name of the client in version 1 of AWS's SDK for Java.
_SERVICES: tuple[tuple[str, str, str, str], ...] = (
    ("apigateway", "ApiGateway", "", "invoke.waitForTaskToken"),
    ("athena", "Athena", "athena", "startQueryExecution.sync stopQueryExecution getQueryExecution getQueryResults"),
    ("batch", "Batch", "batch", "submitJob.sync"),
    ("bedrock", "Bedrock", "bedrock", "createModelCustomizationJob.sync.waitForTaskToken"),
    ("bedrock", "Bedrock", "bedrock-runtime", "invokeModel.waitForTaskToken"),
    ("bedrock-agentcore", "BedrockAgentCore", "bedrock-agentcore", "invokeHarness"),
    ("codebuild", "CodeBuild", "codebuild", "startBuild.sync stopBuild batchDeleteBuilds batchGetReports"),
    (
        "codebuild",
        "CodeBuild",
        "codebuild",
        "startBuildBatch.sync stopBuildBatch retryBuildBatch.sync deleteBuildBatch",
    ),
    ("databrew", "DataBrew", "databrew", "startJobRun.sync"),
    ("dynamodb", "DynamoDB", "dynamodb", "getItem putItem deleteItem updateItem"),
    ("ecs", "ECS", "ecs", "runTask.sync.waitForTaskToken"),
    ("eks", "EKS", "eks", "createCluster.sync deleteCluster.sync createNodegroup.sync deleteNodegroup.sync"),
    ("eks", "EKS", "eks", "createFargateProfile.sync deleteFargateProfile.sync"),
    ("eks", "EKS", "", "call.waitForTaskToken runJob.sync.waitForTaskToken"),
    ("elasticmapreduce", "EMR", "", "createCluster.sync terminateCluster.sync addStep.sync cancelStep"),
    ("elasticmapreduce", "EMR", "", "setClusterTerminationProtection"),
    ("elasticmapreduce", "EMR", "", "modifyInstanceFleetByName modifyInstanceGroupByName"),
    (
        "emr-containers",
        "EMRContainers",
        "emr-containers",
        "createVirtualCluster deleteVirtualCluster.sync startJobRun.sync",
    ),
    ("emr-serverless", "EMRServerless", "emr-serverless", "createApplication.sync deleteApplication.sync"),
    ("emr-serverless", "EMRServerless", "emr-serverless", "startApplication.sync stopApplication.sync"),
    ("emr-serverless", "EMRServerless", "emr-serverless", "startJobRun.sync cancelJobRun.sync"),
    ("events", "EventBridge", "events", "putEvents.waitForTaskToken"),
    ("glue", "Glue", "glue", "startJobRun.sync"),
    ("http", "States.Http", "", "invoke"),
    ("lambda", "Lambda", "lambda", "invoke.waitForTaskToken"),
    ("mediaconvert", "MediaConvert", "mediaconvert", "createJob.sync"),
    ("sagemaker", "SageMaker", "sagemaker", "createTrainingJob.sync createTransformJob.sync createLabelingJob.sync"),
    ("sagemaker", "SageMaker", "sagemaker", "createHyperParameterTuningJob.sync createProcessingJob.sync"),
    ("sagemaker", "SageMaker", "sagemaker", "createEndpoint createEndpointConfig createModel updateEndpoint"),
    ("sns", "SNS", "sns", "publish.waitForTaskToken"),
    ("sqs", "SQS", "sqs", "sendMessage.waitForTaskToken"),
    ("states", "StepFunctions", "stepfunctions", "startExecution.sync.sync:2.waitForTaskToken"),
)

_REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("apigateway", "invoke"): ("ApiEndpoint", "Method"),
    ("dynamodb", "deleteItem"): ("TableName", "Key"),
    ("dynamodb", "getItem"): ("TableName", "Key"),
    ("dynamodb", "putItem"): ("TableName", "Item"),
    ("dynamodb", "updateItem"): ("TableName", "Key"),
    ("ecs", "runTask"): ("TaskDefinition",),
    ("events", "putEvents"): ("Entries",),
    ("glue", "startJobRun"): ("JobName",),
    ("lambda", "invoke"): ("FunctionName",),
    ("sns", "publish"): ("Message",),
    ("sqs", "sendMessage"): ("QueueUrl", "MessageBody"),
    ("states", "startExecution"): ("StateMachineArn",),
}


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rows() -> Iterable[tuple[tuple[str, str], Integration]]:
    for service, prefix, botocore, actions in _SERVICES:
        for entry in actions.split():
            action, *patterns = entry.split(".")
            yield (
                (service, action),
                Integration(
                    patterns=frozenset(_SUFFIXES[suffix] for suffix in ("", *(f".{name}" for name in patterns))),
                    error_prefix=prefix,
                    botocore=botocore,
                    operation=_upper_first(action) if botocore else "",
                    required=_REQUIRED.get((service, action), ()),
                ),
            )


OPTIMISED: dict[tuple[str, str], Integration] = dict(_rows())

# aws-sdk services whose name is not botocore's without its hyphens: AWS's SDK for Java 2 names its clients after the
# model's serviceId, drops "Service" from its end, and Step Functions writes that in lower case.
# Source: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
SDK_SERVICES: dict[str, str] = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}
_SDK_PREFIXES = {"sesv2": "SesV2", "wafv2": "Wafv2"}  # Java 2 client names that do not follow the rule below

_ACTION = re.compile(r"[a-z][A-Za-z0-9]*")


def parse_resource(text: str) -> Resource:
    """Reads a ``Resource``; raises ValueError, whose text is the fault, for one that no version of AWS's language has.

    Whether AWS knows the action of an aws-sdk service is asked of ``is_known``: it reads that service's model.
    """
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise ValueError(f"{text} is not an ARN") from None
    if arn.service == "lambda" and arn.kind == "function" and arn.names and all(arn.names):
        return Resource(text=text, kind="function", service="lambda", arn=arn)
    if arn.service != "states":
        raise ValueError(f"{text} names neither a function, an activity nor an integration")
    if arn.kind == "activity" and len(arn.names) == 1 and arn.names[0]:
        return Resource(text=text, kind="activity", arn=arn)
    if arn.region or arn.account:
        raise ValueError(f"{text} has a region or an account, which an integration has not")
    return _integration(text, arn.resource)


def _integration(text: str, resource: str) -> Resource:
    sdk = resource.startswith("aws-sdk:")
    service, _, rest = resource.removeprefix("aws-sdk:").partition(":")
    action, dot, suffix = rest.partition(".")
    pattern = _SUFFIXES.get(dot + suffix)
    if pattern is None:
        raise ValueError(f"{text} has an unknown integration pattern")
    if sdk:
        if pattern not in {"request", "waitForTaskToken"} or not _ACTION.fullmatch(action):
            raise ValueError(f"{text} is not an aws-sdk integration")
        return Resource(text=text, kind="sdk", service=service, action=action, pattern=pattern)
    row = OPTIMISED.get((service, action))
    if row is None or pattern not in row.patterns:
        raise ValueError(f"{text} is not an integration of Step Functions")
    return Resource(text=text, kind="optimised", service=service, action=action, pattern=pattern)


def is_known(resource: Resource) -> bool:
    """Whether AWS has it. Only aws-sdk resources need the look into the service's model; the others were parsed."""
    if resource.kind != "sdk":
        return True
    call = resource.call
    return call is not None and call[1] in _model(call[0])[1]


def _loader() -> Any:
    """A loader of its own each time: it keeps every model it reads, the largest of which take megabytes."""
    from botocore.loaders import Loader  # noqa: PLC0415 - slow to import, needed for aws-sdk resources only

    return Loader()


@cache
def _sdk_names() -> dict[str, str]:
    """aws-sdk name to botocore's name, for every service botocore has a model of."""
    taken = set(SDK_SERVICES.values())
    services = _loader().list_available_services("service-2")
    return {name.replace("-", ""): name for name in services if name not in taken} | SDK_SERVICES


def sdk_service(name: str) -> str | None:
    """botocore's service for the name an aws-sdk resource uses (``cloudwatchlogs`` is ``logs``), or None."""
    return _sdk_names().get(name)


@lru_cache(maxsize=64)
def _model(service: str) -> tuple[str, frozenset[str]]:
    """A service's serviceId and the names of its operations; the rest of the model is not kept."""
    model = _loader().load_service_model(service, "service-2")
    return model["metadata"]["serviceId"], frozenset(model["operations"])


@lru_cache(maxsize=512)
def sdk_prefix(name: str) -> str:
    """The prefix of errors of an aws-sdk service: ``dynamodb`` is ``DynamoDb`` (recorded: test_aws_sdk).

    Raises ValueError for a service AWS does not have.
    """
    service = sdk_service(name)
    if service is None:
        raise ValueError(f"aws-sdk has no service {name}")
    return _SDK_PREFIXES.get(name) or pascal(_model(service)[0].removesuffix(" Service"))


def pascal(text: str) -> str:
    """A name as AWS's SDK for Java 2 spells its classes: ``DynamoDB`` is ``DynamoDb``, ``ACM PCA`` is ``AcmPca``.

    Words end at spaces, between a small and a capital letter, after an acronym and after digits.
    """
    text = re.sub(r"[^A-Za-z0-9]+", " ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", text)
    return "".join(word[:1].upper() + word[1:].lower() for word in text.split())


def sdk_error(name: str, shape: str) -> str:
    """The error name of an aws-sdk call: ``s3`` and ``NoSuchKey`` make ``S3.NoSuchKeyException``.

    Recorded: test_aws_sdk_task_service (S3.NoSuchKeyException), test_aws_sdk (DynamoDb.ResourceNotFoundException).
    Source of the suffix: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    return f"{sdk_prefix(name)}.{pascal(shape.removesuffix('Exception').removesuffix('Fault'))}Exception"
