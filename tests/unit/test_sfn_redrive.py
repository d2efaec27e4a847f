"""RedriveExecution through the service: what it refuses, what it answers, and what the other operations then show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, WAIT, House, open_house
from stepwell.engine.tasks import TaskCall, TaskFailed, TaskOutcome, TaskSucceeded
from stepwell.kernel.jsontext import Json

DAY = 86_400
TASK: dict[str, Any] = {
    "StartAt": "T",
    "States": {"T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": True}},
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


def fails_until(house: House, calls: int) -> None:
    """All calls of tasks fail before the one with this number (counted from 1)."""

    def answer(_call: TaskCall) -> TaskOutcome:
        well = len(house.runner.calls) >= calls
        return TaskSucceeded(output=Json(1)) if well else TaskFailed(error="E", cause="c")

    house.runner.answer = answer


async def test_a_redriven_execution_runs_again_under_its_arn(house: House) -> None:
    fails_until(house, 2)
    failed = await house.run(await house.machine(TASK), name="e")
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    await house.clock.advance(5)
    answer = await house.do("RedriveExecution", executionArn=failed["executionArn"])
    assert answer == {"redriveDate": house.clock.now()}
    await house.clock.settle()
    shown = await house.do("DescribeExecution", executionArn=failed["executionArn"])
    assert (shown["status"], shown["output"], shown["startDate"]) == ("SUCCEEDED", "1", failed["startDate"])
    assert shown["stopDate"] == failed["stopDate"] + 5
    assert (shown["redriveCount"], shown["redriveDate"]) == (1, answer["redriveDate"])
    assert shown["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert not {"error", "cause"} & shown.keys()
    history = await house.do("GetExecutionHistory", executionArn=failed["executionArn"])
    redriven = [event for event in history["events"] if event["type"] == "ExecutionRedriven"]
    assert [event["executionRedrivenEventDetails"] for event in redriven] == [{"redriveCount": 1}]
    listed = await house.do("ListExecutions", stateMachineArn=failed["stateMachineArn"])
    assert [(row["redriveCount"], row["redriveDate"]) for row in listed["executions"]] == [(1, answer["redriveDate"])]


async def test_while_it_runs_again_nothing_is_left_of_its_end(house: House) -> None:
    """And it is listed among the running ones, once."""
    arn = await house.machine(WAIT)
    started = await house.do("StartExecution", stateMachineArn=arn)
    await house.do("StopExecution", **_of(started), error="E", cause="c")
    await house.do("RedriveExecution", **_of(started))
    shown = await house.do("DescribeExecution", **_of(started))
    assert shown["status"] == "RUNNING"
    assert not {"error", "cause", "stopDate"} & shown.keys()
    assert shown["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    running = await house.do("ListExecutions", stateMachineArn=arn, statusFilter="RUNNING")
    aborted = await house.do("ListExecutions", stateMachineArn=arn, statusFilter="ABORTED")
    assert (len(running["executions"]), aborted["executions"]) == (1, [])
    await house.clock.advance(61)
    assert (await house.do("DescribeExecution", **_of(started)))["status"] == "SUCCEEDED"


async def test_what_cannot_be_redriven_is_refused_with_the_reason_that_describing_gives(house: House) -> None:
    arn = await house.machine(WAIT)
    started = await house.do("StartExecution", stateMachineArn=arn)
    await _refused_as_described(house, started, "Execution is RUNNING and cannot be redriven")
    await house.clock.advance(61)
    await _refused_as_described(house, started, "Execution is SUCCEEDED and cannot be redriven")
    failed = await house.run(await house.machine(FAIL, name="f"))
    await house.clock.advance(14 * DAY)
    await house.do("RedriveExecution", **_of(failed))
    await house.clock.advance(14 * DAY + 1)
    await _refused_as_described(house, failed, "Execution redrivable period exceeded")


async def test_after_a_year_it_cannot_be_redriven(house: House) -> None:
    failed = await house.run(await house.machine(FAIL))
    for _ in range(27):
        await house.clock.advance(13.5 * DAY)
        await house.do("RedriveExecution", **_of(failed))
    await house.clock.advance(DAY)
    await _refused_as_described(house, failed, "Execution has exceeded the max execution time")


async def test_an_execution_of_a_machine_that_is_gone_cannot_be_redriven(house: House) -> None:
    arn = await house.machine(FAIL)
    failed = await house.run(arn)
    await house.do("DeleteStateMachine", stateMachineArn=arn)
    await _refused_as_described(house, failed, "State machine is in DELETING status")


async def test_unknown_and_express_executions_are_refused(house: House) -> None:
    unknown = "arn:aws:states:us-east-1:000000000000:execution:m:nobody"
    code, _ = await house.refused("RedriveExecution", executionArn=unknown)
    assert code == "ExecutionDoesNotExist"
    express = "arn:aws:states:us-east-1:000000000000:express:m:n:u"
    assert (await house.refused("RedriveExecution", executionArn=express))[0] == "InvalidArn"


async def test_the_same_client_token_gets_the_same_answer_for_15_minutes(house: House) -> None:
    arn = await house.machine(TASK)
    fails_until(house, 99)
    failed = await house.run(arn)
    first = await house.do("RedriveExecution", **_of(failed), clientToken="a")
    await house.clock.advance(60)
    assert await house.do("RedriveExecution", **_of(failed), clientToken="a") == first
    second = await house.do("RedriveExecution", **_of(failed), clientToken="b")
    assert second["redriveDate"] == first["redriveDate"] + 60
    assert await house.do("RedriveExecution", **_of(failed), clientToken="a") == first
    await house.clock.advance(900)
    third = await house.do("RedriveExecution", **_of(failed), clientToken="a")
    assert third["redriveDate"] == house.clock.now()
    assert (await house.do("DescribeExecution", **_of(failed)))["redriveCount"] == 3


async def test_of_many_redrives_at_once_one_counts(house: House) -> None:
    """Those with its client token get its answer, the others are refused."""
    started = await house.do("StartExecution", stateMachineArn=await house.machine(WAIT))
    await house.do("StopExecution", **_of(started))
    calls = [house.do("RedriveExecution", **_of(started), clientToken=token) for token in "aabbc"]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    good = [answer for answer in answers if isinstance(answer, dict)]
    assert good
    assert all(answer == {"redriveDate": house.clock.now()} for answer in good)
    refused = [answer for answer in answers if not isinstance(answer, dict)]
    assert all("ExecutionNotRedrivable: Execution is RUNNING" in str(error) for error in refused)
    assert len(refused) >= 3
    assert (await house.do("DescribeExecution", **_of(started)))["redriveCount"] == 1


async def test_it_keeps_the_definition_it_started_with(house: House) -> None:
    arn = await house.machine(TASK)
    fails_until(house, 2)
    failed = await house.run(arn)
    await house.do("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(WAIT))
    await house.do("RedriveExecution", **_of(failed))
    await house.clock.settle()
    assert (await house.do("DescribeExecution", **_of(failed)))["output"] == "1"


async def test_subscribers_hear_that_it_runs_again(house: House) -> None:
    heard: list[tuple[str, int]] = []

    async def subscriber(change: dict[str, Any]) -> None:
        heard.append((change["status"], change["redriveCount"]))

    house.worker.status.subscribe(subscriber)
    started = await house.do("StartExecution", stateMachineArn=await house.machine(WAIT))
    await house.do("StopExecution", **_of(started))
    await house.do("RedriveExecution", **_of(started))
    async with asyncio.timeout(5):
        while len(heard) < 3:
            await asyncio.sleep(0)
    assert heard == [("RUNNING", 0), ("ABORTED", 0), ("RUNNING", 1)]


def _of(execution: dict[str, Any]) -> dict[str, Any]:
    return {"executionArn": execution["executionArn"]}


async def _refused_as_described(house: House, execution: dict[str, Any], reason: str) -> None:
    shown = await house.do("DescribeExecution", **_of(execution))
    assert (shown["redriveStatus"], shown["redriveStatusReason"]) == ("NOT_REDRIVABLE", reason)
    assert await house.refused("RedriveExecution", **_of(execution)) == ("ExecutionNotRedrivable", reason)
