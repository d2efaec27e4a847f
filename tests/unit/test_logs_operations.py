"""The operations of CloudWatch Logs on an in-memory database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import House, open_house
from stepwell.kernel.errors import ServiceError
from stepwell.services.logs import Retention

DAY = 86_400_000


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def refused(house: House, operation: str, **params: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        await house.log(operation, **params)
    return f"{caught.value.code}: {caught.value.message}"


async def filled(house: House, *messages: str, stream: str = "s") -> int:
    """A group ``g`` with a stream of these messages, a second apart; the time of the first."""
    for operation, params in (
        ("CreateLogGroup", {"logGroupName": "g"}),
        ("CreateLogStream", {"logGroupName": "g", "logStreamName": stream}),
    ):
        if operation != "CreateLogGroup" or await house.shelf.find(house.scope, "g") is None:
            await house.log(operation, **params)
    first = house.shelf.now()
    events = [{"timestamp": first + 1000 * n, "message": message} for n, message in enumerate(messages)]
    await house.log("PutLogEvents", logGroupName="g", logStreamName=stream, logEvents=events)
    return first


class TestGroups:
    async def test_a_group_is_made_described_and_deleted(self, house: House) -> None:
        await house.log("CreateLogGroup", logGroupName="/a/b", tags={"k": "v"})
        arn = "arn:aws:logs:us-east-1:000000000000:log-group:/a/b"
        assert await house.log("DescribeLogGroups", logGroupNamePrefix="/a") == {
            "logGroups": [
                {
                    "logGroupName": "/a/b",
                    "creationTime": house.shelf.now(),
                    "metricFilterCount": 0,
                    "arn": f"{arn}:*",
                    "storedBytes": 0,
                    "logGroupClass": "STANDARD",
                    "logGroupArn": arn,
                }
            ]
        }
        exists = "ResourceAlreadyExistsException: The specified log group already exists"
        assert await refused(house, "CreateLogGroup", logGroupName="/a/b") == exists
        await house.log("DeleteLogGroup", logGroupName="/a/b")
        missing = "ResourceNotFoundException: The specified log group does not exist."
        assert await refused(house, "DeleteLogGroup", logGroupName="/a/b") == missing
        assert await house.log("DescribeLogGroups") == {"logGroups": []}

    async def test_groups_are_listed_by_name_in_pages_and_by_pattern(self, house: House) -> None:
        for name in ("b/x", "a/x", "c", "a/y"):
            await house.log("CreateLogGroup", logGroupName=name)
        first = await house.log("DescribeLogGroups", limit=3)
        assert [g["logGroupName"] for g in first["logGroups"]] == ["a/x", "a/y", "b/x"]
        rest = await house.log("DescribeLogGroups", limit=3, nextToken=first["nextToken"])
        assert [g["logGroupName"] for g in rest["logGroups"]] == ["c"]
        assert "nextToken" not in rest
        found = (await house.log("DescribeLogGroups", logGroupNamePattern="/x"))["logGroups"]
        assert [sorted(g) for g in found] == [["arn", "creationTime", "logGroupName"]] * 2
        both = await refused(house, "DescribeLogGroups", logGroupNamePattern="x", logGroupNamePrefix="y")
        assert both.startswith("InvalidParameterException")
        assert (await refused(house, "DescribeLogGroups", nextToken="nonsense")).startswith("InvalidParameter")

    async def test_a_retention_is_one_of_those_aws_knows(self, house: House) -> None:
        await house.log("CreateLogGroup", logGroupName="g")
        await house.log("PutRetentionPolicy", logGroupName="g", retentionInDays=7)
        assert (await house.log("DescribeLogGroups"))["logGroups"][0]["retentionInDays"] == 7
        await house.log("DeleteRetentionPolicy", logGroupName="g")
        assert "retentionInDays" not in (await house.log("DescribeLogGroups"))["logGroups"][0]
        assert "enum value set" in await refused(house, "PutRetentionPolicy", logGroupName="g", retentionInDays=2)
        assert (await refused(house, "PutRetentionPolicy", logGroupName="h", retentionInDays=1)).startswith("ResourceN")

    async def test_tags(self, house: House) -> None:
        await house.log("CreateLogGroup", logGroupName="g", tags={"a": "1", "b": "2"})
        arn = (await house.log("DescribeLogGroups"))["logGroups"][0]["logGroupArn"]
        await house.log("TagResource", resourceArn=arn, tags={"b": "3", "c": "4"})
        await house.log("UntagResource", resourceArn=arn, tagKeys=["a"])
        assert await house.log("ListTagsForResource", resourceArn=arn) == {"tags": {"b": "3", "c": "4"}}
        assert (await refused(house, "ListTagsForResource", resourceArn=arn + "x")).startswith("ResourceNotFound")

    async def test_what_is_not_supported_is_refused_by_name(self, house: House) -> None:
        assert "kmsKeyId" in await refused(house, "CreateLogGroup", logGroupName="g", kmsKeyId="k")
        assert "DELIVERY" in await refused(house, "CreateLogGroup", logGroupName="g", logGroupClass="DELIVERY")
        assert "StartQuery" in await refused(house, "StartQuery", startTime=0, endTime=1, queryString="x")


class TestStreams:
    async def test_a_stream_shows_its_times_once_it_has_events(self, house: House) -> None:
        first = await filled(house, "a", "b")
        await house.log("CreateLogStream", logGroupName="g", logStreamName="empty")
        empty, full = (await house.log("DescribeLogStreams", logGroupName="g"))["logStreams"]
        arn = "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:"
        assert empty == {"logStreamName": "empty", "creationTime": first, "arn": f"{arn}empty", "storedBytes": 0}
        assert full == {
            "logStreamName": "s",
            "creationTime": first,
            "arn": f"{arn}s",
            "storedBytes": 0,
            "firstEventTimestamp": first,
            "lastEventTimestamp": first + 1000,
            "lastIngestionTime": first,
        }

    async def test_streams_come_in_pages_either_way(self, house: House) -> None:
        for name in ("a", "c", "b"):
            await filled(house, name, stream=name)
            await house.clock.advance(1)
        for order, expected in (("LogStreamName", ["c", "b", "a"]), ("LastEventTime", ["b", "c", "a"])):
            seen: list[str] = []
            more: dict[str, Any] = {}
            while True:
                page = await house.log(
                    "DescribeLogStreams", logGroupIdentifier="g", orderBy=order, descending=True, limit=1, **more
                )
                seen += [stream["logStreamName"] for stream in page["logStreams"]]
                if "nextToken" not in page:
                    break
                more = {"nextToken": page["nextToken"]}
            assert seen == expected
        wrong = {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}
        assert "LastEventTime" in await refused(house, "DescribeLogStreams", logGroupName="g", **wrong)

    async def test_a_deleted_stream_is_gone_with_its_events(self, house: House) -> None:
        await filled(house, "a")
        taken = "ResourceAlreadyExistsException: The specified log stream already exists"
        assert await refused(house, "CreateLogStream", logGroupName="g", logStreamName="s") == taken
        await house.log("DeleteLogStream", logGroupName="g", logStreamName="s")
        missing = "ResourceNotFoundException: The specified log stream does not exist."
        assert await refused(house, "GetLogEvents", logGroupName="g", logStreamName="s") == missing
        assert (await house.log("FilterLogEvents", logGroupName="g"))["events"] == []

    async def test_a_group_is_named_once(self, house: House) -> None:
        await filled(house, "a")
        both = {"logGroupName": "g", "logGroupIdentifier": "g"}
        assert (await refused(house, "DescribeLogStreams", **both)).startswith("InvalidParameterException")
        assert (await refused(house, "DescribeLogStreams")).startswith("InvalidParameterException")
        arn = (await house.log("DescribeLogGroups"))["logGroups"][0]["logGroupArn"]
        assert len((await house.log("DescribeLogStreams", logGroupIdentifier=arn))["logStreams"]) == 1


class TestReading:
    async def get(self, house: House, **params: Any) -> tuple[list[str], str, str]:
        answer = await house.log("GetLogEvents", logGroupName="g", logStreamName="s", **params)
        shown = [event["message"] for event in answer["events"]]
        return shown, answer["nextForwardToken"], answer["nextBackwardToken"]

    async def test_the_newest_events_come_first_but_in_order_and_tokens_lead_both_ways(self, house: House) -> None:
        await filled(house, *"abcdef")
        shown, forward, backward = await self.get(house, limit=2)
        assert shown == ["e", "f"]
        assert await self.get(house, nextToken=forward) == ([], forward, forward.replace("f/", "b/"))
        shown, forward, backward = await self.get(house, limit=2, nextToken=backward)
        assert shown == ["c", "d"]
        assert (await self.get(house, limit=9, nextToken=forward))[0] == ["e", "f"]
        shown, _, backward = await self.get(house, nextToken=backward)
        assert shown == ["a", "b"]
        assert (await self.get(house, nextToken=backward))[2] == backward

    async def test_from_the_head_and_what_comes_later(self, house: House) -> None:
        first = await filled(house, *"abc")
        shown, forward, _ = await self.get(house, startFromHead=True, startTime=first + 1000)
        assert shown == ["b", "c"]
        later = [{"timestamp": first + 9000, "message": "d"}]
        await house.log("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=later)
        assert (await self.get(house, nextToken=forward))[0] == ["d"]
        assert (await self.get(house, startFromHead=True, endTime=first + 2000))[0] == ["a", "b"]
        assert (await refused(house, "GetLogEvents", logGroupName="g", logStreamName="s", nextToken="x")).startswith(
            "InvalidParameterException: The specified nextToken is invalid."
        )

    async def test_an_answer_is_at_most_a_megabyte(self, house: House) -> None:
        await filled(house, *("x" * 300_000 for _ in range(3)))
        more = [{"timestamp": house.shelf.now(), "message": "y" * 300_000}]
        await house.log("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=more)
        shown, forward, _ = await self.get(house, startFromHead=True)
        assert len(shown) == 3
        assert len((await self.get(house, nextToken=forward))[0]) == 1

    async def test_filter_searches_all_streams_by_pattern_time_and_name(self, house: House) -> None:
        first = await filled(house, "a 1", "b 1", "a 2", stream="s")
        await filled(house, "a 3", "c 3", stream="t")

        async def found(**params: Any) -> list[str]:
            answer = await house.log("FilterLogEvents", logGroupName="g", **params)
            return [event["message"] for event in answer["events"]]

        assert await found(filterPattern="a") == ["a 1", "a 3", "a 2"]
        assert await found(filterPattern="a", startFromHead=False) == ["a 2", "a 3", "a 1"]
        assert await found(logStreamNames=["t"]) == ["a 3", "c 3"]
        assert await found(logStreamNames=["t", "s"], endTime=first) == ["a 1", "a 3"]
        assert await found(logStreamNamePrefix="s") == ["a 1", "b 1", "a 2"]
        assert (await refused(house, "FilterLogEvents", logGroupName="g", logStreamNames=["u"])).startswith("Resource")
        both = {"logStreamNames": ["s"], "logStreamNamePrefix": "s"}
        assert (await refused(house, "FilterLogEvents", logGroupName="g", **both)).startswith("InvalidParameter")

    async def test_filter_comes_in_pages_with_ids(self, house: House) -> None:
        await filled(house, *"abcde")
        for head in (True, False):
            seen: list[Any] = []
            more: dict[str, Any] = {"startFromHead": head}
            while True:
                page = await house.log("FilterLogEvents", logGroupName="g", limit=2, **more)
                seen += page["events"]
                if "nextToken" not in page:
                    break
                more = {"nextToken": page["nextToken"]}
            assert "".join(event["message"] for event in seen) == ("abcde" if head else "edcba")
            assert len({event["eventId"] for event in seen}) == 5
            assert all(len(event["eventId"]) == 56 for event in seen)


class TestWriting:
    async def test_events_too_old_or_too_new_are_left_out_and_named(self, house: House) -> None:
        await filled(house, "x")
        await house.log("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
        now = house.shelf.now()

        async def put(*times: int) -> Any:
            events = [{"timestamp": time, "message": f"{time}"} for time in times]
            answer = await house.log("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)
            return answer.get("rejectedLogEventsInfo")

        assert await put(now) is None
        assert await put(now - 15 * DAY) == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 1}
        assert await put(now - DAY - 1, now - DAY) == {"expiredLogEventEndIndex": 1}
        assert await put(now, now + 7_200_001) == {"tooNewLogEventStartIndex": 1}
        assert len((await house.log("FilterLogEvents", logGroupName="g"))["events"]) == 4

    @pytest.mark.parametrize(
        ("times", "size", "why"),
        [([2, 1], 1, "chronological"), ([0, DAY + 1], 1, "24 hours"), ([1, 2], 600_000, "too large")],
    )
    async def test_a_batch_has_its_limits(self, house: House, times: list[int], size: int, why: str) -> None:
        await filled(house, "x")
        events = [{"timestamp": time, "message": "x" * size} for time in times]
        assert why in await refused(house, "PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)


class TestRetention:
    async def test_old_events_and_deleted_groups_go_in_the_background(self, house: House) -> None:
        await filled(house, "old")
        await house.log("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
        await house.clock.advance(DAY / 1000 + 1)
        now = house.shelf.now()
        await house.log(
            "PutLogEvents", logGroupName="g", logStreamName="s", logEvents=[{"timestamp": now, "message": "new"}]
        )
        await Retention(house.shelf).sweep()
        events = (await house.log("FilterLogEvents", logGroupName="g"))["events"]
        assert [event["message"] for event in events] == ["new"]
        group = await house.shelf.group(house.scope, "g")
        await house.log("DeleteLogGroup", logGroupName="g")
        await Retention(house.shelf).sweep()
        assert await house.shelf.store.streams(group.id, limit=1) == []
        await house.log("CreateLogGroup", logGroupName="g")
        assert (await house.log("DescribeLogStreams", logGroupName="g"))["logStreams"] == []
