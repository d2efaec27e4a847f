"""CloudWatch Logs with boto3 against a live server, and the logs of its executions."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers import LiveServer

ROLE = "arn:aws:iam::000000000000:role/r"
DEADLINE = 20.0
PASS = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def logs(server: LiveServer) -> Any:
    return server.client("logs")


@pytest.fixture(scope="module")
def sfn(server: LiveServer) -> Any:
    return server.client()


@pytest.fixture
def group(logs: Any) -> str:
    name = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name)
    return name


def machine(logs: Any, sfn: Any, group: str, kind: str) -> str:
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    made = sfn.create_state_machine(
        name=f"logged-{uuid.uuid4().hex[:8]}",
        definition=PASS,
        roleArn=ROLE,
        type=kind,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
        },
    )
    return str(made["stateMachineArn"])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_what_an_execution_did_is_read_from_its_log_group(logs: Any, sfn: Any, group: str, kind: str) -> None:
    execution = sfn.start_execution(stateMachineArn=machine(logs, sfn, group, kind), input='{"a": 1}')["executionArn"]
    end = time.monotonic() + DEADLINE
    pattern = f'{{ $.execution_arn = "{execution}" && $.type = "Execution*" }}'
    while len(found := logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    started, succeeded = (json.loads(event["message"]) for event in found)
    assert started["details"]["input"] == '{"a": 1}'
    assert (succeeded["id"], succeeded["type"]) == ("4", "ExecutionSucceeded")
    stream = found[0]["logStreamName"]
    assert stream.startswith("states/logged-")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    assert [json.loads(event["message"])["id"] for event in events] == ["1", "2", "3", "4"]


def test_records_in_the_buffer_are_written_when_the_server_stops(tmp_path: Path) -> None:
    own_server = LiveServer(tmp_path / "data").start()
    logs, sfn = own_server.client("logs"), own_server.client()
    logs.create_log_group(logGroupName="g")
    arn = machine(logs, sfn, "g", "EXPRESS")
    sfn.start_sync_execution(stateMachineArn=arn)
    own_server.stop()
    own_server.start()
    found = own_server.client("logs").filter_log_events(logGroupName="g", logStreamNamePrefix="states/")["events"]
    own_server.stop()
    assert len(found) == 4


def test_boto3_pages_through_events_and_groups(logs: Any, group: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": now + n, "message": f"line {n} ü"} for n in range(25)],
    )
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, limit=10)
    assert [e["message"] for page in pages for e in page["events"]] == [f"line {n} ü" for n in range(25)]
    names = [
        g["logGroupName"] for p in logs.get_paginator("describe_log_groups").paginate(limit=1) for g in p["logGroups"]
    ]
    assert group in names
    assert names == sorted(names)


def test_errors_are_the_service_s_own(logs: Any, sfn: Any, group: str) -> None:
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log stream does not exist"):
        logs.get_log_events(logGroupName=group, logStreamName="none")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_retention_policy(logGroupName=group, retentionInDays=4)
    with pytest.raises(ClientError, match="UnknownOperationException"):
        logs.describe_queries()
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(sfn.exceptions.InvalidLoggingConfiguration, match="Log Destination not found"):
        sfn.create_state_machine(
            name="never",
            definition=PASS,
            roleArn=ROLE,
            loggingConfiguration={
                "level": "ERROR",
                "destinations": [
                    {
                        "cloudWatchLogsLogGroup": {
                            "logGroupArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
                        }
                    }
                ],
            },
        )
