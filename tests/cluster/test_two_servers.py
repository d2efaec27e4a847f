"""Two server processes on one PostgreSQL: both answer for all, and each takes over from the other."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from faults.asking import WAIT, code_of, ended, health, history, in_doubt, insist, make, wait_for
from faults.load import Load
from faults.partner import Partner
from servers import LiveServer

Pair = tuple[LiveServer, LiveServer]
EXECUTIONS = 20


def work_on(activity: str) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}


def test_both_servers_answer_for_every_execution(pair: Pair) -> None:
    owner, other = (server.client() for server in pair)
    activity = owner.create_activity(name="a")["activityArn"]
    work, wait = make(other, "work", work_on(activity)), make(owner, "wait", WAIT)
    by_other = other.start_execution(stateMachineArn=work, input='{"n": 1}')["executionArn"]
    assert ended_or_running(owner, by_other) == "RUNNING"
    task = other.get_activity_task(activityArn=activity, workerName="far")
    assert task["input"] == '{"n": 1}'
    other.send_task_heartbeat(taskToken=task["taskToken"])
    other.send_task_success(taskToken=task["taskToken"], output='"done"')
    with pytest.raises(ClientError, match="TaskTimedOut"):
        other.send_task_success(taskToken=task["taskToken"], output='"again"')
    assert [ended(client, by_other)["output"] for client in (owner, other)] == ['"done"', '"done"']
    histories = [history(client, by_other) for client in (owner, other)]
    assert histories[0] == histories[1]
    started = owner.start_execution(stateMachineArn=wait, name="w")["executionArn"]
    again = other.start_execution(stateMachineArn=wait, name="w")["executionArn"]
    assert started == again
    stopped = other.stop_execution(executionArn=started, error="E", cause="C")["stopDate"]
    for client in (owner, other):
        shown = client.describe_execution(executionArn=started)
        assert (shown["status"], shown["error"], shown["stopDate"]) == ("ABORTED", "E", stopped)
        assert [each["name"] for each in client.list_executions(stateMachineArn=wait)["executions"]] == ["w"]


def ended_or_running(client: Any, execution: str) -> str:
    return str(client.describe_execution(executionArn=execution)["status"])


def test_the_other_server_takes_over_from_a_killed_owner_under_load(pair: Pair, partner: Partner) -> None:
    owner, other = pair
    load = Load([owner, other], partner, EXECUTIONS)
    try:
        load.begin()
        load.reach(EXECUTIONS // 2)
        owner.kill()
        wait_for(lambda: health(other)["member"]["partitions"], lambda n: n == 256)
        load.reach(load.progress + 5)
        owner.start()  # now it is the one without partitions
        load.check()
        assert health(owner)["member"]["partitions"] == 0
    finally:
        load.end()


def test_a_server_that_stops_hands_over_at_once(pair: Pair, partner: Partner) -> None:
    owner, other = pair
    load = Load([owner, other], partner, EXECUTIONS)
    try:
        load.begin()
        load.reach(EXECUTIONS // 2)
        assert owner.stop() == 0
        load.ask([other])
        wait_for(lambda: health(other)["member"]["partitions"], lambda n: n == 256)
        load.check()
    finally:
        load.end()
        owner.start()


def test_a_frozen_owner_that_comes_back_changes_nothing(pair: Pair, partner: Partner) -> None:
    """It has timers that fall due and requests that wait for it; what it writes is refused, and its clients learn the truth."""
    owner, other = pair
    near, far = owner.client(), other.client()
    activity = near.create_activity(name="a")["activityArn"]
    ticks = {
        "StartAt": "T1",
        "States": {f"T{n}": {"Type": "Wait", "Seconds": 1, "Next": f"T{n + 1}"} for n in range(1, 5)}
        | {"T5": {"Type": "Succeed"}},
    }
    clocks = [make(near, f"ticks{n}", ticks) for n in range(3)]
    ticking = [near.start_execution(stateMachineArn=machine)["executionArn"] for machine in clocks * 3]
    work = make(near, "work", work_on(activity))
    execution = near.start_execution(stateMachineArn=work)["executionArn"]
    token = near.get_activity_task(activityArn=activity)["taskToken"]
    os.kill(owner.pid, signal.SIGSTOP)
    asked: list[Any] = []
    waiting = threading.Thread(target=lambda: asked.append(outcome(near, token)), daemon=True)
    try:
        waiting.start()
        second = insist(lambda: far.start_execution(stateMachineArn=work, name="second"))["executionArn"]
        wait_for(lambda: health(other)["member"]["partitions"], lambda n: n == 256)
        task = insist(lambda: far.get_activity_task(activityArn=activity))
        insist(lambda: far.send_task_success(taskToken=token, output='"first"'))
        wait_for(lambda: len(history(far, ticking[0])), lambda n: n > 4)
    finally:
        os.kill(owner.pid, signal.SIGCONT)
    waiting.join(60)
    assert asked[0] in {"TaskTimedOut", "in doubt"}  # never success: that was another's answer
    # The task of ``second`` began at the other server, when this one was frozen: it must not be told that it is over.
    insist(lambda: near.send_task_success(taskToken=task["taskToken"], output='"second"'))
    assert ended(near, execution)["output"] == '"first"'
    assert ended(near, second)["output"] == '"second"'
    for arn in (*ticking, execution, second):
        assert ended(near, arn)["status"] == "SUCCEEDED"
        events = history(near, arn)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        entered = Counter(e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e)
        assert max(entered.values()) == 1
        assert events[-1]["type"] == "ExecutionSucceeded"
    assert health(owner)["member"]["partitions"] == 0


def outcome(client: Any, token: str) -> str:
    try:
        client.send_task_success(taskToken=token, output=json.dumps("frozen"))
    except ClientError as error:
        return "in doubt" if in_doubt(error) else code_of(error)
    return "success"
