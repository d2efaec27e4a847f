"""Versions and aliases with boto3 against a live server."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers import LiveServer

ROLE = "arn:aws:iam::000000000000:role/r"
DEADLINE = 20.0


def definition(number: int) -> str:
    return json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": number, "End": True}}})


@pytest.fixture(scope="module")
def sfn(server: LiveServer) -> Any:
    return server.client()


@pytest.fixture
def machine(sfn: Any) -> str:
    """Of versions 1 and 2, which give their numbers."""
    made = sfn.create_state_machine(
        name=f"v-{uuid.uuid4().hex[:8]}", definition=definition(1), roleArn=ROLE, publish=True
    )
    arn = str(made["stateMachineArn"])
    sfn.update_state_machine(stateMachineArn=arn, definition=definition(2), publish=True)
    return arn


def finished(sfn: Any, execution: str) -> Any:
    end = time.monotonic() + DEADLINE
    while (described := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < end, described
        time.sleep(0.02)
    return described


def test_a_release_from_first_version_to_clean_up(sfn: Any, machine: str) -> None:
    alias = sfn.create_state_machine_alias(
        name="PROD", routingConfiguration=[{"stateMachineVersionArn": f"{machine}:1", "weight": 100}]
    )["stateMachineAliasArn"]
    run = finished(sfn, sfn.start_execution(stateMachineArn=alias)["executionArn"])
    assert (run["output"], run["stateMachineVersionArn"], run["stateMachineAliasArn"]) == ("1", f"{machine}:1", alias)
    sfn.update_state_machine_alias(
        stateMachineAliasArn=alias,
        routingConfiguration=[{"stateMachineVersionArn": f"{machine}:2", "weight": 100}],
    )
    run = finished(sfn, sfn.start_execution(stateMachineArn=alias)["executionArn"])
    assert run["output"] == "2"
    listed = sfn.list_executions(stateMachineArn=alias)["executions"]
    assert sorted(execution["stateMachineVersionArn"] for execution in listed) == [f"{machine}:1", f"{machine}:2"]
    with pytest.raises(sfn.exceptions.ConflictException) as caught:
        sfn.delete_state_machine_version(stateMachineVersionArn=f"{machine}:2")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{machine}:1")
    sfn.delete_state_machine(stateMachineArn=machine)
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert sfn.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"] == []


def test_a_version_s_execution_says_so_in_its_history(sfn: Any, machine: str) -> None:
    execution = sfn.start_execution(stateMachineArn=f"{machine}:1")["executionArn"]
    finished(sfn, execution)
    first = sfn.get_execution_history(executionArn=execution)["events"][0]
    assert first["executionStartedEventDetails"]["stateMachineVersionArn"] == f"{machine}:1"


def test_changes_side_by_side_keep_versions_and_aliases_in_step(sfn: Any, machine: str) -> None:
    """Whatever wins, no alias leads to a version that is not there, and no number is given twice."""
    published: list[str] = []
    refused: list[str] = []

    def release(number: int) -> None:
        try:
            version = sfn.update_state_machine(stateMachineArn=machine, definition=definition(number), publish=True)[
                "stateMachineVersionArn"
            ]
            published.append(version)
            sfn.create_state_machine_alias(
                name=f"A{number}", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
            )
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    def clean(number: int) -> None:
        try:
            sfn.delete_state_machine_version(stateMachineVersionArn=f"{machine}:{number}")
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=release, args=(n,)) for n in range(3, 7)]
    threads += [threading.Thread(target=clean, args=(n,)) for n in range(3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert len(published) == len(set(published))
    assert set(refused) <= {"ConflictException", "ResourceNotFound"}
    there = {
        v["stateMachineVersionArn"]
        for v in sfn.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    }
    for alias in sfn.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]:
        shown = sfn.describe_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
        assert {route["stateMachineVersionArn"] for route in shown["routingConfiguration"]} <= there
    assert len(there) <= 2 + len(published)
