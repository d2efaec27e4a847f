"""SIGTERM: what is in flight is finished, what waits goes on with the next start, and nobody is waited for without need."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.asking import WAIT, ended, get, history, make, server_on, wait_for
from faults.load import connect, effect
from faults.partner import Partner
from servers import LiveServer

PATIENT = ("--drain-seconds", "600")  # a test that had to wait for it would fail


Run = Callable[..., LiveServer]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts a server with some flags; what still runs at the end is killed."""
    servers: list[LiveServer] = []

    def start(*flags: str) -> LiveServer:
        servers.append(server_on(f"sqlite:{tmp_path / 'stepwell.db'}", tmp_path, *flags))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


class Background:
    """A call in a thread; ``result`` waits for it."""

    def __init__(self, call: Any) -> None:
        self._results: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._results.append(call()), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(60)
        assert self._results, "the call failed or did not end"
        return self._results[0]


def refused(server: LiveServer) -> bool:
    """Whether the server takes no more connections."""
    try:
        get(server)
    except OSError:
        return True
    return False


def test_waiting_executions_and_polls_do_not_keep_a_server_from_stopping(run: Run) -> None:
    server = run(*PATIENT)
    client = server.client()
    machine = make(client, "wait", WAIT)
    activity = client.create_activity(name="a")["activityArn"]
    started = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(20)]
    poll = Background(lambda: client.get_activity_task(activityArn=activity))
    wait_for(lambda: "stepwell_requests_in_flight 2.0" in get(server, "/metrics")[1])  # the poll, and this question
    assert server.stop() == 0
    assert poll.result().get("taskToken") is None
    server.start()
    assert {client.describe_execution(executionArn=arn)["status"] for arn in started} == {"RUNNING"}
    assert server.stop() == 0


def test_calls_in_flight_are_finished_before_the_server_ends(run: Run, partner: Partner) -> None:
    """A request that waits for its workflow is answered; a task of a Standard execution is not called a second time."""
    server = run(*PATIENT)
    client = server.client()
    definition = {"StartAt": "E", "States": {"E": {**effect(partner, connect(server)), "End": True}}}
    express = make(client, "express", definition, type="EXPRESS")
    standard = make(client, "standard", definition)
    partner.answering.clear()
    execution = client.start_execution(stateMachineArn=standard, name="standard")["executionArn"]
    sync = Background(lambda: client.start_sync_execution(stateMachineArn=express, name="sync"))
    wait_for(lambda: len(partner.effects) == 2)
    stopping = Background(server.stop)
    wait_for(lambda: refused(server))
    assert sync.running
    assert stopping.running
    partner.answering.set()
    answer = sync.result()
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"effect": {"did": "sync"}})
    assert stopping.result() == 0
    server.start()
    assert ended(client, execution)["status"] == "SUCCEEDED"
    assert partner.effects == {"standard": 1, "sync": 1}
    assert server.stop() == 0


def test_a_call_that_does_not_end_is_left_and_made_again(run: Run, partner: Partner) -> None:
    server = run("--drain-seconds", "0.5")
    client = server.client()
    machine = make(client, "m", {"StartAt": "E", "States": {"E": {**effect(partner, connect(server)), "End": True}}})
    partner.answering.clear()
    execution = client.start_execution(stateMachineArn=machine, name="e")["executionArn"]
    wait_for(lambda: partner.effects["e"] == 1)
    assert server.stop() == 0
    partner.answering.set()
    server.start()
    assert ended(client, execution)["status"] == "SUCCEEDED"
    assert partner.effects["e"] == 2
    assert [event["type"] for event in history(client, execution)].count("TaskScheduled") == 1
    assert server.stop() == 0
