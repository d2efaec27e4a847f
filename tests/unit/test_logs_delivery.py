"""Logs of executions: what is delivered at which level, to where, and what becomes of what cannot be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from sfn_house import FAIL, PASS, WAIT, House, open_house
from stepwell.engine.events import FORMS
from stepwell.engine.execution_log import DOCUMENT_BYTES, ERROR, FATAL, record, tail
from stepwell.kernel.errors import StorageError, StorageUnavailable
from stepwell.kernel.jsontext import Json
from stepwell.services.logs import Destinations, delivery
from stepwell.storage.units import Unit

ARN = "arn:aws:logs:us-east-1:000000000000:log-group:g:*"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """With a log group ``g``."""
    async with open_house(logs=True) as opened:
        await opened.log("CreateLogGroup", logGroupName="g")
        yield opened


def to(level: str, *, data: bool = False, arn: str = ARN) -> dict[str, Any]:
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]
    return {"level": level, "includeExecutionData": data, "destinations": destinations}


async def records(house: House, group: str = "g") -> list[Any]:
    found = await house.log("FilterLogEvents", logGroupName=group, logStreamNamePrefix="states/")
    return [json.loads(event["message"]) for event in found["events"]]


class TestRecords:
    async def test_a_standard_execution_is_logged_event_by_event(self, house: House) -> None:
        """Recorded: test_logs test_base[pass_result.json5_ALL_True]."""
        arn = await house.machine(loggingConfiguration=to("ALL", data=True))
        started = await house.run(arn, input='{"x": 1}', name="n")
        at = str(house.shelf.now())
        await house.clock.advance(1)
        common = {"event_timestamp": at, "execution_arn": started["executionArn"], "redrive_count": "0"}
        whole = {"truncated": False}
        assert await records(house) == [
            {"id": number, "type": kind, "previous_event_id": previous, "details": details, **common}
            for number, kind, previous, details in (
                (
                    "1",
                    "ExecutionStarted",
                    "0",
                    {"input": '{"x": 1}', "inputDetails": whole, "roleArn": "arn:aws:iam::000000000000:role/r"},
                ),
                ("2", "PassStateEntered", "0", {"name": "S", "input": '{"x": 1}', "inputDetails": whole}),
                ("3", "PassStateExited", "2", {"name": "S", "output": '{"a":1}', "outputDetails": whole}),
                ("4", "ExecutionSucceeded", "3", {"output": '{"a":1}', "outputDetails": whole}),
            )
        ]

    async def test_without_data_documents_and_variables_are_left_out(self, house: House) -> None:
        """Recorded: test_base[pass_result.json5_ALL_False]; that variables are data is assumed."""
        definition = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Assign": {"v": 1}, "End": True}}}
        arn = await house.machine(definition, loggingConfiguration=to("ALL"))
        await house.run(arn)
        await house.clock.advance(1)
        role = {"roleArn": "arn:aws:iam::000000000000:role/r"}
        assert [r["details"] for r in await records(house)] == [role, {"name": "S"}, {"name": "S"}, {}]

    @pytest.mark.parametrize(
        ("level", "types"),
        [("OFF", []), ("FATAL", ["ExecutionFailed"]), ("ERROR", ["FailStateEntered", "ExecutionFailed"])],
    )
    @pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
    async def test_a_level_logs_its_types(self, house: House, kind: str, level: str, types: list[str]) -> None:
        arn = await house.machine(FAIL, type=kind, loggingConfiguration=to(level))
        await house.do("StartExecution", stateMachineArn=arn)
        await house.clock.advance(1)
        assert [r["type"] for r in await records(house)] == types

    async def test_a_synchronous_express_execution_is_logged_after_its_answer(self, house: House) -> None:
        arn = await house.machine(type="EXPRESS", loggingConfiguration=to("ALL"))
        answer = await house.do("StartSyncExecution", stateMachineArn=arn)
        assert await records(house) == []
        await house.clock.advance(1)
        found = await records(house)
        assert [r["id"] for r in found] == ["1", "2", "3", "4"]
        assert {r["execution_arn"] for r in found} == {answer["executionArn"]}

    def test_the_levels_name_types_there_are(self) -> None:
        assert FATAL <= ERROR
        later = {"LambdaFunctionScheduleFailed", "LambdaFunctionStartFailed", "MapRunAborted", "MapRunFailed"}
        assert ERROR - later - {"TaskStartFailed"} <= FORMS.keys()

    def test_a_document_that_is_too_long_when_escaped_is_cut(self) -> None:
        long = Json('"' * DOCUMENT_BYTES)
        short = Json("x" * (DOCUMENT_BYTES - 10))
        for document, cut in ((long, True), (short, False)):
            event = (2, 0, 1.0, "PassStateEntered", {"name": "S", "input": document})
            details = json.loads(record(event, tail("arn", 0), data=True))["details"]
            assert details["inputDetails"] == {"truncated": cut}
            assert len(json.dumps(details["input"])) - 2 <= DOCUMENT_BYTES
            assert document.text.startswith(details["input"])

    def test_a_lone_surrogate_becomes_a_question_mark(self) -> None:
        event = (3, 2, 1.0, "ExecutionFailed", {"error": "E", "cause": "\ud800"})
        assert json.loads(record(event, tail("arn", 2), data=True)) == {
            "id": "3",
            "type": "ExecutionFailed",
            "details": {"error": "E", "cause": "?"},
            "previous_event_id": "2",
            "event_timestamp": "1000",
            "execution_arn": "arn",
            "redrive_count": "2",
        }


class TestStreams:
    async def test_executions_of_a_machine_share_a_stream_for_an_hour(self, house: House) -> None:
        arn = await house.machine(loggingConfiguration=to("ALL"))
        for _ in range(2):
            await house.run(arn)
            await house.clock.advance(1)
        await house.clock.advance(3600)
        await house.run(arn)
        await house.clock.advance(1)
        streams = (await house.log("DescribeLogStreams", logGroupName="g", logStreamNamePrefix="states/"))["logStreams"]
        first, second = (stream["logStreamName"] for stream in streams)
        assert first.startswith("states/m/2026-01-01-00-00/")
        assert second.startswith("states/m/2026-01-01-01-00/")
        assert len(first) == len("states/m/2026-01-01-00-00/") + 8
        assert len(await records(house)) == 12

    async def test_a_stream_that_somebody_deleted_is_made_anew(self, house: House) -> None:
        arn = await house.machine(loggingConfiguration=to("FATAL"), definition=FAIL)
        for left in (1, 1):
            await house.run(arn)
            await house.clock.advance(1)
            assert len(await records(house)) == left
            names = await house.log("DescribeLogStreams", logGroupName="g", logStreamNamePrefix="states/")
            await house.log("DeleteLogStream", logGroupName="g", logStreamName=names["logStreams"][0]["logStreamName"])

    async def test_a_group_made_anew_gets_what_happens_from_then_on(self, house: House) -> None:
        arn = await house.machine(FAIL, loggingConfiguration=to("FATAL"))
        for expected in (1, 1):
            await house.run(arn)
            await house.clock.advance(1)
            assert len(await records(house)) == expected
            await house.log("DeleteLogGroup", logGroupName="g")
            await house.run(arn)
            await house.clock.advance(1)
            await house.log("CreateLogGroup", logGroupName="g")
        assert house.delivery.dropped == 2


class TestDestinations:
    @pytest.mark.parametrize(
        "arn",
        [
            "arn:aws:logs:us-east-1:000000000000:log-group:h:*",
            "arn:aws:logs:eu-west-1:000000000000:log-group:g:*",
            "arn:aws:logs:us-east-1:111111111111:log-group:g:*",
            "arn:aws:logs:us-east-1:000000000000:log-group:g",
        ],
    )
    async def test_a_group_that_is_not_there_is_refused(self, house: House, arn: str) -> None:
        """Recorded: test_deleted_log_group. Other regions and accounts: assumed."""
        code, message = await house.refused(
            "CreateStateMachine",
            name="m",
            definition=json.dumps(PASS),
            roleArn="arn:aws:iam::000000000000:role/r",
            loggingConfiguration=to("ALL", arn=arn),
        )
        assert (code, message) == (
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Log Destination not found.",
        )
        machine = await house.machine()
        update = await house.refused(
            "UpdateStateMachine", stateMachineArn=machine, loggingConfiguration=to("ALL", arn=arn)
        )
        assert update[0] == code

    async def test_a_destination_gets_a_trial_message_once(self, house: House) -> None:
        for name in ("a", "b"):
            await house.machine(name=name, loggingConfiguration=to("ALL"))
        found = (await house.log("FilterLogEvents", logGroupName="g"))["events"]
        assert [e["logStreamName"] for e in found] == [
            "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
        ]

    async def test_no_group_is_found_when_another_server_is_cloudwatch_logs(self, house: House) -> None:
        with pytest.raises(Exception, match=r"unset the setting endpoints\.logs"):
            await Destinations(house.shelf, here=False).admit(house.scope, ARN)


class TestTrouble:
    async def test_an_execution_keeps_its_plan_when_its_machine_changes_and_when_it_is_loaded_again(
        self, house: House
    ) -> None:
        arn = await house.machine(WAIT, loggingConfiguration=to("ALL"))
        started = await house.run(arn)
        await house.do("UpdateStateMachine", stateMachineArn=arn, loggingConfiguration={"level": "OFF"})
        house.worker.release(range(256))  # what is in memory is gone
        await house.worker.recover()
        await house.clock.advance(120)
        described = await house.do("DescribeExecution", executionArn=started["executionArn"])
        assert described["status"] == "SUCCEEDED"
        assert [r["id"] for r in await records(house)] == ["1", "2", "3", "4"]

    async def test_an_acknowledged_express_execution_is_logged_when_it_runs_again(self, house: House) -> None:
        arn = await house.machine(WAIT, type="EXPRESS", loggingConfiguration=to("FATAL"))
        await house.do("StartExecution", stateMachineArn=arn)
        await house.express.shut_down(0)
        other = House(house.storage, house.clock, logs=True, seed=8)
        long = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 900, "End": True}}}
        assert await other.express.recover(range(256)) == 1
        await other.clock.advance(1)
        assert await records(other) == []
        arn = await other.machine(long, name="long", type="EXPRESS", loggingConfiguration=to("FATAL"))
        await other.do("StartExecution", stateMachineArn=arn)
        await other.express.shut_down(0)
        third = House(house.storage, house.clock, logs=True, seed=9)
        assert await third.express.recover(range(256)) == 2
        await third.clock.advance(400)
        assert [r["type"] for r in await records(third)] == ["ExecutionTimedOut"]

    async def test_what_the_buffer_cannot_hold_is_dropped_and_counted(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivery, "BUFFER_BYTES", 3_000)  # 4 records are about 1,800
        arn = await house.machine(type="EXPRESS", loggingConfiguration=to("ALL", data=True))
        for _ in range(5):
            await house.do("StartSyncExecution", stateMachineArn=arn)
            await house.delivery.settle()
        assert house.delivery.dropped == 12
        await house.clock.advance(1)
        assert len(await records(house)) == 8
        await house.do("StartSyncExecution", stateMachineArn=arn)
        await house.delivery.close()
        assert len(await records(house)) == 12

    async def test_records_wait_while_the_database_cannot_be_written_to(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = await house.machine(type="EXPRESS", loggingConfiguration=to("ALL"))
        submit, down = house.storage.database.submit, True

        def failing(unit: Unit) -> Awaitable[None]:
            if not down:
                return submit(unit)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_exception(StorageUnavailable("disk full"))
            return done

        monkeypatch.setattr(house.storage.database, "submit", failing)
        await house.do("StartSyncExecution", stateMachineArn=arn)
        await house.clock.advance(5)
        down = False
        assert await records(house) == []
        await house.clock.advance(5)
        assert len(await records(house)) == 4
        assert house.delivery.dropped == 0

    async def test_records_the_database_refuses_or_that_are_left_at_the_end_are_counted(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = await house.machine(type="EXPRESS", loggingConfiguration=to("ALL"))
        error: Exception = StorageError("no")

        def failing(unit: Unit) -> Awaitable[None]:
            del unit
            raise error

        monkeypatch.setattr(house.storage.database, "submit", failing)
        await house.do("StartSyncExecution", stateMachineArn=arn)
        await house.clock.advance(5)
        assert house.delivery.dropped == 4
        error = StorageUnavailable("down")
        await house.do("StartSyncExecution", stateMachineArn=arn)
        await house.delivery.close()
        assert house.delivery.dropped == 8
