"""Express executions through the service: synchronous, asynchronous, and after a crash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, PASS, WAIT, House, open_house
from stepwell.engine.express import Kept
from stepwell.engine.journal import PARTITIONS
from stepwell.kernel.errors import StorageUnavailable
from stepwell.services.stepfunctions import AcknowledgedExpress

TASK = {
    "StartAt": "T",
    "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "Next": "W"},
        **WAIT["States"],
    },
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(limit=3) as opened:
        yield opened


async def kept(house: House) -> list[Kept]:
    return await AcknowledgedExpress(house.storage.documents).kept(None, 100)


async def test_a_synchronous_execution_answers_with_its_output(house: House) -> None:
    """Recorded: express sync test_base[BASE_PASS_RESULT]."""
    arn = await house.machine(type="EXPRESS")
    answer = await house.do("StartSyncExecution", stateMachineArn=arn, name="n", input="{}", traceHeader="Root=1")
    execution = answer.pop("executionArn")
    assert execution.startswith("arn:aws:states:us-east-1:000000000000:express:m:n:")
    assert answer == {
        "stateMachineArn": arn,
        "name": "n",
        "startDate": house.clock.now(),
        "stopDate": house.clock.now(),
        "status": "SUCCEEDED",
        "input": "{}",
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "traceHeader": "Root=1",
        "billingDetails": {"billedDurationInMilliseconds": 100, "billedMemoryUsedInMB": 64},
    }


async def test_a_failed_one_answers_with_error_and_cause_and_no_output(house: House) -> None:
    """Recorded: express sync test_base[BASE_RAISE_FAILURE]."""
    arn = await house.machine(FAIL, type="EXPRESS")
    answer = await house.do("StartSyncExecution", stateMachineArn=arn)
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "C")
    assert "output" not in answer
    assert answer["outputDetails"] == {"included": True}


async def test_time_is_billed_in_steps_and_ends_after_five_minutes(house: House) -> None:
    short = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}}}
    long = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 900, "End": True}}}
    answers = []
    for name, definition in (("short", short), ("long", long), ("bounded", {**long, "TimeoutSeconds": 7})):
        arn = await house.machine(definition, name=name, type="EXPRESS")
        call = asyncio.ensure_future(house.do("StartSyncExecution", stateMachineArn=arn))
        while not house.express.in_flight:
            await asyncio.sleep(0)
        await house.clock.advance(400)
        answers.append(await asyncio.wait_for(call, 5))
    assert [a["status"] for a in answers] == ["SUCCEEDED", "TIMED_OUT", "TIMED_OUT"]
    assert [a["billingDetails"]["billedDurationInMilliseconds"] for a in answers] == [2_000, 300_000, 7_000]


async def test_a_synchronous_execution_of_a_known_machine_touches_no_database(house: House) -> None:
    arn = await house.machine(type="EXPRESS")
    await house.do("StartSyncExecution", stateMachineArn=arn)
    touched: list[str] = []
    database: Any = house.storage.database
    read, submit = database.read, database.submit

    def watched(name: str, *params: Any) -> Any:
        touched.append(name)
        return read(name, *params)

    def watched_write(unit: Any) -> Any:
        touched.append("write")
        return submit(unit)

    database.read, database.submit = watched, watched_write
    await house.do("StartSyncExecution", stateMachineArn=arn, input='{"x": 1}')
    assert touched == []


async def test_standard_machines_are_not_run_synchronously(house: House) -> None:
    arn = await house.machine()
    assert await house.refused("StartSyncExecution", stateMachineArn=arn) == (
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )


async def test_an_asynchronous_execution_is_kept_until_it_ends(house: House) -> None:
    arn = await house.machine(TASK, type="EXPRESS")
    started = await house.do("StartExecution", stateMachineArn=arn, name="n", input='{"q": 1}')
    assert started["executionArn"].startswith("arn:aws:states:us-east-1:000000000000:express:m:n:")
    assert [k.body["arn"] for k in await kept(house)] == [started["executionArn"]]
    again = await house.do("StartExecution", stateMachineArn=arn, name="n", input='{"q": 1}')
    assert again["executionArn"] != started["executionArn"]
    await house.clock.advance(61)
    assert await kept(house) == []
    assert house.express.in_flight == 0
    assert len(house.runner.calls) == 2


async def test_after_a_crash_it_runs_again_from_its_start_under_the_same_arn(house: House) -> None:
    arn = await house.machine(TASK, type="EXPRESS")
    started = await house.do("StartExecution", stateMachineArn=arn, input='{"q": 1}')
    await house.clock.settle()
    await house.express.shut_down(0)
    assert len(await kept(house)) == 1
    back = House(house.storage, house.clock, seed=8)
    assert await back.express.recover(range(PARTITIONS)) == 1
    assert await back.express.recover(range(PARTITIONS)) == 0
    await house.clock.advance(61)
    assert await kept(house) == []
    first, second = house.runner.calls[0], back.runner.calls[0]
    assert first.execution_arn == second.execution_arn == started["executionArn"]
    assert first.parameters == second.parameters
    assert first.key != second.key


async def test_only_partitions_that_were_gained_are_recovered(house: House) -> None:
    arn = await house.machine(WAIT, type="EXPRESS")
    await house.do("StartExecution", stateMachineArn=arn)
    await house.express.shut_down(0)
    (left,) = await kept(house)
    pid = int(left.place[:3])
    back = House(house.storage, house.clock, seed=8)
    assert await back.express.recover(set(range(PARTITIONS)) - {pid}) == 0
    assert await back.express.sweep() == 0
    await house.clock.advance(361)
    assert await back.express.sweep() == 1
    await back.express.shut_down(0)


async def test_what_ends_while_a_recovery_reads_is_not_run_again(house: House) -> None:
    arn = await house.machine(TASK, type="EXPRESS")
    await house.do("StartExecution", stateMachineArn=arn)
    store: Any = house.express._store
    read = store.kept

    async def slow(after: str | None, limit: int) -> list[Kept]:
        found: list[Kept] = await read(after, limit)
        await house.clock.advance(61)
        return found

    store.kept = slow
    assert await house.express.recover(range(PARTITIONS)) == 0
    assert len(house.runner.calls) == 1


async def test_a_start_that_was_not_written_does_not_run(house: House) -> None:
    arn = await house.machine(TASK, type="EXPRESS")

    async def full(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("disk full")

    documents: Any = house.storage.documents
    write, documents.write = documents.write, full
    with pytest.raises(StorageUnavailable):
        await house.do("StartExecution", stateMachineArn=arn)
    documents.write = write
    await house.clock.advance(100)
    assert house.runner.calls == []
    assert house.express.in_flight == 0


async def test_the_end_is_written_when_the_database_is_back(house: House) -> None:
    arn = await house.machine(PASS, type="EXPRESS")
    store: Any = house.express._store
    forget, failures = store.forget, [2]

    async def sometimes(place: str) -> None:
        if failures[0]:
            failures[0] -= 1
            raise StorageUnavailable("disk full")
        await forget(place)

    store.forget = sometimes
    house.clock.settlers[:] = []
    await house.do("StartExecution", stateMachineArn=arn)
    for _ in range(20):
        await asyncio.sleep(0)
        await house.clock.advance(1)
    assert failures == [0]
    assert await kept(house) == []


async def test_beyond_the_limit_callers_are_throttled(house: House) -> None:
    arn = await house.machine(WAIT, type="EXPRESS")
    for _ in range(3):
        await house.do("StartExecution", stateMachineArn=arn)
    for operation in ("StartExecution", "StartSyncExecution"):
        assert (await house.refused(operation, stateMachineArn=arn))[0] == "ThrottlingException"
    await house.clock.advance(61)
    await house.do("StartExecution", stateMachineArn=arn)


async def test_bad_input_and_names_are_refused_before_anything_runs(house: House) -> None:
    arn = await house.machine(TASK, type="EXPRESS")
    for operation in ("StartExecution", "StartSyncExecution"):
        assert (await house.refused(operation, stateMachineArn=arn, input="{"))[0] == "InvalidExecutionInput"
        assert (await house.refused(operation, stateMachineArn=arn, name="a b"))[0] == "InvalidName"
    assert house.runner.calls == []
    assert await kept(house) == []


async def test_activities_and_callbacks_are_refused_in_express_machines(house: House) -> None:
    """Recorded: test_illegal_activity_task."""
    task = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:a", "End": True}
    text = json.dumps({"StartAt": "T", "States": {"T": task}})
    refused = await house.refused(
        "CreateStateMachine", name="m", definition=text, roleArn="arn:aws:iam::000000000000:role/r", type="EXPRESS"
    )
    assert refused == (
        "InvalidDefinition",
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support Activity "
        "ARN at /States/T/Resource'",
    )
