"""Two servers on one PostgreSQL: either answers for both, and one goes on when the other dies or falls silent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postgres_server import PostgresServer
from servers import LiveServer

ROLE = "arn:aws:iam::000000000000:role/r"
WAIT = json.dumps(
    {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 3, "Next": "P"}, "P": {"Type": "Pass", "End": True}},
    }
)
LEASE = "2"


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> str:
    return asyncio.run(postgres_server.new_database())


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[tuple[LiveServer, LiveServer]]:
    """The first owns every partition, the second none."""
    arguments = ("--store", database, "--lease-seconds", LEASE)
    keys = {"STEPWELL_KEYS": json.dumps({"1": "ab" * 32})}
    first = LiveServer(tmp_path / "a", *arguments, environment=keys).start()
    second = LiveServer(tmp_path / "b", *arguments, environment=keys).start()
    yield first, second
    first.stop()
    second.stop()


def machine(states: Any, definition: str) -> str:
    created = states.create_state_machine(name=f"m{time.monotonic_ns()}", definition=definition, roleArn=ROLE)
    return str(created["stateMachineArn"])


def statuses(states: Any, executions: list[str]) -> list[str]:
    return [states.describe_execution(executionArn=arn)["status"] for arn in executions]


def wait_for(states: Any, executions: list[str], wanted: set[str]) -> None:
    deadline = time.monotonic() + 40
    while not set(statuses(states, executions)) <= wanted:
        assert time.monotonic() < deadline, statuses(states, executions)


def test_what_one_server_is_told_the_other_does(pair: tuple[LiveServer, LiveServer]) -> None:
    """Starts, stops, polls and callbacks at the server that owns nothing."""
    first, second = pair
    one, two = first.client(), second.client()
    activity = two.create_activity(name=f"a{time.monotonic_ns()}")["activityArn"]
    task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
    started = two.start_execution(stateMachineArn=machine(two, json.dumps(task)), input='{"n":1}')["executionArn"]
    given = two.get_activity_task(activityArn=activity)
    assert given["input"] == '{"n":1}'
    two.send_task_heartbeat(taskToken=given["taskToken"])
    two.send_task_success(taskToken=given["taskToken"], output='{"ok":true}')
    wait_for(one, [started], {"SUCCEEDED"})
    waiting = two.start_execution(stateMachineArn=machine(two, WAIT))["executionArn"]
    two.stop_execution(executionArn=waiting, error="Mine")
    assert one.describe_execution(executionArn=waiting)["error"] == "Mine"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_the_other_server_takes_over(pair: tuple[LiveServer, LiveServer], how: signal.Signals) -> None:
    first, second = pair
    one, two = first.client(), second.client()
    arn = machine(one, WAIT)
    executions = [one.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(10)]
    if how == signal.SIGKILL:
        first.kill()
    else:
        os.kill(first.pid, how)
    try:
        wait_for(two, executions, {"SUCCEEDED"})
    finally:
        if how == signal.SIGSTOP:
            os.kill(first.pid, signal.SIGCONT)
    for execution in executions:
        events = two.get_execution_history(executionArn=execution)["events"]
        assert [event["type"] for event in events] == [
            "ExecutionStarted",
            "WaitStateEntered",
            "WaitStateExited",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded",
        ]
