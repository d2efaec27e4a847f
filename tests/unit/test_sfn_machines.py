"""State machines through the service: create, update, delete, describe, list, validate."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sfn_house import FAIL, PASS, ROLE, WAIT, House, open_house
from stepwell.kernel.arns import Scope

LOGGING = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [
        {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/g:*"}}
    ],
}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


async def test_a_new_machine_is_described_as_aws_does(house: House) -> None:
    """Recorded: test_create_describe_delete; there is no revisionId before the first update."""
    arn = await house.machine()
    assert arn == "arn:aws:states:us-east-1:000000000000:stateMachine:m"
    assert await house.do("DescribeStateMachine", stateMachineArn=arn) == {
        "stateMachineArn": arn,
        "name": "m",
        "status": "ACTIVE",
        "definition": json.dumps(PASS),
        "roleArn": ROLE,
        "type": "STANDARD",
        "creationDate": house.clock.now(),
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }


async def test_metadata_only_withholds_the_definition(house: House) -> None:
    arn = await house.machine()
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn, includedData="METADATA_ONLY")
    assert shown["definition"] == "{}"


async def test_create_is_idempotent_but_for_role_and_tags(house: House) -> None:
    first = await house.do("CreateStateMachine", name="m", definition=json.dumps(PASS), roleArn=ROLE)
    await house.clock.advance(5)
    again = await house.do(
        "CreateStateMachine",
        name="m",
        definition=json.dumps(PASS),
        roleArn=ROLE + "2",
        type="STANDARD",
        tags=[{"key": "k", "value": "v"}],
        encryptionConfiguration={"type": "AWS_OWNED_KEY"},
    )
    assert again == first
    assert (await house.do("DescribeStateMachine", stateMachineArn=first["stateMachineArn"]))["roleArn"] == ROLE


@pytest.mark.parametrize(
    "other",
    [
        {"definition": json.dumps(PASS, indent=2)},
        {"definition": json.dumps(FAIL)},
        {"type": "EXPRESS"},
        {"tracingConfiguration": {"enabled": True}},
        {"loggingConfiguration": LOGGING},
    ],
)
async def test_another_machine_of_the_same_name_is_refused(house: House, other: dict[str, Any]) -> None:
    """Recorded: test_create_duplicate_sm_name, test_create_duplicate_definition_format_sm."""
    arn = await house.machine()
    params = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE, **other}
    code, message = await house.refused("CreateStateMachine", **params)
    assert (code, message) == ("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")


async def test_an_update_makes_a_revision_and_an_empty_one_does_not(house: House) -> None:
    """Recorded: test_create_update_state_machine_base_*, test_update_logging_configuration."""
    arn = await house.machine()
    await house.clock.advance(1)
    same = await house.do("UpdateStateMachine", stateMachineArn=arn, roleArn=ROLE)
    assert same == {"updateDate": house.clock.now()}
    new = await house.do("UpdateStateMachine", stateMachineArn=arn, roleArn=ROLE + "2", definition=json.dumps(FAIL))
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn)
    assert shown["revisionId"] == new["revisionId"]
    assert (shown["roleArn"], shown["definition"]) == (ROLE + "2", json.dumps(FAIL))
    again = await house.do("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(FAIL))
    assert again["revisionId"] == new["revisionId"]


async def test_an_update_needs_something_to_update(house: House) -> None:
    arn = await house.machine()
    code, message = await house.refused("UpdateStateMachine", stateMachineArn=arn)
    assert code == "MissingRequiredParameter"
    assert message.startswith("Either the definition, the role ARN, the LoggingConfiguration, or the Tracing")


async def test_the_next_execution_runs_the_updated_definition(house: House) -> None:
    """An update drops the machine from the memory of this server at once."""
    arn = await house.machine()
    assert (await house.run(arn))["status"] == "SUCCEEDED"
    await house.do("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(FAIL))
    assert (await house.run(arn))["status"] == "FAILED"


async def test_another_servers_update_is_seen_after_a_quarter_of_a_second(house: House) -> None:
    arn = await house.machine()
    assert (await house.run(arn))["status"] == "SUCCEEDED"
    other = House(house.storage, house.clock)
    await other.do("UpdateStateMachine", stateMachineArn=arn, definition=json.dumps(FAIL))
    house.clock.settlers[:] = [house.worker.settle]
    assert (await house.run(arn))["status"] == "SUCCEEDED"
    await house.clock.advance(0.3)
    assert (await house.run(arn))["status"] == "FAILED"


async def test_a_machine_without_running_executions_is_gone_at_once(house: House) -> None:
    arn = await house.machine()
    assert await house.do("DeleteStateMachine", stateMachineArn=arn) == {}
    assert await house.do("DeleteStateMachine", stateMachineArn=arn) == {}
    missing = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    assert await house.refused("DescribeStateMachine", stateMachineArn=arn) == missing
    assert await house.refused("UpdateStateMachine", stateMachineArn=arn, roleArn=ROLE) == missing
    assert await house.refused("StartExecution", stateMachineArn=arn) == missing
    assert await house.refused("ListExecutions", stateMachineArn=arn) == missing


async def test_a_machine_is_deleting_until_its_last_execution_has_ended(house: House) -> None:
    arn = await house.machine(WAIT)
    running = await house.run(arn)
    await house.do("DeleteStateMachine", stateMachineArn=arn)
    assert (await house.do("DescribeStateMachine", stateMachineArn=arn))["status"] == "DELETING"
    assert [m["name"] for m in (await house.do("ListStateMachines"))["stateMachines"]] == ["m"]
    for operation, params in (
        ("StartExecution", {"stateMachineArn": arn}),
        ("UpdateStateMachine", {"stateMachineArn": arn, "roleArn": ROLE}),
        ("CreateStateMachine", {"name": "m", "definition": json.dumps(WAIT), "roleArn": ROLE}),
    ):
        assert (await house.refused(operation, **params))[0] == "StateMachineDeleting"
    await house.clock.advance(61)
    assert (await house.do("DescribeExecution", executionArn=running["executionArn"]))["status"] == "SUCCEEDED"
    assert (await house.do("ListStateMachines"))["stateMachines"] == []
    assert (await house.refused("DescribeStateMachine", stateMachineArn=arn))[0] == "StateMachineDoesNotExist"
    assert await house.machine(WAIT) == arn


async def test_the_machine_of_an_execution_is_the_one_it_was_started_from(house: House) -> None:
    """Recorded: test_describe_state_machine_for_execution."""
    arn = await house.machine()
    made = house.clock.now()
    old = await house.run(arn)
    await house.clock.advance(10)
    change = {"definition": json.dumps(FAIL), "roleArn": ROLE + "2"}
    updated = await house.do("UpdateStateMachine", stateMachineArn=arn, **change)
    new = await house.run(arn)
    await house.do("DeleteStateMachine", stateMachineArn=arn)
    shown = await house.do("DescribeStateMachineForExecution", executionArn=old["executionArn"])
    assert shown == {
        "stateMachineArn": arn,
        "name": "m",
        "definition": json.dumps(PASS),
        "roleArn": ROLE,
        "updateDate": made,
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    }
    shown = await house.do("DescribeStateMachineForExecution", executionArn=new["executionArn"])
    assert (shown["revisionId"], shown["updateDate"]) == (updated["revisionId"], updated["updateDate"])
    assert (shown["roleArn"], shown["definition"]) == (ROLE + "2", json.dumps(FAIL))


async def test_machines_are_listed_in_pages(house: House) -> None:
    for name in ("c", "a", "b", "d", "e"):
        await house.machine(name=name)
    await house.machine(name="x", type="EXPRESS")
    seen: list[Any] = []
    token: dict[str, Any] = {}
    while True:
        page = await house.do("ListStateMachines", maxResults=2, **token)
        seen += [(m["name"], m["type"]) for m in page["stateMachines"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        assert len(page["nextToken"]) <= 1024
    assert seen == [(name, "STANDARD") for name in "abcde"] + [("x", "EXPRESS")]


async def test_a_token_is_good_for_its_own_request_for_a_day(house: House) -> None:
    for name in ("a", "b"):
        await house.machine(name=name)
        await house.do("CreateActivity", name=name)
    token = (await house.do("ListStateMachines", maxResults=1))["nextToken"]
    refused = ("InvalidToken", "Invalid Token: 'Invalid token'")
    for bad in ("x", "", "AAAA", token[:-4] + "AAA=", token + "=", "é"):
        if bad:
            assert await house.refused("ListStateMachines", nextToken=bad) == refused
    assert await house.refused("ListActivities", nextToken=token) == refused
    house.scope = Scope(region="eu-west-1")
    assert await house.refused("ListStateMachines", nextToken=token) == refused
    house.scope = Scope()
    assert [m["name"] for m in (await house.do("ListStateMachines", nextToken=token))["stateMachines"]] == ["b"]
    await house.clock.advance(86_402)
    assert await house.refused("ListStateMachines", nextToken=token) == refused


async def test_accounts_and_regions_do_not_see_each_other(house: House) -> None:
    arn = await house.machine()
    execution = await house.run(arn)
    house.scope = Scope(account="111111111111")
    assert (await house.do("ListStateMachines"))["stateMachines"] == []
    assert (await house.refused("DescribeStateMachine", stateMachineArn=arn))[0] == "StateMachineDoesNotExist"
    assert (await house.refused("StartExecution", stateMachineArn=arn))[0] == "StateMachineDoesNotExist"
    found = await house.refused("DescribeExecution", executionArn=execution["executionArn"])
    assert found[0] == "ExecutionDoesNotExist"


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"name": "a b"}, "InvalidName", "Invalid Name: 'a b'"),
        ({"name": "a/b"}, "InvalidName", "Invalid Name: 'a/b'"),
        ({"name": "a" * 81}, "ValidationException", None),
        ({"roleArn": "me"}, "InvalidArn", "Invalid Role Arn: 'me'"),
        ({"definition": "{"}, "InvalidDefinition", None),
        (
            {"definition": "{}"},
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: "
            "[States, StartAt] at /'",
        ),
        ({"type": "FAST"}, "ValidationException", None),
        (
            {"versionDescription": "x"},
            "ValidationException",
            "Version description can only be set when publish is true",
        ),
        (
            {"loggingConfiguration": {"level": "ALL"}},
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ),
        (
            {"loggingConfiguration": {"level": "ALL", "destinations": LOGGING["destinations"] * 2}},  # type: ignore[operator]
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ),
        (
            {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"}},
            "InvalidEncryptionConfiguration",
            None,
        ),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "ValidationException", None),
        ({"tags": [{"key": str(n), "value": ""} for n in range(51)]}, "TooManyTags", None),
    ],
)
async def test_bad_machines_are_refused_and_leave_nothing(
    house: House, params: dict[str, Any], code: str, message: str | None
) -> None:
    whole = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE, **params}
    refused = await house.refused("CreateStateMachine", **whole)
    assert refused[0] == code
    assert message is None or refused[1] == message
    assert (await house.do("ListStateMachines"))["stateMachines"] == []


async def test_logging_and_tracing_are_stored_and_described(house: House) -> None:
    arn = await house.machine(loggingConfiguration=LOGGING, tracingConfiguration={"enabled": True})
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn)
    assert shown["loggingConfiguration"] == LOGGING
    assert shown["tracingConfiguration"] == {"enabled": True}
    arn = await house.machine(name="n", loggingConfiguration={"destinations": []})
    shown = await house.do("DescribeStateMachine", stateMachineArn=arn)
    assert shown["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False, "destinations": []}


@pytest.mark.parametrize(
    "operation",
    ["UpdateMapRun", "DescribeMapRun"],
)
async def test_what_is_not_served_yet_is_refused_by_name(house: House, operation: str) -> None:
    from stepwell.kernel.caller import CallContext
    from stepwell.kernel.errors import ServiceError

    with pytest.raises(ServiceError, match=f"{operation} is not supported yet"):
        await house.sfn.call(operation, {}, CallContext())


async def test_a_version_that_was_never_made_does_not_exist(house: House) -> None:
    """Recorded: test_update_state_machine (versioning)."""
    arn = await house.machine() + ":2"
    refused = await house.refused("DescribeStateMachine", stateMachineArn=arn)
    assert refused == ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


async def test_definitions_are_validated_without_making_anything(house: House) -> None:
    """Recorded: test_sfn_api_validation."""
    assert await house.do("ValidateStateMachineDefinition", definition=json.dumps(PASS)) == {
        "result": "OK",
        "diagnostics": [],
        "truncated": False,
    }
    found = await house.do("ValidateStateMachineDefinition", definition=" ", type="STANDARD")
    assert found["result"] == "FAIL"
    assert "location" not in found["diagnostics"][0]
    many = {"StartAt": "S0", "States": {f"S{n}": {"Type": "Nope"} for n in range(5)}}
    found = await house.do("ValidateStateMachineDefinition", definition=json.dumps(many), maxResults=2)
    assert (len(found["diagnostics"]), found["truncated"]) == (2, True)
