"""Versions of state machines through the service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, PASS, ROLE, WAIT, House, open_house
from stepwell.engine.association import associated, started_by
from stepwell.kernel.arns import Scope
from stepwell.services.stepfunctions import published
from stepwell.services.stepfunctions.naming import version_number

OTHER: dict[str, Any] = {"Comment": "other", **PASS}
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
EXPRESS: dict[str, Any] = {"type": "EXPRESS"}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def update(house: House, definition: Any, **more: Any) -> Any:
    await house.clock.advance(1)
    return await house.do("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps(definition), **more)


async def numbers(house: House, arn: str = MACHINE) -> list[int]:
    listed = await house.do("ListStateMachineVersions", stateMachineArn=arn)
    return [int(version["stateMachineVersionArn"].rpartition(":")[2]) for version in listed["stateMachineVersions"]]


# ---------------------------------------------------------------------- publish
async def test_a_machine_can_be_created_with_its_first_version(house: House) -> None:
    """Recorded: test_create_publish_describe_with_version_description."""
    made = await house.do(
        "CreateStateMachine",
        name="m",
        definition=json.dumps(PASS),
        roleArn=ROLE,
        publish=True,
        versionDescription="first",
    )
    assert made["stateMachineVersionArn"] == f"{MACHINE}:1"
    described = await house.do("DescribeStateMachine", stateMachineArn=f"{MACHINE}:1")
    assert described == {
        "stateMachineArn": f"{MACHINE}:1",
        "name": "m",
        "status": "ACTIVE",
        "definition": json.dumps(PASS),
        "description": "first",
        "roleArn": ROLE,
        "type": "STANDARD",
        "creationDate": house.clock.now(),
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }
    assert "description" not in await house.do("DescribeStateMachine", stateMachineArn=MACHINE)


async def test_create_is_idempotent_by_publish_and_description_too(house: House) -> None:
    parameters = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE}
    first = await house.do("CreateStateMachine", **parameters, publish=True)
    assert await house.do("CreateStateMachine", **parameters, publish=True) == first
    assert await numbers(house) == [1]
    for other in ({}, {"publish": True, "versionDescription": "d"}):
        assert (await house.refused("CreateStateMachine", **parameters, **other))[0] == "StateMachineAlreadyExists"


@pytest.mark.parametrize("operation", ["CreateStateMachine", "UpdateStateMachine"])
async def test_a_description_needs_a_version_to_describe(house: House, operation: str) -> None:
    """Recorded: test_create_with_version_description_no_publish."""
    place = {"stateMachineArn": await house.machine()} if operation[0] == "U" else {"name": "n", "roleArn": ROLE}
    refusal = await house.refused(operation, **place, definition=json.dumps(OTHER), versionDescription="d")
    assert refusal == ("ValidationException", "Version description can only be set when publish is true")


async def test_publishing_a_revision_again_gives_the_version_it_has(house: House) -> None:
    await house.machine()
    first = await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE, description="d")
    assert first == {"creationDate": house.clock.now(), "stateMachineVersionArn": f"{MACHINE}:1"}
    await house.clock.advance(5)
    assert await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE) == first
    assert await numbers(house) == [1]


async def test_an_update_that_changes_nothing_publishes_once(house: House) -> None:
    """Recorded: test_empty_revision_with_publish_and_no_publish_on_creation; there is no revisionId yet."""
    await house.machine()
    for _ in range(2):
        updated = await update(house, PASS, publish=True)
        assert updated.keys() == {"updateDate", "stateMachineVersionArn"}
        assert updated["stateMachineVersionArn"] == f"{MACHINE}:1"


async def test_each_published_update_is_the_next_version(house: House) -> None:
    await house.machine(publish=True)
    second = await update(house, OTHER, publish=True, versionDescription="two")
    assert second["stateMachineVersionArn"] == f"{MACHINE}:2"
    assert "stateMachineVersionArn" not in await update(house, WAIT)
    third = await update(house, OTHER, publish=True)
    assert third["stateMachineVersionArn"] == f"{MACHINE}:3"
    shown = await house.do("DescribeStateMachine", stateMachineArn=f"{MACHINE}:2")
    assert (shown["revisionId"], shown["description"]) == (second["revisionId"], "two")
    assert await numbers(house) == [3, 2, 1]


async def test_a_version_stays_as_it_was_published(house: House) -> None:
    await house.machine(publish=True)
    await house.do("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps(FAIL), roleArn=f"{ROLE}2")
    version = await house.do("DescribeStateMachine", stateMachineArn=f"{MACHINE}:1")
    assert (version["definition"], version["roleArn"]) == (json.dumps(PASS), ROLE)


async def test_publish_takes_only_the_revision_it_was_told(house: House) -> None:
    await house.machine()
    await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE, revisionId="INITIAL")
    revision = (await update(house, OTHER))["revisionId"]
    for wrong in ("INITIAL", "no"):
        refusal = await house.refused("PublishStateMachineVersion", stateMachineArn=MACHINE, revisionId=wrong)
        assert refusal[0] == "ConflictException"
    made = await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE, revisionId=revision)
    assert made["stateMachineVersionArn"] == f"{MACHINE}:2"


@pytest.mark.parametrize(
    ("arn", "refusal"),
    [
        ("invalid_arn", ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: invalid_arn'")),
        (f"{MACHINE}2", ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{MACHINE}2'")),
        (f"{MACHINE}:1", ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{MACHINE}:1'")),
    ],
)
async def test_only_machines_are_published(house: House, arn: str, refusal: tuple[str, str]) -> None:
    """Recorded: test_publish_state_machine_version_invalid_arn."""
    await house.machine(publish=True)
    assert await house.refused("PublishStateMachineVersion", stateMachineArn=arn) == refusal


async def test_a_version_cannot_be_updated(house: House) -> None:
    """Recorded: test_update_state_machine."""
    await house.machine(publish=True)
    refusal = await house.refused("UpdateStateMachine", stateMachineArn=f"{MACHINE}:1", definition=json.dumps(OTHER))
    assert refusal == ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{MACHINE}:1'")


async def test_there_is_a_limit_of_versions_and_the_refused_update_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "VERSIONS", 1)
    await house.machine(publish=True)
    changed = {"definition": json.dumps(OTHER), "publish": True}
    refusal = await house.refused("UpdateStateMachine", stateMachineArn=MACHINE, **changed)
    assert refusal[0] == "ServiceQuotaExceededException"
    assert (await house.do("DescribeStateMachine", stateMachineArn=MACHINE))["definition"] == json.dumps(PASS)
    await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE)  # has one already
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    await house.do("UpdateStateMachine", stateMachineArn=MACHINE, **changed)
    assert await numbers(house) == [2]


# ---------------------------------------------------------------------- delete, list
async def test_a_number_is_never_given_twice(house: House) -> None:
    """Recorded: test_version_ids_between_deletions."""
    await house.machine(publish=True)
    await update(house, OTHER, publish=True)
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:2")
    assert await numbers(house) == [1]
    made = await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE)
    assert made["stateMachineVersionArn"] == f"{MACHINE}:3"


async def test_deleting_an_older_version_keeps_the_latest_one(house: House) -> None:
    await house.machine(publish=True)
    await update(house, OTHER, publish=True)
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    made = await house.do("PublishStateMachineVersion", stateMachineArn=MACHINE)
    assert made["stateMachineVersionArn"] == f"{MACHINE}:2"


async def test_deleting_a_version_that_is_not_there_is_well(house: House) -> None:
    await house.machine(publish=True)
    for arn in (f"{MACHINE}:7", f"{MACHINE}x:1", MACHINE.replace("us-east-1", "eu-west-1") + ":1"):
        assert await house.do("DeleteStateMachineVersion", stateMachineVersionArn=arn) == {}
    assert await numbers(house) == [1]


@pytest.mark.parametrize("arn", [MACHINE, f"{MACHINE}:PROD", f"{MACHINE}:01", "nonsense"])
async def test_only_a_version_can_be_deleted_as_one(house: House, arn: str) -> None:
    assert (await house.refused("DeleteStateMachineVersion", stateMachineVersionArn=arn))[0] == "InvalidArn"


async def test_versions_are_listed_newest_first_page_by_page(house: House) -> None:
    """Recorded: test_list_state_machine_versions_pagination; two digits sort as numbers."""
    await house.machine(publish=True)
    await house.machine(name="m2", publish=True)
    for n in range(2, 13):
        await update(house, {**PASS, "Comment": str(n)}, publish=True)
    pages: list[list[int]] = []
    token: dict[str, str] = {}
    while True:
        page = await house.do("ListStateMachineVersions", stateMachineArn=MACHINE, maxResults=5, **token)
        pages.append([int(v["stateMachineVersionArn"].rpartition(":")[2]) for v in page["stateMachineVersions"]])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]


async def test_a_machine_that_is_not_there_has_no_versions(house: House) -> None:
    assert await numbers(house) == []
    assert (await house.refused("ListStateMachineVersions", stateMachineArn="x"))[0] == "InvalidArn"


async def test_a_bad_page_token_is_refused(house: House) -> None:
    await house.machine(publish=True)
    refusal = await house.refused("ListStateMachineVersions", stateMachineArn=MACHINE, nextToken="x")
    assert refusal == ("InvalidToken", "Invalid Token: 'Invalid token'")


async def test_a_machine_takes_its_versions_with_it(house: House) -> None:
    await house.machine(publish=True)
    await house.do("DeleteStateMachine", stateMachineArn=MACHINE)
    assert await numbers(house) == []
    await house.machine(OTHER, publish=True)
    assert await numbers(house) == [1]


async def test_a_machine_that_is_being_deleted_publishes_nothing(house: House) -> None:
    await house.machine(WAIT, publish=True)
    run = await house.run(f"{MACHINE}:1")
    await house.do("DeleteStateMachine", stateMachineArn=MACHINE)
    assert await numbers(house) == []
    refusal = await house.refused("PublishStateMachineVersion", stateMachineArn=MACHINE)
    assert refusal == ("StateMachineDeleting", f"State Machine is being deleted: '{MACHINE}'")
    assert (await house.refused("StartExecution", stateMachineArn=f"{MACHINE}:1"))[0] == "StateMachineDeleting"
    await house.clock.advance(60)
    shown = await house.do("DescribeExecution", executionArn=run["executionArn"])
    assert (shown["status"], shown["stateMachineVersionArn"]) == ("SUCCEEDED", f"{MACHINE}:1")


# ---------------------------------------------------------------------- executions
async def test_an_execution_of_a_version_runs_what_was_published(house: House) -> None:
    await house.machine(publish=True)
    await update(house, FAIL, roleArn=f"{ROLE}2")
    run = await house.run(f"{MACHINE}:1", name="e")
    assert (run["status"], run["stateMachineArn"]) == ("SUCCEEDED", MACHINE)
    assert run["stateMachineVersionArn"] == f"{MACHINE}:1"
    assert "stateMachineAliasArn" not in run
    assert run["executionArn"].endswith(":execution:m:e")
    history = await house.do("GetExecutionHistory", executionArn=run["executionArn"])
    started = history["events"][0]["executionStartedEventDetails"]
    assert (started["stateMachineVersionArn"], started["roleArn"]) == (f"{MACHINE}:1", ROLE)


async def test_an_unqualified_start_is_of_no_version(house: House) -> None:
    await house.machine(publish=True)
    run = await house.run(MACHINE)
    assert not {"stateMachineVersionArn", "stateMachineAliasArn"} & run.keys()


async def test_the_machine_of_an_execution_is_the_version_it_ran(house: House) -> None:
    """Recorded: test_describe_state_machine_for_execution_of_version; also when the version is gone."""
    await house.machine(publish=True)
    await update(house, PASS, roleArn=f"{ROLE}2")
    run = await house.run(f"{MACHINE}:1")
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    shown = await house.do("DescribeStateMachineForExecution", executionArn=run["executionArn"])
    assert (shown["stateMachineArn"], shown["roleArn"]) == (MACHINE, ROLE)
    assert "revisionId" not in shown


@pytest.mark.parametrize("qualifier", ["2", "01", "PROD", "1:1", ""])
async def test_what_is_not_there_is_not_started(house: House, qualifier: str) -> None:
    await house.machine(publish=True)
    code = "InvalidArn" if qualifier == "" else "StateMachineDoesNotExist"
    for operation in ("StartExecution", "DescribeStateMachine"):
        assert (await house.refused(operation, stateMachineArn=f"{MACHINE}:{qualifier}"))[0] == code


async def test_a_deleted_version_is_not_started_again(house: House) -> None:
    """Not even from memory."""
    await house.machine(publish=True)
    await house.run(f"{MACHINE}:1")
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    refusal = await house.refused("StartExecution", stateMachineArn=f"{MACHINE}:1")
    assert refusal == ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{MACHINE}:1'")


async def test_executions_are_listed_by_version(house: House) -> None:
    await house.machine(publish=True)
    await update(house, OTHER, publish=True)
    for at, arn in enumerate((f"{MACHINE}:1", MACHINE, f"{MACHINE}:2", f"{MACHINE}:1")):
        await house.clock.advance(1)
        await house.run(arn, name=str(at))

    async def listed(arn: str, **more: Any) -> list[str]:
        answer = await house.do("ListExecutions", stateMachineArn=arn, **more)
        return [execution["name"] for execution in answer["executions"]]

    assert await listed(MACHINE) == ["3", "2", "1", "0"]
    assert await listed(f"{MACHINE}:1") == ["3", "0"]
    assert await listed(f"{MACHINE}:2", statusFilter="SUCCEEDED") == ["2"]
    assert await listed(f"{MACHINE}:2", statusFilter="FAILED") == []
    first = await house.do("ListExecutions", stateMachineArn=f"{MACHINE}:1", maxResults=1)
    assert first["executions"][0]["stateMachineVersionArn"] == f"{MACHINE}:1"
    assert await listed(f"{MACHINE}:1", maxResults=1, nextToken=first["nextToken"]) == ["0"]
    refusal = await house.refused("ListExecutions", stateMachineArn=f"{MACHINE}:3")
    assert refusal == ("ResourceNotFound", "Request references a resource that does not exist.")


async def test_a_rare_version_is_looked_for_on_several_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that looked long enough ends early and says where to go on."""
    monkeypatch.setattr("stepwell.services.stepfunctions.listing.AT_ONCE", 2)
    monkeypatch.setattr("stepwell.services.stepfunctions.listing.LOOKED_AT", 4)
    await house.machine(publish=True)
    await house.run(f"{MACHINE}:1", name="old")
    for at in range(6):
        await house.clock.advance(1)
        await house.run(MACHINE, name=str(at))
    empty = await house.do("ListExecutions", stateMachineArn=f"{MACHINE}:1")
    assert empty["executions"] == []
    found = await house.do("ListExecutions", stateMachineArn=f"{MACHINE}:1", nextToken=empty["nextToken"])
    assert [execution["name"] for execution in found["executions"]] == ["old"]
    assert "nextToken" not in found


async def test_an_express_version_answers_at_once(house: House) -> None:
    await house.machine(publish=True, **EXPRESS)
    await update(house, FAIL)
    answer = await house.do("StartSyncExecution", stateMachineArn=f"{MACHINE}:1")
    assert (answer["status"], answer["stateMachineArn"]) == ("SUCCEEDED", MACHINE)
    assert ":express:m:" in answer["executionArn"]
    started = await house.do("StartExecution", stateMachineArn=f"{MACHINE}:1")
    assert ":express:m:" in started["executionArn"]


# ---------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("qualifier", "number"),
    [("1", 1), ("1000", 1000), ("0", None), ("01", None), ("-1", None), ("²", None), ("PROD", None), (None, None)],
)
def test_a_version_number_is_written_in_one_way(qualifier: str | None, number: int | None) -> None:
    assert version_number(qualifier) == number


@pytest.mark.parametrize("alias", [None, "PROD", "a.b-c_1"])
def test_what_an_execution_keeps_tells_version_and_alias(alias: str | None) -> None:
    machine = Scope().states("stateMachine:m")
    expected = {"stateMachineVersionArn": f"{machine}:12"}
    if alias is not None:
        expected["stateMachineAliasArn"] = f"{machine}:{alias}"
    assert associated(started_by(machine, alias, 12)) == expected
    assert associated(None) == {}
