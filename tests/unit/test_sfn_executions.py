"""Standard executions through the service: start, describe, list, stop, history, waiting for the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, WAIT, House, open_house
from stepwell.engine.tasks import TaskSucceeded
from stepwell.kernel.caller import CallContext
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.jsontext import Json

EXPRESS_EXECUTION = "arn:aws:states:us-east-1:000000000000:express:m:n:u"
SCATTER = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "L", "States": {"L": {"Type": "Pass", "End": True}}},
                {"StartAt": "R", "States": {"R": {"Type": "Wait", "Seconds": 1, "End": True}}},
            ],
            "End": True,
        },
    },
}
TASK = {
    "StartAt": "T",
    "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": True}},
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def test_a_succeeded_execution_is_described_as_aws_does(house: House) -> None:
    """Recorded: test_describe_execution_arn_containing_punctuation."""
    arn = await house.machine()
    started = await house.do("StartExecution", stateMachineArn=arn, name="e", traceHeader="Root=1")
    assert started == {
        "executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:e",
        "startDate": house.clock.now(),
    }
    await house.clock.settle()
    shown = await house.do("DescribeExecution", executionArn=started["executionArn"])
    assert shown == {
        **started,
        "stateMachineArn": arn,
        "name": "e",
        "status": "SUCCEEDED",
        "stopDate": house.clock.now(),
        "input": "{}",
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "traceHeader": "Root=1",
    }
    brief = await house.do("DescribeExecution", executionArn=started["executionArn"], includedData="METADATA_ONLY")
    assert not {"input", "output"} & brief.keys()


async def test_a_failed_execution_can_be_redriven_for_a_fortnight(house: House) -> None:
    arn = await house.machine(FAIL)
    shown = await house.run(arn)
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "E", "C")
    assert shown["redriveStatus"] == "REDRIVABLE"
    assert "output" not in shown
    assert "redriveStatusReason" not in shown
    await house.clock.advance(15 * 86_400)
    shown = await house.do("DescribeExecution", executionArn=shown["executionArn"])
    assert shown["redriveStatusReason"] == "Execution redrivable period exceeded"


async def test_a_timed_out_execution_says_so_by_its_status_alone(house: House) -> None:
    arn = await house.machine({**WAIT, "TimeoutSeconds": 3})
    shown = await house.run(arn)
    await house.clock.advance(4)
    shown = await house.do("DescribeExecution", executionArn=shown["executionArn"])
    assert shown["status"] == "TIMED_OUT"
    assert shown["stopDate"] == shown["startDate"] + 3
    assert "error" not in shown


async def test_the_same_request_again_gives_the_running_execution(house: House) -> None:
    """Recorded: test_start_execution_idempotent."""
    arn = await house.machine(WAIT)
    first = await house.do("StartExecution", stateMachineArn=arn, name="e", input='{"a": 1}')
    await house.clock.advance(10)
    assert await house.do("StartExecution", stateMachineArn=arn, name="e", input='{"a": 1}') == first
    exists = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert await house.refused("StartExecution", stateMachineArn=arn, name="e", input='{"a": 2}') == exists
    await house.clock.advance(60)
    assert await house.refused("StartExecution", stateMachineArn=arn, name="e", input='{"a": 1}') == exists


async def test_two_equal_starts_at_once_make_one_execution(house: House) -> None:
    arn = await house.machine(WAIT)
    started = await asyncio.gather(*(house.do("StartExecution", stateMachineArn=arn, name="e") for _ in range(5)))
    assert len({each["executionArn"] for each in started}) == 1
    assert len((await house.do("ListExecutions", stateMachineArn=arn))["executions"]) == 1


DEEP = "[" * 2000 + "]" * 2000


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "not some json",
            "InvalidExecutionInput",
            "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting (JSON String, Number, "
            "Array, Object or token 'null', 'true' or 'false')'",
        ),
        (
            "{'not': 'json'",
            "InvalidExecutionInput",
            "Invalid State Machine Execution Input: 'Unexpected character (''' (code 39)): was expecting double-quote "
            "to start field name'",
        ),
        ("", "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'"),
        ("  ", "InvalidExecutionInput", None),
        ("{} {}", "InvalidExecutionInput", None),
        ("NaN", "InvalidExecutionInput", None),
        (DEEP, "InvalidExecutionInput", None),
        ('"' + "x" * 262_144 + '"', "ValidationException", None),
        ('"' + "\u20ac" * 100_000 + '"', "ValidationException", None),
    ],
    ids=["words", "quotes", "empty", "blank", "two", "nan", "deep", "long", "wide"],
)
async def test_input_that_is_not_json_or_too_large_is_refused(
    house: House, text: str, code: str, message: str | None
) -> None:
    """Recorded: test_invalid_start_execution_input."""
    arn = await house.machine()
    refused = await house.refused("StartExecution", stateMachineArn=arn, input=text)
    assert refused[0] == code
    assert message is None or refused[1] == message
    assert (await house.do("ListExecutions", stateMachineArn=arn))["executions"] == []


@pytest.mark.parametrize("text", ["2", '"some text"', "null", ' {"n": 12345678901234567890123} '])
async def test_any_json_is_an_input_and_keeps_its_text(house: House, text: str) -> None:
    arn = await house.machine()
    assert (await house.run(arn, input=text))["input"] == text


@pytest.mark.parametrize("operation", ["DescribeExecution", "StopExecution", "GetExecutionHistory"])
async def test_bad_execution_arns_are_told_apart(house: House, operation: str) -> None:
    """Recorded: test_describe_execution_invalid_arn, test_start_async_describe_history_execution."""
    missing = "arn:aws:states:us-east-1:000000000000:execution:m:e"
    for arn, code, message in (
        ("nothing", "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nothing'"),
        (EXPRESS_EXECUTION, "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'"),
        (missing, "ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'"),
    ):
        assert await house.refused(operation, executionArn=arn) == (code, message)


async def test_executions_are_listed_newest_first_and_in_pages(house: House) -> None:
    arn = await house.machine(WAIT)
    for number in range(5):
        await house.run(arn, name=f"e{number}")
        await house.clock.advance(1)
    await house.do("StopExecution", executionArn=f"{arn.replace('stateMachine', 'execution')}:e1")
    await house.run(arn, name="same-time")
    names: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = await house.do("ListExecutions", stateMachineArn=arn, maxResults=2, **token)
        names += [each["name"] for each in page["executions"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == ["same-time", "e4", "e3", "e2", "e1", "e0"]
    stopped = await house.do("ListExecutions", stateMachineArn=arn, statusFilter="ABORTED")
    assert [each["name"] for each in stopped["executions"]] == ["e1"]
    assert stopped["executions"][0].keys() == {
        "executionArn", "name", "redriveCount", "startDate", "stateMachineArn", "status", "stopDate",
    }  # fmt: skip
    assert (await house.refused("ListExecutions", stateMachineArn=arn, statusFilter="RUNNING", **token))[
        0
    ] == "InvalidToken"


async def test_lists_need_a_machine_of_the_right_type(house: House) -> None:
    express = await house.machine(name="x", type="EXPRESS")
    standard = await house.machine()
    for params, code in (
        ({}, "ValidationException"),
        ({"stateMachineArn": "invalid"}, "InvalidArn"),
        ({"stateMachineArn": express}, "StateMachineTypeNotSupported"),
        ({"stateMachineArn": standard, "statusFilter": "succeeded"}, "ValidationException"),
        ({"stateMachineArn": standard, "statusFilter": "PENDING_REDRIVE"}, "ValidationException"),
        ({"stateMachineArn": standard, "redriveFilter": "REDRIVEN"}, "ValidationException"),
        ({"stateMachineArn": standard, "maxResults": 1001}, "ValidationException"),
        ({"mapRunArn": "arn:aws:states:us-east-1:000000000000:mapRun:m/l:u"}, "ValidationException"),
    ):
        assert (await house.refused("ListExecutions", **params))[0] == code, params


async def test_stop_is_durable_and_can_be_repeated(house: House) -> None:
    arn = await house.machine(WAIT)
    running = await house.run(arn)
    await house.clock.advance(5)
    stopped = await house.do("StopExecution", executionArn=running["executionArn"], error="Why", cause="because")
    assert stopped == {"stopDate": house.clock.now()}
    await house.clock.advance(5)
    assert await house.do("StopExecution", executionArn=running["executionArn"]) == stopped
    shown = await house.do("DescribeExecution", executionArn=running["executionArn"])
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Why", "because")
    history = await house.do("GetExecutionHistory", executionArn=running["executionArn"])
    assert history["events"][-1]["executionAbortedEventDetails"] == {"error": "Why", "cause": "because"}


# ------------------------------------------------------------------ history


async def whole_history(house: House, arn: str, **params: Any) -> list[Any]:
    events: list[Any] = []
    token: dict[str, Any] = {}
    while True:
        page = await house.do("GetExecutionHistory", executionArn=arn, **params, **token)
        assert len(page["events"]) <= params.get("maxResults", 100)
        events += page["events"]
        if "nextToken" not in page:
            return events
        token = {"nextToken": page["nextToken"]}


async def test_a_history_reads_the_same_in_any_page_size_and_backwards(house: House) -> None:
    arn = await house.machine(SCATTER)
    execution = (await house.run(arn, input="[1,2,3,4]"))["executionArn"]
    running = await whole_history(house, execution)
    await house.clock.advance(2)
    events = await whole_history(house, execution)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[: len(running)] == running
    assert events[-1]["type"] == "ExecutionSucceeded"
    assert [event["type"] for event in events].count("MapIterationSucceeded") == 4
    for size in (1, 3, 7, 1000):
        assert await whole_history(house, execution, maxResults=size) == events
        backward = await whole_history(house, execution, maxResults=size, reverseOrder=True)
        assert backward == events[::-1]


async def test_a_history_without_data_has_no_documents(house: House) -> None:
    arn = await house.machine()
    execution = (await house.run(arn))["executionArn"]
    text = json.dumps(await whole_history(house, execution, includeExecutionData=False))
    assert '"input"' not in text
    assert '"output"' not in text
    assert '"name": "S"' in text


async def test_large_documents_come_in_several_answers(house: House) -> None:
    arn = await house.machine(TASK)
    big = json.dumps("x" * 200_000)
    executions = [(await house.run(arn, input=big))["executionArn"]]
    events = await whole_history(house, executions[0])
    assert events[1]["stateEnteredEventDetails"]["input"] == big
    assert events[-1]["executionSucceededEventDetails"]["output"] == big


async def test_a_token_of_one_history_is_no_token_of_another(house: House) -> None:
    arn = await house.machine()
    one, two = [(await house.run(arn, name=name))["executionArn"] for name in ("a", "b")]
    token = (await house.do("GetExecutionHistory", executionArn=one, maxResults=1))["nextToken"]
    assert (await house.refused("GetExecutionHistory", executionArn=two, nextToken=token))[0] == "InvalidToken"


# ------------------------------------------------------------------ waiting for the end


async def test_a_watcher_hears_of_the_end(house: House) -> None:
    arn = await house.machine(WAIT)
    execution = (await house.run(arn))["executionArn"]
    waiting = asyncio.ensure_future(house.watcher.wait(execution))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await house.clock.advance(61)
    assert (await asyncio.wait_for(waiting, 5))["status"] == "SUCCEEDED"
    assert (await house.watcher.wait(execution))["status"] == "SUCCEEDED"


async def test_a_task_runs_after_its_decision_is_durable_and_finishes_the_execution(house: House) -> None:
    house.runner.answer = lambda call: TaskSucceeded(output=Json({"key": call.key}))
    arn = await house.machine(TASK)
    shown = await house.run(arn)
    assert shown["status"] == "SUCCEEDED"
    assert json.loads(shown["output"]) == {"key": house.runner.calls[0].key}


async def test_a_task_that_repeats_its_call_finds_the_execution_it_started(house: House) -> None:
    """After a crash a task is called again under the same idempotency key, perhaps when the child has long ended."""
    params = {"stateMachineArn": await house.machine(), "name": "child", "input": "{}"}
    first = await house.sfn.call("StartExecution", params, CallContext(idempotency_key="task-1"))
    await house.clock.settle()
    assert await house.sfn.call("StartExecution", params, CallContext(idempotency_key="task-1")) == first
    with pytest.raises(ServiceError, match="ExecutionAlreadyExists"):
        await house.sfn.call("StartExecution", params, CallContext(idempotency_key="task-2"))
