"""The Step Functions API with boto3 against a live server."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers import LiveServer

ROLE = "arn:aws:iam::000000000000:role/r"
PASS: dict[str, Any] = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": {"a": 1}, "End": True}}}
WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
DEADLINE = 20.0


def unique(prefix: str = "m") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def make(sfn: Any, definition: dict[str, Any], **more: Any) -> str:
    made = sfn.create_state_machine(name=unique(), definition=json.dumps(definition), roleArn=ROLE, **more)
    return str(made["stateMachineArn"])


def wait_for(look: Callable[[], Any], until: Callable[[Any], bool]) -> Any:
    """Look again until it is so."""
    end = time.monotonic() + DEADLINE
    while not until(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def finished(sfn: Any, execution: str) -> Any:
    return wait_for(lambda: sfn.describe_execution(executionArn=execution), lambda d: d["status"] != "RUNNING")


@pytest.fixture(scope="module")
def sfn(server: LiveServer) -> Any:
    return server.client()


def test_a_workflow_from_creation_to_deletion(sfn: Any) -> None:
    arn = make(sfn, PASS, tags=[{"key": "team", "value": "blue"}])
    started = sfn.start_execution(stateMachineArn=arn, name="one", input='{"x": 1}')
    assert finished(sfn, started["executionArn"])["output"] == '{"a":1}'
    events = sfn.get_execution_history(executionArn=started["executionArn"])["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert events[0]["timestamp"].tzinfo is not None
    assert [e["name"] for e in sfn.list_executions(stateMachineArn=arn)["executions"]] == ["one"]
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "blue"}]
    sfn.delete_state_machine(stateMachineArn=arn)
    with pytest.raises(sfn.exceptions.StateMachineDoesNotExist):
        sfn.describe_state_machine(stateMachineArn=arn)
    assert sfn.describe_execution(executionArn=started["executionArn"])["status"] == "SUCCEEDED"


def test_boto3s_paginators_walk_all_pages(sfn: Any) -> None:
    arn = make(sfn, PASS)
    executions = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(5)]
    finished(sfn, executions[0])
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=arn, PaginationConfig={"PageSize": 2})
    assert sorted(e["executionArn"] for page in pages for e in page["executions"]) == sorted(executions)
    pages = sfn.get_paginator("get_execution_history").paginate(
        executionArn=executions[0], PaginationConfig={"PageSize": 1}
    )
    assert [event["id"] for page in pages for event in page["events"]] == [1, 2, 3, 4]
    pages = sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    assert arn in [m["stateMachineArn"] for page in pages for m in page["stateMachines"]]


def test_a_worker_in_a_thread_does_an_activity(sfn: Any) -> None:
    activity = sfn.create_activity(name=unique("a"))["activityArn"]
    state = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 60, "End": True}
    arn = make(sfn, {"StartAt": "T", "States": {"T": state}})

    def work() -> None:
        task = sfn.get_activity_task(activityArn=activity, workerName="w")
        sfn.send_task_heartbeat(taskToken=task["taskToken"])
        sfn.send_task_success(taskToken=task["taskToken"], output=json.dumps({"got": json.loads(task["input"])}))

    worker = threading.Thread(target=work)
    worker.start()
    execution = sfn.start_execution(stateMachineArn=arn, input='{"x": 1}')["executionArn"]
    worker.join(DEADLINE)
    assert json.loads(finished(sfn, execution)["output"]) == {"got": {"x": 1}}


def test_express_synchronously(sfn: Any) -> None:
    arn = make(sfn, PASS, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, input='{"x": 1}')
    assert (answer["status"], answer["output"]) == ("SUCCEEDED", '{"a":1}')
    assert answer["billingDetails"]["billedMemoryUsedInMB"] == 64


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("create_state_machine", {"name": "a b", "definition": "{}", "roleArn": ROLE}, "InvalidName"),
    ("create_state_machine", {"name": "a", "definition": "{", "roleArn": ROLE}, "InvalidDefinition"),
    ("create_state_machine", {"name": "a", "definition": "[1" * 5000, "roleArn": ROLE}, "InvalidDefinition"),
    ("create_state_machine", {"name": "a", "definition": "{}", "roleArn": "x"}, "InvalidArn"),
    ("create_state_machine", {"name": "a" * 81, "definition": "{}", "roleArn": ROLE}, "ValidationException"),
    ("create_activity", {"name": "a\x00"}, "InvalidName"),
    ("describe_state_machine", {"stateMachineArn": "x"}, "InvalidArn"),
    ("describe_state_machine", {"stateMachineArn": "arn:aws:sns:us-east-1:000000000000:t"}, "InvalidArn"),
    ("describe_state_machine", {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine"}, "InvalidArn"),
    ("describe_state_machine", {"stateMachineArn": "arn:aws:states:us-east-1:0:stateMachine:"}, "InvalidArn"),
    ("describe_state_machine", {"stateMachineArn": "a" * 257}, "ValidationException"),
    ("describe_execution", {"executionArn": "arn:aws:states:us-east-1:1:execution:m:e"}, "ExecutionDoesNotExist"),
    ("describe_execution", {"executionArn": "arn:aws:states:us-east-1:1:execution:m"}, "ExecutionDoesNotExist"),
    ("start_execution", {"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m"}, "StateMachineDoesNotExist"),
    ("start_execution", {"stateMachineArn": "x", "name": "a b"}, "InvalidName"),
    ("start_execution", {"stateMachineArn": "x", "input": "x" * 262_145}, "ValidationException"),
    ("list_executions", {}, "ValidationException"),
    ("list_state_machines", {"nextToken": "x"}, "InvalidToken"),
    ("list_state_machines", {"nextToken": "x" * 1025}, "ValidationException"),
    ("list_state_machines", {"maxResults": 1001}, "ValidationException"),
    ("list_activities", {"nextToken": "\u00e9\u20ac"}, "InvalidToken"),
    ("send_task_success", {"taskToken": "x", "output": "{}"}, "InvalidToken"),
    ("send_task_success", {"taskToken": "x" * 2049, "output": "{}"}, "ValidationException"),
    ("send_task_failure", {"taskToken": "x", "error": "e" * 257}, "ValidationException"),
    ("send_task_heartbeat", {"taskToken": "\u00e9"}, "InvalidToken"),
    ("tag_resource", {"resourceArn": "x", "tags": []}, "InvalidArn"),
    ("redrive_execution", {"executionArn": "x"}, "InvalidArn"),
    ("test_state", {"definition": "{}"}, "InvalidDefinition"),
    ("describe_map_run", {"mapRunArn": "x"}, "UnknownOperationException"),
]


@pytest.mark.parametrize(("operation", "params", "code"), BAD)
def test_bad_requests_get_awss_error(sfn: Any, operation: str, params: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(sfn, operation)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_after_sigkill_everything_acknowledged_goes_on(tmp_path: Path) -> None:
    """Standard executions, callbacks that were given, and asynchronous Express executions, which run again."""
    server = LiveServer(tmp_path / "data", "--log-level", "debug").start()
    try:
        sfn = server.client()
        activity = sfn.create_activity(name="a")["activityArn"]
        task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
        standard = sfn.start_execution(stateMachineArn=make(sfn, task))["executionArn"]
        call = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:createActivity",
            "Parameters": {"Name": "made"},
            "End": True,
        }
        wait = {"Type": "Wait", "Seconds": 2, "Next": "C"}
        express = make(sfn, {"StartAt": "W", "States": {"W": wait, "C": call}}, type="EXPRESS")
        sfn.start_execution(stateMachineArn=express)
        token = sfn.get_activity_task(activityArn=activity)["taskToken"]
        server.kill()
        server.start()
        sfn.send_task_success(taskToken=token, output='"done"')
        assert finished(sfn, standard)["output"] == '"done"'
        with pytest.raises(sfn.exceptions.TaskTimedOut):
            sfn.send_task_success(taskToken=token, output='"again"')
        server.kill()
        server.start()
        assert sfn.describe_execution(executionArn=standard)["output"] == '"done"'
        names = wait_for(lambda: sfn.list_activities()["activities"], lambda listed: len(listed) == 2)
        assert {each["name"] for each in names} == {"a", "made"}
    except BaseException:
        print("".join(server.log))
        raise
    finally:
        server.stop()


def test_children_are_waited_for(sfn: Any) -> None:
    child = make(sfn, PASS)
    parent = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child},
        "OutputPath": "$.Output",
        "End": True,
    }
    arn = make(sfn, {"StartAt": "P", "States": {"P": parent}})
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    assert json.loads(finished(sfn, execution)["output"]) == {"a": 1}


def test_a_stopped_execution_stays_stopped(sfn: Any) -> None:
    execution = sfn.start_execution(stateMachineArn=make(sfn, WAIT))["executionArn"]
    stopped = sfn.stop_execution(executionArn=execution, error="E", cause="C")["stopDate"]
    shown = sfn.describe_execution(executionArn=execution)
    assert (shown["status"], shown["error"], shown["cause"], shown["stopDate"]) == ("ABORTED", "E", "C", stopped)
