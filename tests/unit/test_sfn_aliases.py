"""Aliases of state machines through the service."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, PASS, WAIT, House, open_house
from stepwell.kernel.arns import Scope
from stepwell.services.stepfunctions import aliases
from stepwell.services.stepfunctions.published import PublishedStore, VersionRecord

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
PROD = f"{MACHINE}:PROD"
NOT_THERE = ("ResourceNotFound", "Request references a resource that does not exist.")
CONFLICT = (
    "ConflictException",
    "Failed to create alias because an alias with the same name and a different routing configuration already exists.",
)


def routes(*shares: tuple[Any, int]) -> list[dict[str, Any]]:
    """A number stands for that version of the machine."""
    return [
        {"stateMachineVersionArn": f"{MACHINE}:{version}" if isinstance(version, int) else version, "weight": weight}
        for version, weight in shares
    ]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """With a machine of two versions."""
    async with open_house() as opened:
        await opened.machine(publish=True)
        await opened.clock.advance(1)
        await opened.do(
            "UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps({"Comment": "2", **PASS}), publish=True
        )
        yield opened


async def create(house: House, *shares: tuple[Any, int], name: str = "PROD", **more: Any) -> Any:
    return await house.do("CreateStateMachineAlias", name=name, routingConfiguration=routes(*shares), **more)


async def names(house: House, arn: str = MACHINE, **more: Any) -> list[str]:
    listed = await house.do("ListStateMachineAliases", stateMachineArn=arn, **more)
    return [alias["stateMachineAliasArn"].rpartition(":")[2] for alias in listed["stateMachineAliases"]]


# ---------------------------------------------------------------------- create
async def test_an_alias_is_described_as_it_was_made(house: House) -> None:
    """Recorded: test_delete_version_with_alias."""
    made = await create(house, (1, 70), (2, 30), description="live")
    assert made == {"stateMachineAliasArn": PROD, "creationDate": house.clock.now()}
    assert await house.do("DescribeStateMachineAlias", stateMachineAliasArn=PROD) == {
        "stateMachineAliasArn": PROD,
        "name": "PROD",
        "description": "live",
        "routingConfiguration": routes((1, 70), (2, 30)),
        "creationDate": house.clock.now(),
        "updateDate": house.clock.now(),
    }


async def test_create_is_idempotent_and_else_a_conflict(house: House) -> None:
    """Recorded: test_error_create_alias_not_idempotent."""
    made = await create(house, (1, 100), description="d")
    await house.clock.advance(5)
    assert await create(house, (1, 100), description="d") == made
    parameters = {"name": "PROD", "routingConfiguration": routes((1, 100))}
    assert await house.refused("CreateStateMachineAlias", **parameters) == CONFLICT
    parameters = {"name": "PROD", "description": "d", "routingConfiguration": routes((1, 50), (2, 50))}
    assert await house.refused("CreateStateMachineAlias", **parameters) == CONFLICT


@pytest.mark.parametrize(
    ("shares", "code", "text"),
    [
        ([(1, 70), (2, 29)], "ValidationException", "weights must equal 100. Received: [70, 29]"),
        ([(1, 50)], "ValidationException", "Received: [50]"),
        ([(1, 101)], "ValidationException", "Member must have value less than or equal to 100"),
        ([(1, 50), (1, 50)], "ValidationException", "different versions"),
        ([(MACHINE, 100)], "ValidationException", "only have ARNs of state machine versions"),
        ([(PROD, 100)], "ValidationException", "only have ARNs of state machine versions"),
        ([(1, 50), (f"{MACHINE}2:1", 50)], "ValidationException", "same state machine"),
        ([("nonsense", 100)], "InvalidArn", "Invalid ARN prefix: nonsense"),
        ([(3, 100)], *NOT_THERE),
        ([(f"{MACHINE}2:1", 100)], *NOT_THERE),
        ([(f"{MACHINE}:1".replace("us-east-1", "eu-west-1"), 100)], *NOT_THERE),
        ([], "ValidationException", "routingConfiguration"),
    ],
)
async def test_routes_that_lead_nowhere_are_refused(
    house: House, shares: list[tuple[Any, int]], code: str, text: str
) -> None:
    refusal = await house.refused("CreateStateMachineAlias", name="PROD", routingConfiguration=routes(*shares))
    assert refusal[0] == code
    assert text in refusal[1]
    assert await names(house) == []


@pytest.mark.parametrize("name", ["1", "12", "a b", "a:b", "x" * 81, ""])
async def test_a_name_that_could_be_a_version_is_refused(house: House, name: str) -> None:
    refusal = await house.refused("CreateStateMachineAlias", name=name, routingConfiguration=routes((1, 100)))
    assert refusal[0] == "ValidationException"


async def test_there_is_a_limit_of_aliases(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aliases, "ALIASES", 1)
    await create(house, (1, 100))
    parameters = {"name": "TEST", "routingConfiguration": routes((1, 100))}
    assert (await house.refused("CreateStateMachineAlias", **parameters))[0] == "ServiceQuotaExceededException"
    await create(house, (1, 100))  # the one that is there
    await house.do("DeleteStateMachineAlias", stateMachineAliasArn=PROD)
    await house.do("CreateStateMachineAlias", **parameters)


# ---------------------------------------------------------------------- update, delete, list
async def test_an_update_changes_what_it_names(house: House) -> None:
    made = await create(house, (1, 100), description="d")
    await house.clock.advance(3)
    updated = await house.do(
        "UpdateStateMachineAlias", stateMachineAliasArn=PROD, routingConfiguration=routes((2, 90), (1, 10))
    )
    assert updated == {"updateDate": house.clock.now()}
    await house.clock.advance(3)
    await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, description="e")
    shown = await house.do("DescribeStateMachineAlias", stateMachineAliasArn=PROD)
    assert (shown["creationDate"], shown["updateDate"]) == (made["creationDate"], house.clock.now())
    assert (shown["description"], shown["routingConfiguration"]) == ("e", routes((2, 90), (1, 10)))
    await house.clock.advance(3)
    again = await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, description="e")
    assert again == {"updateDate": shown["updateDate"]}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "ValidationException"),
        ({"routingConfiguration": routes((1, 99))}, "ValidationException"),
        ({"routingConfiguration": routes((f"{MACHINE}2:1", 100))}, "ValidationException"),
        ({"routingConfiguration": routes((9, 100))}, "ResourceNotFound"),
    ],
)
async def test_a_bad_update_changes_nothing(house: House, params: dict[str, Any], code: str) -> None:
    await create(house, (1, 100))
    before = await house.do("DescribeStateMachineAlias", stateMachineAliasArn=PROD)
    assert (await house.refused("UpdateStateMachineAlias", stateMachineAliasArn=PROD, **params))[0] == code
    assert await house.do("DescribeStateMachineAlias", stateMachineAliasArn=PROD) == before


@pytest.mark.parametrize(
    "operation", ["UpdateStateMachineAlias", "DescribeStateMachineAlias", "DeleteStateMachineAlias"]
)
@pytest.mark.parametrize(
    ("arn", "refusal"),
    [
        (PROD, NOT_THERE),
        (f"{MACHINE}2:PROD", NOT_THERE),
        (PROD.replace("us-east-1", "eu-west-1"), NOT_THERE),
        (MACHINE, ("InvalidArn", f"Invalid Arn: 'Not the ARN of a state machine alias: {MACHINE}'")),
        (f"{MACHINE}:1", ("InvalidArn", f"Invalid Arn: 'Not the ARN of a state machine alias: {MACHINE}:1'")),
        ("x", ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: x'")),
    ],
)
async def test_what_is_no_alias_is_refused(house: House, operation: str, arn: str, refusal: tuple[str, str]) -> None:
    """Recorded: test_update_no_such_alias_arn."""
    more = {"description": "d"} if operation[0] == "U" else {}
    assert await house.refused(operation, stateMachineAliasArn=arn, **more) == refusal


async def test_aliases_are_listed_and_deleted_one_by_one(house: House) -> None:
    """Recorded: test_base_lifecycle_create_delete_list."""
    for name in ("A-0", "A-1", "A-2"):
        await create(house, (1, 100), name=name)
    assert await names(house) == ["A-0", "A-1", "A-2"]
    await house.do("DeleteStateMachineAlias", stateMachineAliasArn=f"{MACHINE}:A-0")
    assert await names(house) == ["A-1", "A-2"]
    first = await house.do("ListStateMachineAliases", stateMachineArn=MACHINE, maxResults=1)
    assert await names(house, nextToken=first["nextToken"]) == ["A-2"]
    assert (await house.refused("ListStateMachineAliases", stateMachineArn=MACHINE, nextToken="x"))[0] == "InvalidToken"


async def test_aliases_are_listed_by_the_version_they_lead_to(house: House) -> None:
    await create(house, (1, 100), name="ONE")
    await create(house, (1, 0), (2, 100), name="TWO")
    assert await names(house, f"{MACHINE}:1") == ["ONE", "TWO"]
    assert await names(house, f"{MACHINE}:2") == ["TWO"]
    assert await house.refused("ListStateMachineAliases", stateMachineArn=f"{MACHINE}:3") == NOT_THERE
    for arn in (f"{MACHINE}2", f"{MACHINE}:ONE"):
        assert (await house.refused("ListStateMachineAliases", stateMachineArn=arn))[0] == "StateMachineDoesNotExist"


async def test_a_version_in_use_cannot_be_deleted(house: House) -> None:
    """Recorded: test_delete_version_with_alias. A weight of 0 is a use too."""
    await create(house, (1, 0), (2, 100))
    await create(house, (1, 100), name="TEST")
    refusal = await house.refused("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    assert refusal == (
        "ConflictException",
        "Version to be deleted must not be referenced by an alias. "
        "Current list of aliases referencing this version: [PROD, TEST]",
    )
    await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, routingConfiguration=routes((2, 100)))
    await house.do("DeleteStateMachineAlias", stateMachineAliasArn=f"{MACHINE}:TEST")
    await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")


async def test_a_machine_takes_its_aliases_with_it(house: House) -> None:
    await create(house, (1, 100))
    await house.do("DeleteStateMachine", stateMachineArn=MACHINE)
    assert await house.refused("DescribeStateMachineAlias", stateMachineAliasArn=PROD) == NOT_THERE
    await house.machine(publish=True)
    assert await names(house) == []


async def test_a_machine_that_is_being_deleted_gets_no_alias(house: House) -> None:
    await house.do("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps(WAIT), publish=True)
    await house.run(f"{MACHINE}:3")
    await house.do("DeleteStateMachine", stateMachineArn=MACHINE)
    parameters = {"name": "PROD", "routingConfiguration": routes((3, 100))}
    assert (await house.refused("CreateStateMachineAlias", **parameters))[0] == "StateMachineDeleting"
    assert (await house.refused("ListStateMachineAliases", stateMachineArn=MACHINE))[0] == "StateMachineDeleting"


# ---------------------------------------------------------------------- executions
async def test_an_execution_by_alias_has_alias_and_version(house: House) -> None:
    await create(house, (2, 100))
    run = await house.run(PROD)
    expected = {"stateMachineArn": MACHINE, "stateMachineAliasArn": PROD, "stateMachineVersionArn": f"{MACHINE}:2"}
    assert expected.items() <= run.items()
    listed = await house.do("ListExecutions", stateMachineArn=MACHINE)
    assert expected.items() <= listed["executions"][0].items()
    history = await house.do("GetExecutionHistory", executionArn=run["executionArn"])
    started = history["events"][0]["executionStartedEventDetails"]
    assert (started["stateMachineAliasArn"], started["stateMachineVersionArn"]) == (PROD, f"{MACHINE}:2")


async def test_executions_are_spread_by_weight(house: House) -> None:
    """The choices of a seeded source of randomness, 200 of them."""
    await create(house, (1, 80), (2, 20))
    runs = [await house.run(PROD) for _ in range(200)]
    counts = Counter(run["stateMachineVersionArn"] for run in runs)
    assert 140 < counts[f"{MACHINE}:1"] < 180
    assert counts.total() == 200
    assert counts.keys() == {f"{MACHINE}:1", f"{MACHINE}:2"}


@pytest.mark.parametrize("shares", [[(1, 0), (2, 100)], [(2, 100), (1, 0)]])
async def test_a_weight_of_nothing_is_never_taken(house: House, shares: list[tuple[Any, int]]) -> None:
    await create(house, *shares)
    runs = [await house.run(PROD) for _ in range(30)]
    assert {run["stateMachineVersionArn"] for run in runs} == {f"{MACHINE}:2"}


async def test_an_updated_alias_leads_elsewhere_at_once(house: House) -> None:
    """Here; another server may follow the old routes for 250 ms."""
    await create(house, (1, 100))
    assert (await house.run(PROD))["stateMachineVersionArn"] == f"{MACHINE}:1"
    await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, routingConfiguration=routes((2, 100)))
    assert (await house.run(PROD))["stateMachineVersionArn"] == f"{MACHINE}:2"
    await house.do("DeleteStateMachineAlias", stateMachineAliasArn=PROD)
    assert (await house.refused("StartExecution", stateMachineArn=PROD))[0] == "StateMachineDoesNotExist"


async def test_the_same_start_again_is_the_same_execution_whatever_the_choice(house: House) -> None:
    await house.do("UpdateStateMachine", stateMachineArn=MACHINE, definition=json.dumps(WAIT), publish=True)
    await create(house, (3, 100))
    first = await house.do("StartExecution", stateMachineArn=PROD, name="e", input="{}")
    await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, routingConfiguration=routes((1, 100)))
    assert await house.do("StartExecution", stateMachineArn=PROD, name="e", input="{}") == first
    assert (await house.run(f"{MACHINE}:1", name="f"))["status"] == "SUCCEEDED"


async def test_executions_are_listed_by_alias(house: House) -> None:
    await create(house, (1, 100))
    await create(house, (1, 100), name="TEST")
    for name, arn in (("a", PROD), ("b", f"{MACHINE}:TEST"), ("c", f"{MACHINE}:1")):
        await house.clock.advance(1)
        await house.run(arn, name=name)

    async def listed(arn: str) -> list[str]:
        answer = await house.do("ListExecutions", stateMachineArn=arn)
        return [execution["name"] for execution in answer["executions"]]

    assert await listed(PROD) == ["a"]
    assert await listed(f"{MACHINE}:1") == ["c", "b", "a"]
    assert await house.refused("ListExecutions", stateMachineArn=f"{MACHINE}:NONE") == NOT_THERE


async def test_an_alias_is_described_as_the_version_most_executions_go_to(house: House) -> None:
    await create(house, (1, 20), (2, 80))
    shown = await house.do("DescribeStateMachine", stateMachineArn=PROD)
    assert shown["stateMachineArn"] == f"{MACHINE}:2"


async def test_an_express_machine_runs_by_alias(house: House) -> None:
    arn = await house.machine(name="x", type="EXPRESS", publish=True)
    await house.do("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(FAIL))
    await create(house, (f"{arn}:1", 100), name="LIVE")
    assert (await house.do("StartSyncExecution", stateMachineArn=f"{arn}:LIVE"))["status"] == "SUCCEEDED"


async def test_an_alias_that_moves_while_it_is_read_is_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version was deleted after the alias was read and led to it: the alias leads elsewhere by then."""
    await create(house, (1, 100))
    read = PublishedStore.version
    calls: list[int] = []

    async def version(self: PublishedStore, scope: Scope, machine: str, number: int) -> VersionRecord | None:
        calls.append(number)
        monkeypatch.setattr(PublishedStore, "version", read)
        await house.do("UpdateStateMachineAlias", stateMachineAliasArn=PROD, routingConfiguration=routes((2, 100)))
        await house.do("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
        return await read(self, scope, machine, number)

    monkeypatch.setattr(PublishedStore, "version", version)
    assert (await house.run(PROD))["stateMachineVersionArn"] == f"{MACHINE}:2"
    assert calls == [1]
