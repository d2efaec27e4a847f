"""TestState: one state alone, with its work mocked or real. What AWS answered to the same is in the recorded cases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from sfn_house import MODELS, ROLE, House, open_house
from stepwell.asl.polling import POLLED
from stepwell.asl.resources import OPTIMISED
from stepwell.engine.exchanges import Exchange, Request
from stepwell.engine.tasks import TaskFailed, TaskSucceeded
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions.teststate.exchange import shown

INVOKE: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f"},
}
RETRY = [{"ErrorEquals": ["E"], "MaxAttempts": 2, "IntervalSeconds": 3}]
CATCH = [{"ErrorEquals": ["Other"], "Next": "X"}, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Y"}]
BLOCK = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
MAP: dict[str, Any] = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": BLOCK, "End": True}
PARALLEL: dict[str, Any] = {"Type": "Parallel", "Branches": [BLOCK], "End": True}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as made:
        yield made


async def tried(house: House, state: dict[str, Any], given: Any = None, level: str = "DEBUG", **params: Any) -> Any:
    """The answer, with JSON texts read; ``result`` and ``error`` are mocks."""
    if "result" in params:
        params["mock"] = {"result": json.dumps(params.pop("result"))} | params.get("mock", {})
    if "error" in params:
        params["mock"] = {"errorOutput": {"error": params.pop("error"), "cause": "why"}}
    if given is not None:
        params["input"] = json.dumps(given)
    answer = await house.do("TestState", definition=json.dumps(state), inspectionLevel=level, **params)
    read = {name: json.loads(value) if name == "output" else value for name, value in answer.items()}
    if "inspectionData" in read:
        data = read["inspectionData"].items()
        read["inspectionData"] = {k: json.loads(v) if isinstance(v, str) else v for k, v in data}
    return read


def task(**fields: Any) -> dict[str, Any]:
    return INVOKE | {"Next": "N"} | fields


async def test_a_mocked_task_shows_each_step_of_its_data(house: House) -> None:
    """Nothing is called, and OutputPath comes after what afterResultPath shows."""
    state = task(
        InputPath="$.a",
        Parameters={"FunctionName.$": "$.f"},
        ResultSelector={"got.$": "$.Payload"},
        ResultPath="$.r",
        OutputPath="$.r.got",
    )
    answer = await tried(house, state, {"a": {"f": "x"}}, result={"Payload": {"n": 1}})
    assert answer == {
        "status": "SUCCEEDED",
        "output": {"n": 1},
        "nextState": "N",
        "inspectionData": {
            "input": {"a": {"f": "x"}},
            "afterInputPath": {"f": "x"},
            "afterParameters": {"FunctionName": "x"},
            "result": {"Payload": {"n": 1}},
            "afterResultSelector": {"got": {"n": 1}},
            "afterResultPath": {"a": {"f": "x"}, "r": {"got": {"n": 1}}},
        },
    }
    assert house.runner.calls == []


async def test_the_level_info_shows_no_data(house: House) -> None:
    answer = await tried(house, task(), result={"StatusCode": 200}, level="INFO")
    assert answer == {"status": "SUCCEEDED", "output": {"StatusCode": 200}, "nextState": "N"}


async def test_a_task_without_a_mock_is_called(house: House) -> None:
    house.runner.answer = lambda call: TaskSucceeded(output=Json({"echo": call.parameters.value}))
    answer = await tried(house, task(), {"a": 1}, roleArn=ROLE)
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", {"echo": {"FunctionName": "f"}})
    assert [call.role_arn for call in house.runner.calls] == [ROLE]
    house.runner.answer = lambda call: TaskFailed(error="E", cause="why")
    answer = await tried(house, task(Retry=RETRY), roleArn=ROLE)
    assert (answer["status"], answer["error"], answer["cause"]) == ("RETRIABLE", "E", "why")
    assert len(house.runner.calls) == 2


@pytest.mark.parametrize(
    ("used", "status", "details"),
    [
        (None, "RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 3}),
        (1, "RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 6}),
        (2, "CAUGHT_ERROR", {"retryIndex": 0, "catchIndex": 1}),
    ],
)
async def test_an_error_is_retried_and_then_caught(
    house: House, used: int | None, status: str, details: dict[str, int]
) -> None:
    configured: dict[str, Any] = {} if used is None else {"stateConfiguration": {"retrierRetryCount": used}}
    answer = await tried(house, task(Retry=RETRY, Catch=CATCH), {"a": 1}, error="E", **configured)
    assert (answer["status"], answer["error"], answer["cause"]) == (status, "E", "why")
    assert answer["inspectionData"]["errorDetails"] == details
    if status == "CAUGHT_ERROR":
        assert answer["output"] == {"a": 1, "error": {"Error": "E", "Cause": "why"}}
        assert answer["nextState"] == "Y"
    else:
        assert "output" not in answer
        assert "nextState" not in answer


async def test_an_error_that_nobody_handles_fails_the_state(house: House) -> None:
    answer = await tried(house, task(Retry=RETRY), error="Another")
    assert (answer["status"], answer["error"]) == ("FAILED", "Another")
    assert "errorDetails" not in answer["inspectionData"]


async def test_nobody_handles_a_runtime_error(house: House) -> None:
    answer = await tried(house, task(Catch=CATCH), error="States.Runtime")
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")


async def test_a_state_alone_may_lead_to_itself(house: House) -> None:
    """In a whole machine, that is a fault."""
    state = {"Type": "Pass", "Next": "StateName"}
    assert (await tried(house, state))["nextState"] == "StateName"
    machine = json.dumps({"StartAt": "StateName", "States": {"StateName": state}})
    assert (await house.refused("TestState", definition=machine, stateName="StateName"))[0] == "InvalidDefinition"


def test_a_request_without_an_answer_is_shown_alone() -> None:
    sent = Request(method="GET", url="https://a/b?secret=1", headers=[("X", "y"), ("Z", "q")], body=None)
    exchanges = [Exchange(sent=sent, public=replace(sent, url="https://a/b", headers=[("X", "y")]))]
    public = {"protocol": "https", "method": "GET", "url": "https://a/b", "headers": "[X: y]"}
    assert shown(exchanges, reveal=False) == {"request": public}
    revealed = {**public, "url": "https://a/b?secret=1", "headers": "[X: y, Z: q]"}
    assert shown(exchanges, reveal=True) == {"request": revealed}
    assert shown([], reveal=True) == {}


async def test_a_catcher_that_cannot_be_evaluated_fails_the_state(house: House) -> None:
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": INVOKE["Resource"],
        "Arguments": {"FunctionName": "f"},
        "Catch": [{"ErrorEquals": ["E"], "Output": "{% $nothing %}", "Next": "X"}],
        "End": True,
    }
    answer = await tried(house, state, error="E")
    assert (answer["status"], answer["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "'StateName'" in answer["cause"]


async def test_variables_are_given_and_shown_as_they_are_after_the_state(house: House) -> None:
    state = {"Type": "Pass", "Assign": {"b.$": "$.n", "c.$": "$a"}, "End": True}
    answer = await tried(house, state, {"n": 2}, variables='{"a": 1}')
    assert answer["inspectionData"]["variables"] == {"a": 1, "b": 2, "c": 1}
    answer = await tried(house, {"Type": "Pass", "End": True}, variables="{}")
    assert "variables" not in answer["inspectionData"]


async def test_a_state_in_a_map_of_a_whole_machine_sees_an_item(house: House) -> None:
    """It is found in any block, and has the machine's query language."""
    inner = {"Type": "Pass", "Output": "{% $states.context.Map.Item %}", "Next": "B"}
    block = {"StartAt": "A", "States": {"A": inner, "B": {"Type": "Succeed"}}}
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "ItemProcessor": block, "End": True}},
    }
    answer = await tried(house, machine, {"v": 1}, stateName="A")
    assert (answer["output"], answer["nextState"]) == ({"Index": 0, "Value": {"v": 1}}, "B")
    code, message = await house.refused("TestState", definition=json.dumps(machine), stateName="Z")
    assert (code, message) == ("ValidationException", "State not found: Z")


async def test_a_given_context_object_is_the_whole_of_it(house: House) -> None:
    state = task(Parameters={"FunctionName.$": "$$.State.Name"}, ResultSelector={"c.$": "$$"})
    context = {"State": {"Name": "Mine", "RetryCount": 4}}
    answer = await tried(house, state, result={}, context=json.dumps(context))
    assert answer["inspectionData"]["afterParameters"] == {"FunctionName": "Mine"}
    assert answer["output"] == {"c": context}


async def test_without_one_the_context_object_is_that_of_an_express_execution(house: House) -> None:
    state = task(Resource="arn:aws:states:::lambda:invoke.waitForTaskToken", ResultSelector={"c.$": "$$"})
    state["Parameters"] = {"FunctionName": "f", "Payload": {"t.$": "$$.Task.Token"}}
    answer = await tried(house, state, {"a": 1}, result={}, stateConfiguration={"retrierRetryCount": 2})
    context = answer["output"]["c"]
    assert context["Execution"]["RoleArn"] is None
    assert set(context["Execution"]) == {"Id", "Input", "Name", "RoleArn", "StartTime"}
    assert context["State"]["Name"] == "StateName"
    assert context["State"]["RetryCount"] == 2
    assert context["Task"]["Token"]


async def test_a_map_shows_what_its_iterations_would_be_given(house: House) -> None:
    state = MAP | {
        "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}},
        "ItemProcessor": {**BLOCK, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}},
        "MaxConcurrencyPath": "$.most",
        "ToleratedFailurePercentage": 50,
        "ResultPath": "$.out",
    }
    given = {"items": [5, 6, 7], "k": 9, "most": 70}
    answer = await tried(house, state, given, result=["x", "y"])
    inputs = [{"i": 0, "v": 5}, {"i": 1, "v": 6}, {"i": 2, "v": 7}]
    assert answer["inspectionData"] == {
        "input": given,
        "afterInputPath": given,
        "afterItemsPath": [5, 6, 7],
        "afterItemSelector": inputs,
        "afterItemBatcher": [
            {"BatchInput": {"k": 9}, "Items": inputs[:2]},
            {"BatchInput": {"k": 9}, "Items": inputs[2:]},
        ],
        "afterResultSelector": ["x", "y"],
        "afterResultPath": {**given, "out": ["x", "y"]},
        "maxConcurrency": 70,
        "toleratedFailurePercentage": 50.0,
    }


@pytest.mark.parametrize(
    ("config", "data", "items"),
    [
        ({"InputType": "JSON"}, "[1, 2]", [1, 2]),
        ({"InputType": "JSON", "MaxItems": 1}, "[1, 2]", [1]),
        ({"InputType": "JSON", "ItemsPointer": "/a~1b/0"}, '{"a/b": [[3]]}', [3]),
        ({"InputType": "JSONL"}, '{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            'a,b\n1,"x,y"\n2\n',
            [{"a": "1", "b": "x,y"}, {"a": "2", "b": ""}],
        ),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["k"], "CSVDelimiter": "PIPE"},
            "1|2\n",
            [{"k": "1"}],
        ),
    ],
)
async def test_items_come_from_the_reader_data(house: House, config: Any, data: str, items: list[Any]) -> None:
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, "Parameters": {"Bucket.$": "$.b"}}
    processor = {**BLOCK, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    selector = {"v.$": "$$.Map.Item.Value"}
    state = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemProcessor": processor,
        "ItemSelector": selector,
        "End": True,
    }
    given: dict[str, Any] = {"stateConfiguration": {"mapItemReaderData": data}}
    answer = await tried(house, state, {"b": "bucket"}, result=items, **given)
    data_shown = answer["inspectionData"]
    assert data_shown["afterItemSelector"] == [{"v": item} for item in items]
    assert "afterItemsPath" not in data_shown
    assert ("afterItemsPointer" in data_shown) == ("ItemsPointer" in config)
    if config["InputType"] != "CSV":
        answer = await tried(house, state, {"b": "bucket"}, result=[], stateConfiguration={"mapItemReaderData": "{"})
        assert (answer["status"], answer["error"]) == ("FAILED", "States.ItemReaderFailed")


async def test_a_parallel_is_left_with_the_mocked_results_of_its_branches(house: House) -> None:
    answer = await tried(house, PARALLEL | {"Parameters": {"p": 1}}, {"a": 1}, result=[{"b": 2}])
    assert answer["output"] == [{"b": 2}]
    assert answer["inspectionData"]["afterParameters"] == {"p": 1}
    configured: dict[str, Any] = {"stateConfiguration": {"errorCausedByState": "P"}}
    answer = await tried(house, PARALLEL | {"Catch": CATCH}, {"a": 1}, error="Other", **configured)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "X")


async def test_a_wait_waits_and_a_test_ends_after_five_minutes(house: House) -> None:
    async def answer_after(seconds: int) -> Any:
        state = {"Type": "Wait", "Seconds": seconds, "Next": "N"}
        work = asyncio.ensure_future(tried(house, state, {"a": 1}))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not work.done()
        await house.clock.advance(300)
        return await work

    assert await answer_after(299) == {
        "status": "SUCCEEDED",
        "output": {"a": 1},
        "nextState": "N",
        "inspectionData": {"input": {"a": 1}, "afterInputPath": {"a": 1}},
    }
    late = await answer_after(301)
    assert (late["status"], late["error"]) == ("FAILED", "States.Timeout")


async def test_a_choice_goes_its_way_and_fails_without_one(house: House) -> None:
    state = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "One"}]}
    assert (await tried(house, state, {"n": 1}))["nextState"] == "One"
    answer = await tried(house, state, {"n": 2})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.NoChoiceMatched")


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (task(), {}, "RoleArn must be specified when testing a Task state"),
    (
        task(),
        {"result": {}, "revealSecrets": True},
        "TestState does not support RevealSecrets when a mock is specified.",
    ),
    ({"Type": "Succeed"}, {"result": 1}, "State type 'Succeed' is not supported when a mock is specified"),
    ({"Type": "Succeed"}, {"context": "{}"}, "TestState does not support Context when a mock is not specified."),
    (task(), {"mock": {}}, "A test mock should have only one of the following fields: [result, errorOutput]."),
    (task(), {"mock": {"errorOutput": {}}}, "An error was not specified in the mocked error output."),
    (task(), {"mock": {"result": "{"}}, "Mocked result must be valid JSON"),
    (
        PARALLEL,
        {"result": [1, 2]},
        "Mocked result must contain the same number of items as number of Parallel branches.",
    ),
    (MAP, {"result": [1], "input": '{"items": [1, 2]}'}, "Input array does not equal the mocked result array's size."),
    (
        MAP,
        {"result": [1], "input": '{"items": [1]}', "stateConfiguration": {"mapIterationFailureCount": 2}},
        "Map iteration failure count must be less than or equal to the number of Map iterations.",
    ),
    (
        MAP,
        {"error": "E", "stateConfiguration": {"errorCausedByState": "Nobody"}},
        "ErrorCausedByState must be the name of a state inside the Map or Parallel state, and an error must be mocked.",
    ),
    (task(), {"result": {}, "context": "[]"}, "Invalid Context object provided: must be a JSON object"),
    (
        task(),
        {"result": {}, "context": '{"State": {"RetryCount": "1"}}'},
        "Invalid Context object provided: State.RetryCount must be a number",
    ),
    ({"Type": "Succeed"}, {"variables": "[]"}, "Invalid Variables provided: must be a JSON object"),
    (task(), {"result": []}, "Mocked result must be a JSON object."),
]


@pytest.mark.parametrize(("state", "params", "message"), REFUSED)
async def test_what_cannot_be_asked_for_together_is_refused(
    house: House, state: dict[str, Any], params: dict[str, Any], message: str
) -> None:
    given = dict(params)
    if "result" in given:
        given["mock"] = {"result": json.dumps(given.pop("result"))}
    if "error" in given:
        given["mock"] = {"errorOutput": {"error": given.pop("error")}}
    assert await house.refused("TestState", definition=json.dumps(state), **given) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (task(Resource="arn:aws:states:::states:startExecution.sync", Parameters={"StateMachineArn": "x"}), "'.sync'"),
        (task(Resource="arn:aws:states:us-east-1:000000000000:activity:a"), "Activity"),
        ({"Type": "Pass"}, "at /States/StateName'"),
        (MAP | {"ItemReader": 1}, "[OBJECT] at /States/StateName/ItemReader'"),
        (MAP | {"ItemBatcher": {"BatchInput": {"a.$": "$["}}}, "/States/StateName/ItemBatcher"),
        ({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, "[Type] at /States/StateName"),
    ],
)
async def test_definitions_that_cannot_be_tested_are_invalid(house: House, state: dict[str, Any], message: str) -> None:
    params: dict[str, Any] = {"roleArn": ROLE}
    if state.get("Type") == "Map":
        params |= {"mock": {"result": "[]"}}
    if "ItemReader" in state:
        params |= {"stateConfiguration": {"mapItemReaderData": "[]"}}
    code, text = await house.refused("TestState", definition=json.dumps(state), **params)
    assert code == "InvalidDefinition"
    assert message in text


DESCRIBED = {"ExecutionArn": "a", "StateMachineArn": "m", "StartDate": "now", "Status": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("resource", "result", "problem"),
    [
        (
            "states:startExecution.sync:2",
            {"ExecutionArn": "a", "StartDate": "now"},
            "Required field 'StateMachineArn' is missing",
        ),
        ("states:startExecution.sync:2", DESCRIBED, None),
        ("states:startExecution.sync", {**DESCRIBED, "Status": "DONE"}, "Field 'Status' is not an expected value"),
        ("states:startExecution.sync", {**DESCRIBED, "RedriveCount": "1"}, "Field 'RedriveCount' must be a number"),
        ("lambda:invoke", {"Payload": {"any": 1}, "StatusCode": 200}, None),
        ("aws-sdk:lambda:invoke", {"Payload": {"any": 1}}, "Field 'Payload' must be a string"),
        (
            "aws-sdk:sqs:sendMessage",
            {"MD5OfMessageBody": 1, "Md5OfMessageBody": 1},
            "Field 'Md5OfMessageBody' must be a string",
        ),
        (
            "sqs:sendMessage",
            {"MD5OfMessageBody": 1, "Md5OfMessageBody": 1},
            "Field 'MD5OfMessageBody' must be a string",
        ),
        ("dynamodb:getItem", {"Item": {"k": {"S": 1}}}, "Field 'S' must be a string"),
        ("dynamodb:getItem", {"Item": {"k": {"BOOL": "no"}}}, "Field 'BOOL' must be a boolean"),
        ("dynamodb:getItem", {"Item": []}, "Field 'Item' must be an object"),
        ("http:invoke", {"anything": 1}, None),
    ],
)
async def test_a_mocked_result_has_the_shape_of_the_answer(
    house: House, resource: str, result: Any, problem: str | None
) -> None:
    """Of a ``.sync`` task: the answer of the operation that asks how the job is."""
    needed = {
        "states:startExecution": {"StateMachineArn": "m"},
        "lambda:invoke": {"FunctionName": "f"},
        "sqs:sendMessage": {"QueueUrl": "q", "MessageBody": "b"},
        "dynamodb:getItem": {"TableName": "t", "Key": {}},
        "http:invoke": {"ApiEndpoint": "https://a", "Method": "GET", "InvocationConfig": {"ConnectionArn": "c"}},
    }
    parameters = needed[resource.removeprefix("aws-sdk:").partition(".")[0]]
    state = json.dumps(
        {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    )
    mock = {"result": json.dumps(result)}
    if problem is None:
        answer = await house.do("TestState", definition=state, mock=mock)
        assert json.loads(answer["output"]) == result
        return
    refused = await house.refused("TestState", definition=state, mock=mock)
    assert refused == ("ValidationException", f"Mock result schema validation error: {problem}")
    await house.do("TestState", definition=state, mock=mock | {"fieldValidationMode": "NONE"})


def test_every_job_has_an_operation_that_asks_for_it() -> None:
    """Except eks:runJob, which asks the cluster and no AWS API."""
    jobs = {name for name, row in OPTIMISED.items() if row.patterns & {"sync", "sync:2"}}
    assert jobs - POLLED.keys() == {("eks", "runJob")}
    assert POLLED.keys() <= jobs
    assert all(MODELS.operation(*call).output_shape is not None for call in POLLED.values())
