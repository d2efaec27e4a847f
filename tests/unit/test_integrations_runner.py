"""Tasks through the runner, with a caller that keeps its calls: the special integrations, failures, cancelling."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from stepwell.asl.resources import parse_resource
from stepwell.engine.tasks import SHUTDOWN, TaskCall, TaskFailed, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.integrations.faults import UnreachableError
from stepwell.integrations.optimised.executions import child_name
from stepwell.integrations.runner import IntegrationRunner
from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.jsontext import Json
from stepwell.services.events.connection import Connection

SCOPE = Scope()
MACHINE = SCOPE.states("stateMachine:child")
STARTED = 1659425992.717
Answer = dict[str, Any] | Exception


class NoConnections:
    async def resolve(self, arn: str) -> Connection:
        raise ServiceError("ResourceNotFoundException", f"The connection {arn} does not exist.")


class Calls:
    """A Caller that answers by operation and remembers what it was asked."""

    def __init__(self, **answers: Answer | Callable[[Params], dict[str, Any]]) -> None:
        self.answers = answers
        self.made: list[tuple[str, str, dict[str, Any]]] = []
        self.contexts: list[CallContext] = []

    async def call(self, service: str, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        self.made.append((service, operation, dict(params)))
        self.contexts.append(context)
        answer = self.answers.get(operation, {})
        if isinstance(answer, Exception):
            raise answer
        return answer(params) if callable(answer) else answer


class Children:
    """Ends every child the same way, or never."""

    def __init__(self, **described: Any) -> None:
        self.described = described
        self.waited: list[str] = []
        self.started = asyncio.Event()

    async def wait(self, execution_arn: str) -> dict[str, Any]:
        self.waited.append(execution_arn)
        self.started.set()
        if not self.described:
            await asyncio.Event().wait()
        return {
            "executionArn": execution_arn,
            "stateMachineArn": MACHINE,
            "name": execution_arn.rsplit(":", 1)[1],
            "startDate": STARTED,
            "stopDate": STARTED + 1,
            "input": '{"a":1}',
            "inputDetails": {"included": True},
            "redriveCount": 0,
        } | self.described


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., IntegrationRunner]]:
    made: list[IntegrationRunner] = []

    def runner(calls: Calls, children: Children | None = None) -> IntegrationRunner:
        made.append(IntegrationRunner(calls, NoConnections(), ManualClock(), watcher=children))
        return made[-1]

    yield runner
    for each in made:
        await each.close()


Make = Callable[..., IntegrationRunner]


def task(resource: str, parameters: Any, key: str = "key-1") -> TaskCall:
    return TaskCall(
        key=key,
        resource=parse_resource(resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"),
        parameters=Json(parameters),
        state="State",
        attempt=0,
        execution_arn=SCOPE.states("execution:parent:one"),
        machine_arn=SCOPE.states("stateMachine:parent"),
        role_arn="arn:aws:iam::000000000000:role/role",
        scope=SCOPE,
        token="token",
    )


async def run(runner: IntegrationRunner, resource: str, parameters: Any, key: str = "key-1") -> TaskOutcome:
    submitted: list[Json] = []

    async def keep(answer: Json) -> None:
        submitted.append(answer)

    outcome = await runner.run(task(resource, parameters, key), keep)
    if isinstance(outcome, TaskSucceeded):
        assert len(submitted) == (1 if ".sync" in resource else 0)
    return outcome


def value(outcome: TaskOutcome) -> Any:
    assert isinstance(outcome, TaskSucceeded), outcome
    return outcome.output.value


def failed(outcome: TaskOutcome) -> tuple[str | None, str]:
    assert isinstance(outcome, TaskFailed), outcome
    return outcome.error, outcome.cause or ""


# ------------------------------------------------------------------------------------------------------ executions


def started(params: Params) -> dict[str, Any]:
    name = params["name"]
    return {"executionArn": SCOPE.states(f"execution:child:{name}"), "startDate": STARTED}


async def test_a_child_is_started_with_its_input_as_text(make: Make) -> None:
    """Recorded: test_start_execution_input_json."""
    calls = Calls(StartExecution=started)
    parameters = {"StateMachineArn": MACHINE, "Input": {"Hello": "World"}, "Name": "one"}
    got = value(await run(make(calls), "states:startExecution", parameters))
    assert list(got) == ["ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
    assert got["StartDate"] == 1659425992717
    http = got["SdkHttpMetadata"]
    assert http["HttpStatusCode"] == 200
    assert set(http["AllHttpHeaders"]) == {"x-amzn-RequestId", "connection", "Content-Length", "Date", "Content-Type"}
    assert http["HttpHeaders"]["Content-Type"] == "application/x-amz-json-1.0"
    sent = f'{{"executionArn":"{got["ExecutionArn"]}","startDate":1.659425992717E9}}'
    assert http["HttpHeaders"]["Content-Length"] == str(len(sent))
    assert got["SdkResponseMetadata"]["RequestId"] == http["HttpHeaders"]["x-amzn-RequestId"]
    service, operation, params = calls.made[0]
    assert (service, operation) == ("stepfunctions", "StartExecution")
    assert params == {"stateMachineArn": MACHINE, "input": '{"Hello":"World"}', "name": "one"}
    assert calls.contexts[0].idempotency_key == "key-1"
    assert calls.contexts[0].role_arn == "arn:aws:iam::000000000000:role/role"


async def test_sync_gives_the_childs_description_with_texts(make: Make) -> None:
    children = Children(status="SUCCEEDED", output='{"x":[1]}', outputDetails={"included": True})
    calls = Calls(StartExecution=started)
    got = value(
        await run(make(calls, children), "states:startExecution.sync", {"StateMachineArn": MACHINE, "Name": "n"})
    )
    assert got == {
        "ExecutionArn": SCOPE.states("execution:child:n"),
        "Input": '{"a":1}',
        "InputDetails": {"Included": True},
        "Name": "n",
        "Output": '{"x":[1]}',
        "OutputDetails": {"Included": True},
        "StartDate": 1659425992717,
        "StateMachineArn": MACHINE,
        "Status": "SUCCEEDED",
        "StopDate": 1659425993717,
    }


async def test_sync_2_parses_input_and_output(make: Make) -> None:
    """Recorded: test_start_execution_sync2."""
    children = Children(status="SUCCEEDED", output='{"x":[1]}', outputDetails={"included": True})
    calls = Calls(StartExecution=started)
    parameters = {"StateMachineArn": MACHINE, "Name": "n", "Input": None}
    got = value(await run(make(calls, children), "states:startExecution.sync:2", parameters))
    assert (got["Input"], got["Output"]) == ({"a": 1}, {"x": [1]})


async def test_a_runner_that_cannot_wait_starts_no_child(make: Make) -> None:
    calls = Calls(StartExecution=started)
    error, _ = failed(await run(make(calls), "states:startExecution.sync", {"StateMachineArn": MACHINE}))
    assert error == "States.Runtime"
    assert not calls.made


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
async def test_a_child_that_did_not_succeed_fails_the_task(make: Make, status: str) -> None:
    """Recorded: test_start_execution_sync_delegate_failure."""
    children = Children(status=status, error="SomeFailure", cause="Because.")
    calls = Calls(StartExecution=started)
    parameters = {"StateMachineArn": MACHINE, "Name": "n"}
    error, cause = failed(await run(make(calls, children), "states:startExecution.sync", parameters))
    assert error == "States.TaskFailed"
    described = json.loads(cause)
    assert list(described) == sorted(described)
    assert described["Status"] == status
    assert (described["Error"], described["Cause"], described["Input"]) == ("SomeFailure", "Because.", '{"a":1}')
    assert "RedriveCount" not in described


async def test_a_child_without_a_name_gets_one_from_the_key(make: Make) -> None:
    calls = Calls(StartExecution=started)
    runner = make(calls)
    for key in ("one", "one", "two"):
        await run(runner, "states:startExecution", {"StateMachineArn": MACHINE}, key)
    names = [params["name"] for _, _, params in calls.made]
    assert names == [child_name("one"), child_name("one"), child_name("two")]
    assert names[0] != names[2]


async def test_a_repeated_call_finds_the_child_that_the_first_one_started(make: Make) -> None:
    arn = SCOPE.states(f"execution:child:{child_name('key-1')}")
    calls = Calls(
        StartExecution=ServiceError("ExecutionAlreadyExists", "Execution Already Exists"),
        DescribeExecution=lambda params: {"executionArn": params["executionArn"], "startDate": STARTED},
    )
    children = Children(status="SUCCEEDED", output="{}")
    parameters = {"StateMachineArn": MACHINE + ":7"}
    got = value(await run(make(calls, children), "states:startExecution.sync:2", parameters))
    assert got["ExecutionArn"] == arn
    assert children.waited == [arn]


async def test_a_name_of_ones_own_that_is_taken_fails_the_task(make: Make) -> None:
    calls = Calls(StartExecution=ServiceError("ExecutionAlreadyExists", "Execution Already Exists: 'arn'"))
    parameters = {"StateMachineArn": MACHINE, "Name": "taken"}
    error, cause = failed(await run(make(calls), "states:startExecution", parameters))
    assert error == "StepFunctions.ExecutionAlreadyExistsException"
    request = calls.contexts[0].request_id
    assert cause == (
        "Execution Already Exists: 'arn' (Service: AWSStepFunctions; Status Code: 400; Error Code: "
        f"ExecutionAlreadyExists; Request ID: {request}; Proxy: null)"
    )


@pytest.mark.parametrize(("message", "stopped"), [((), True), ((SHUTDOWN,), False)])
async def test_cancelling_a_sync_task_stops_its_child_unless_the_server_goes_down(
    make: Make, message: tuple[str, ...], stopped: bool
) -> None:
    calls, children = Calls(StartExecution=started), Children()
    parameters = {"StateMachineArn": MACHINE, "Name": "n"}
    running = asyncio.ensure_future(run(make(calls, children), "states:startExecution.sync", parameters))
    await asyncio.wait_for(children.started.wait(), 10)
    running.cancel(*message)
    with pytest.raises(asyncio.CancelledError):
        await running
    stops = [params for _, operation, params in calls.made if operation == "StopExecution"]
    assert stops == ([{"executionArn": SCOPE.states("execution:child:n")}] if stopped else [])


async def test_this_server_is_reached_through_aws_sdk_too(make: Make) -> None:
    """Recorded: test_sfn_send_task_outcome_with_no_such_token."""
    calls = Calls(SendTaskSuccess=ServiceError("InvalidToken", "Invalid Token: 'Invalid token'"))
    parameters = {"Output": "x", "TaskToken": "NoSuchTaskToken"}
    error, cause = failed(await run(make(calls), "aws-sdk:sfn:sendTaskSuccess", parameters))
    assert error == "Sfn.InvalidTokenException"
    request = calls.contexts[0].request_id
    assert cause == (
        f"Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: {request}) (SDK Attempt Count: 1)"
    )
    assert calls.made[0] == ("stepfunctions", "SendTaskSuccess", {"output": "x", "taskToken": "NoSuchTaskToken"})


# ------------------------------------------------------------------------------------------------------- functions


def invoked(payload: bytes, **more: Any) -> dict[str, Any]:
    headers = {"Content-Type": ["application/json"], "x-amzn-RequestId": ["id-1"]}
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": headers, "RequestId": "id-1"}
    return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": payload, "ResponseMetadata": metadata} | more


@pytest.mark.parametrize(
    ("given", "sent", "payload", "shown"),
    [
        (None, b"{}", b"{}", {}),
        ({"a": [1]}, b'{"a":[1]}', b'{"a": [1]}', {"a": [1]}),
        ("0.0", b"0.0", b"0.0", 0.0),
        ('"HelloWorld"', b'"HelloWorld"', b'"HelloWorld"', "HelloWorld"),
        (7, b"7", b"not json", "not json"),
    ],
)
async def test_a_functions_payload_is_parsed(make: Make, given: Any, sent: bytes, payload: bytes, shown: Any) -> None:
    """Recorded: test_invoke, test_invoke_json_values."""
    calls = Calls(Invoke=invoked(payload))
    got = value(await run(make(calls), "lambda:invoke", {"FunctionName": "f", "Payload": given}))
    assert calls.made[0][2] == {"FunctionName": "f", "Payload": sent}
    assert list(got) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    assert got["Payload"] == shown
    assert got["SdkHttpMetadata"] == {
        "AllHttpHeaders": {"Content-Type": ["application/json"], "x-amzn-RequestId": ["id-1"]},
        "HttpHeaders": {"Content-Type": "application/json", "x-amzn-RequestId": "id-1"},
        "HttpStatusCode": 200,
    }
    assert got["SdkResponseMetadata"] == {"RequestId": "id-1"}


@pytest.mark.parametrize("resource", ["lambda:invoke", SCOPE.arn("lambda", "function:f")])
async def test_a_function_that_failed_fails_the_task_with_its_error(make: Make, resource: str) -> None:
    """Recorded: test_raise_exception, test_raise_custom_exception."""
    payload = b'{"errorMessage": "Some exception was raised.", "errorType": "CustomException"}'
    calls = Calls(Invoke=invoked(payload, FunctionError="Unhandled"))
    outcome = await run(make(calls), resource, {"FunctionName": "f"})
    assert failed(outcome) == ("CustomException", payload.decode())


async def test_a_failure_without_a_type_is_unknown(make: Make) -> None:
    payload = b'{"errorMessage":"Task timed out after 3.00 seconds"}'
    calls = Calls(Invoke=invoked(payload, FunctionError="Unhandled"))
    error, cause = failed(await run(make(calls), "lambda:invoke", {"FunctionName": "f"}))
    assert error == "Lambda.Unknown"
    assert cause.endswith("did not return an error type. Returned payload: " + payload.decode())


async def test_a_functions_arn_takes_the_input_and_gives_the_payload(make: Make) -> None:
    """Recorded: test_invoke_string_payload; numbers keep their text."""
    calls = Calls(Invoke=invoked(b'{"n": 1.50}'))
    arn = SCOPE.arn("lambda", "function:f:live")
    outcome = await run(make(calls), arn, "HelloWorld")
    assert isinstance(outcome, TaskSucceeded)
    assert outcome.output.text == '{"n": 1.50}'
    assert calls.made[0] == ("lambda", "Invoke", {"FunctionName": arn, "Payload": b'"HelloWorld"'})


# ---------------------------------------------------------------------------------------------------------- others


async def test_events_carry_the_execution_and_their_details_as_text(make: Make) -> None:
    """Recorded: test_put_events_base."""
    calls = Calls(PutEvents={"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    entry = {"Detail": {"Message": "HelloWorld"}, "DetailType": "t", "Source": "s", "Resources": ["own"]}
    got = value(await run(make(calls), "events:putEvents", {"Entries": [entry]}))
    assert got == {"Entries": [{"EventId": "1"}], "FailedEntryCount": 0}
    sent = calls.made[0][2]["Entries"][0]
    assert sent["Detail"] == '{"Message":"HelloWorld"}'
    assert sent["Resources"] == ["own", SCOPE.states("stateMachine:parent"), SCOPE.states("execution:parent:one")]


async def test_a_failed_entry_fails_the_task(make: Make) -> None:
    """Recorded: test_put_events_mixed_malformed_detail."""
    answer = {
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}],
    }
    outcome = await run(make(Calls(PutEvents=answer)), "events:putEvents", {"Entries": [{"Detail": "x"}]})
    error, cause = failed(outcome)
    assert error == "EventBridge.FailedEntry"
    assert cause == (
        '{"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."}],"FailedEntryCount":1}'
    )


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        ("sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "x"}, "SQS.SdkClientException"),
        ("aws-sdk:sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "x"}, "Sqs.SdkClientException"),
        ("dynamodb:getItem", {"TableName": "t", "Key": {}}, "DynamoDB.SdkClientException"),
        (SCOPE.arn("lambda", "function:f"), {}, "Lambda.SdkClientException"),
    ],
)
async def test_a_service_that_cannot_be_reached_is_a_client_exception(
    make: Make, resource: str, parameters: Any, error: str
) -> None:
    gone = UnreachableError("the setting endpoints.x is not set")
    calls = Calls(SendMessage=gone, GetItem=gone, Invoke=gone)
    name, cause = failed(await run(make(calls), resource, parameters))
    assert name == error
    assert cause.startswith("the setting endpoints.x is not set")


async def test_parameters_that_cannot_be_used_start_nothing(make: Make) -> None:
    calls = Calls()
    error, cause = failed(await run(make(calls), "lambda:invoke", {"FunctionName": "f", "TaskToken": "t"}))
    assert error == "States.Runtime"
    assert cause == (
        """The Parameters '{"FunctionName":"f","TaskToken":"t"}' could not be used to start the Task: """
        """[The field "TaskToken" is not supported by Step Functions]"""
    )
    assert not calls.made
    error, _ = failed(await run(make(calls), "sqs:sendMessage", ["no", "object"]))
    assert error == "States.Runtime"


@pytest.mark.parametrize("resource", ["apigateway:invoke", "ecs:runTask.sync", "eks:call", "glue:startJobRun.sync"])
async def test_what_is_not_there_yet_is_refused_by_name(make: Make, resource: str) -> None:
    calls = Calls()
    error, cause = failed(await run(make(calls), resource, {}))
    assert error == "States.Runtime"
    assert f"The integration '{resource}' is not supported yet" in cause
    assert not calls.made


async def test_an_optimised_service_without_a_file_of_its_own_is_one_plain_call(make: Make) -> None:
    calls = Calls(RunTask={"tasks": [{"taskArn": "a", "createdAt": STARTED}], "failures": []})
    got = value(await run(make(calls), "ecs:runTask", {"Cluster": "c", "TaskDefinition": "t"}))
    assert got["Tasks"] == [{"CreatedAt": 1659425992717, "TaskArn": "a"}]
    assert calls.made[0] == ("ecs", "RunTask", {"cluster": "c", "taskDefinition": "t"})


async def test_a_task_with_a_token_is_submitted(make: Make) -> None:
    calls = Calls(Invoke=invoked(b"{}"))
    outcome = await run(make(calls), "lambda:invoke.waitForTaskToken", {"FunctionName": "f"})
    assert isinstance(outcome, TaskSubmitted)
    sent = await run(make(calls), "aws-sdk:lambda:invoke.waitForTaskToken", {"FunctionName": "f", "Payload": "{}"})
    assert isinstance(sent, TaskSubmitted)
    assert sent.output.value == {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": "{}"}


async def test_a_crash_is_logged_and_a_failure(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls(SendMessage=ZeroDivisionError("bug"))
    with caplog.at_level(logging.ERROR):
        outcome = await run(make(calls), "sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "x"})
    assert failed(outcome) == ("States.Runtime", "Stepwell failed to execute the task; its log says more.")
    assert "ZeroDivisionError" in caplog.text


async def test_a_service_aws_does_not_have_is_said_so(make: Make) -> None:
    error, cause = failed(await run(make(Calls()), "aws-sdk:nothing:doIt", {}))
    assert error == "States.Runtime"
    assert "aws-sdk:nothing:doIt" in cause
    error, cause = failed(await run(make(Calls()), "aws-sdk:sqs:makeCoffee", {}))
    assert (error, "MakeCoffee" in cause) == ("States.Runtime", True)
