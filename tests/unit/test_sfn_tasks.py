"""Activities, task tokens and tags through the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import House, open_house
from stepwell.engine.journal import Key
from stepwell.engine.tokens import Token
from stepwell.kernel.arns import Scope

ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
GONE = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
INVALID = ("InvalidToken", "Invalid Token: 'Invalid token'")
REVIEW = {
    "StartAt": "T",
    "States": {"T": {"Type": "Task", "Resource": ACTIVITY, "HeartbeatSeconds": 10, "End": True}},
}
CALLBACK = {
    "StartAt": "T",
    "States": {
        "T": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
            "End": True,
        }
    },
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def test_an_activity_is_created_described_and_deleted_again_and_again(house: House) -> None:
    """Recorded: test_create_describe_delete_activity."""
    made = await house.do("CreateActivity", name="a")
    await house.clock.advance(1)
    assert await house.do("CreateActivity", name="a", tags=[{"key": "k", "value": "v"}]) == made
    assert await house.do("DescribeActivity", activityArn=ACTIVITY) == {
        **made,
        "name": "a",
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    assert await house.do("DeleteActivity", activityArn=ACTIVITY) == {}
    assert await house.do("DeleteActivity", activityArn=ACTIVITY) == {}
    missing = ("ActivityDoesNotExist", f"Activity Does Not Exist: '{ACTIVITY}'")
    assert await house.refused("DescribeActivity", activityArn=ACTIVITY) == missing
    assert await house.refused("GetActivityTask", activityArn=ACTIVITY) == missing


@pytest.mark.parametrize("name", ["\x00a", *(f"a{c}b" for c in '"#$&*,/;?\\`<>{}[]%^|~: \t'), "a\x7f", "a\x85"])
async def test_forbidden_characters_in_names(house: House, name: str) -> None:
    """Recorded: test_create_activity_invalid_name."""
    assert await house.refused("CreateActivity", name=name) == ("InvalidName", f"Invalid Name: '{name}'")


@pytest.mark.parametrize("name", ["ACTIVITY_NAME_ABC", "a-b_1.c", "a+b=c!@'()", "\u00fcber"])
async def test_allowed_characters_in_names(house: House, name: str) -> None:
    assert (await house.do("CreateActivity", name=name))["activityArn"].endswith(name)


async def test_activities_are_listed_in_pages(house: House) -> None:
    for name in "cab":
        await house.do("CreateActivity", name=name)
    page = await house.do("ListActivities", maxResults=2)
    rest = await house.do("ListActivities", maxResults=2, nextToken=page["nextToken"])
    assert [a["name"] for a in page["activities"] + rest["activities"]] == ["a", "b", "c"]
    assert "nextToken" not in rest


async def start_review(house: House) -> Any:
    await house.do("CreateActivity", name="a")
    return await house.run(await house.machine(REVIEW), input='{"x": 1}')


async def test_a_worker_gets_the_task_keeps_it_alive_and_finishes_it(house: House) -> None:
    running = await start_review(house)
    task = await house.do("GetActivityTask", activityArn=ACTIVITY, workerName="w")
    assert task["input"] == '{"x": 1}'
    for _ in range(3):
        await house.clock.advance(8)
        assert await house.do("SendTaskHeartbeat", taskToken=task["taskToken"]) == {}
    assert await house.do("SendTaskSuccess", taskToken=task["taskToken"], output='{"y": 2}') == {}
    shown = await house.do("DescribeExecution", executionArn=running["executionArn"])
    assert (shown["status"], shown["output"]) == ("SUCCEEDED", '{"y": 2}')
    for operation, params in (("SendTaskSuccess", {"output": "1"}), ("SendTaskFailure", {}), ("SendTaskHeartbeat", {})):
        assert await house.refused(operation, taskToken=task["taskToken"], **params) == GONE


async def test_a_poll_waits_for_a_task_and_ends_empty_after_a_minute(house: House) -> None:
    await house.do("CreateActivity", name="a")
    poll = asyncio.ensure_future(house.do("GetActivityTask", activityArn=ACTIVITY))
    for _ in range(13):
        await asyncio.sleep(0)
        await house.clock.advance(5)
    assert await asyncio.wait_for(poll, 5) == {}
    poll = asyncio.ensure_future(house.do("GetActivityTask", activityArn=ACTIVITY))
    await asyncio.sleep(0)
    await house.run(await house.machine(REVIEW), input='{"x": 1}')
    assert (await asyncio.wait_for(poll, 5))["input"] == '{"x": 1}'


async def test_a_task_whose_worker_falls_silent_is_over(house: House) -> None:
    running = await start_review(house)
    task = await house.do("GetActivityTask", activityArn=ACTIVITY)
    await house.clock.advance(11)
    assert await house.refused("SendTaskHeartbeat", taskToken=task["taskToken"]) == GONE
    history = await house.do("GetExecutionHistory", executionArn=running["executionArn"])
    assert "ActivityTimedOut" in [event["type"] for event in history["events"]]


async def callback_token(house: House) -> tuple[str, str]:
    running = await house.run(await house.machine(CALLBACK))
    return str(running["executionArn"]), str(house.runner.calls[0].token)


async def test_a_callback_fails_its_task(house: House) -> None:
    execution, token = await callback_token(house)
    await house.do("SendTaskFailure", taskToken=token, error="Nope", cause="no")
    shown = await house.do("DescribeExecution", executionArn=execution)
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Nope", "no")


async def test_a_callback_after_the_end_comes_too_late(house: House) -> None:
    execution, token = await callback_token(house)
    await house.do("StopExecution", executionArn=execution)
    assert await house.refused("SendTaskSuccess", taskToken=token, output="{}") == GONE


async def test_foreign_tokens_and_bad_results_change_nothing(house: House) -> None:
    execution, token = await callback_token(house)
    for bad in ("x", "AAAA", token[:-2], token[:-4] + "AAAA", "\u00e9", token[::-1]):
        assert await house.refused("SendTaskSuccess", taskToken=bad, output="{}") == INVALID
    unknown = house.tokens.make(Token(Key(1, bytes(16)), 1, 1, b"n" * 8))
    assert (await house.refused("SendTaskSuccess", taskToken=unknown, output="{}"))[0] == "TaskDoesNotExist"
    assert (await house.refused("SendTaskSuccess", taskToken=token, output="{"))[0] == "InvalidOutput"
    wide = json.dumps("\u20ac" * 100_000, ensure_ascii=False)
    for output in (wide, '"' + "x" * 262_144 + '"'):
        assert (await house.refused("SendTaskSuccess", taskToken=token, output=output))[0] == "ValidationException"
    for params in ({"error": "e" * 257}, {"cause": "c" * 32_769}):
        assert (await house.refused("SendTaskFailure", taskToken=token, **params))[0] == "ValidationException"
    house.scope = Scope(account="111111111111")
    assert await house.refused("SendTaskSuccess", taskToken=token, output="{}") == INVALID
    house.scope = Scope()
    assert (await house.do("DescribeExecution", executionArn=execution))["status"] == "RUNNING"
    assert await house.do("SendTaskSuccess", taskToken=token, output='"ok"') == {}


# ------------------------------------------------------------------ tags


@pytest.mark.parametrize("kind", ["machine", "activity"])
async def test_tags_are_added_replaced_listed_and_removed(house: House, kind: str) -> None:
    given = [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]
    if kind == "machine":
        arn = await house.machine(tags=given)
    else:
        arn = (await house.do("CreateActivity", name="a", tags=given))["activityArn"]
    assert (await house.do("ListTagsForResource", resourceArn=arn))["tags"] == given
    assert await house.do("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "2"}]) == {}
    assert await house.do("UntagResource", resourceArn=arn, tagKeys=["b", "b", "c"]) == {}
    assert await house.do("UntagResource", resourceArn=arn, tagKeys=[]) == {}
    assert (await house.do("ListTagsForResource", resourceArn=arn))["tags"] == [{"key": "a", "value": "2"}]
    many = [{"key": f"k{n}", "value": ""} for n in range(50)]
    assert (await house.refused("TagResource", resourceArn=arn, tags=many))[0] == "TooManyTags"


async def test_concurrent_tags_do_not_lose_each_other(house: House) -> None:
    arn = await house.machine()
    await asyncio.gather(
        *(house.do("TagResource", resourceArn=arn, tags=[{"key": str(n), "value": ""}]) for n in range(8))
    )
    assert len((await house.do("ListTagsForResource", resourceArn=arn))["tags"]) == 8


async def test_tags_of_nothing(house: House) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:nothing"
    assert (await house.refused("ListTagsForResource", resourceArn=arn))[0] == "ResourceNotFound"
    assert (await house.refused("ListTagsForResource", resourceArn="x"))[0] == "InvalidArn"
    bad = arn.replace("stateMachine", "execution")
    assert (await house.refused("TagResource", resourceArn=bad, tags=[]))[0] == "InvalidArn"
