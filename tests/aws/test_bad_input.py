"""Bad input: AWS's error, nothing changed, never a 500, and the server goes on.

Three tables: calls through boto3 with its own validation switched off, bodies that boto3 would not send, and bytes on a
socket that no HTTP client would send.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from servers import LiveServer

ACCOUNT, FOREIGN = "222222222222", "333333333333"  # of this file alone, so that lists hold what it made
ARN = f"arn:aws:states:us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
WAIT = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
MACHINE, ACTIVITY, EXECUTION = f"{ARN}:stateMachine:m", f"{ARN}:activity:a", f"{ARN}:execution:m:e"
MIB = 1 << 20
NAMES_BAD = ["a b", "a<b", "a>b", "a{b", "a}b", "a[b", "a]b", "a?b", "a*b", 'a"b', "a#b", "a%b", "a\\b", "a^b", "a|b"]
NAMES_BAD += ["a~b", "a`b", "a$b", "a&b", "a,b", "a;b", "a:b", "a/b", "a\nb", "a\x00b", "a\x7fb", "a\x9fb"]


@dataclass
class World:
    """What exists, and how to look whether it is still so."""

    server: LiveServer
    sfn: Any
    expired: str  # token of a task that is over
    foreign: str  # token of another account's task, which waits

    def state(self) -> Any:
        sfn = self.sfn
        found = [
            sfn.list_state_machines()["stateMachines"],
            sfn.describe_state_machine(stateMachineArn=MACHINE)["definition"],
            sfn.list_activities()["activities"],
            sfn.list_executions(stateMachineArn=MACHINE)["executions"],
            sfn.list_tags_for_resource(resourceArn=MACHINE)["tags"],
            sfn.get_execution_history(executionArn=EXECUTION)["events"],
        ]
        return json.dumps(found, default=str)


def client(server: LiveServer, account: str) -> Any:
    return server.client(aws_access_key_id=account, config={"parameter_validation": False})


def token_of(sfn: Any, account: str) -> str:
    """The token of a task that a worker has."""
    activity = sfn.create_activity(name="work")["activityArn"]
    task = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}}
    role = ROLE.replace(ACCOUNT, account)
    machine = sfn.create_state_machine(name="work", definition=json.dumps(task), roleArn=role)["stateMachineArn"]
    sfn.start_execution(stateMachineArn=machine)
    return str(sfn.get_activity_task(activityArn=activity)["taskToken"])


@pytest.fixture(scope="module")
def made(server: LiveServer) -> World:
    sfn = client(server, ACCOUNT)
    sfn.create_activity(name="a")
    sfn.create_state_machine(name="m", definition=WAIT, roleArn=ROLE, tags=[{"key": "k", "value": "v"}])
    sfn.start_execution(stateMachineArn=MACHINE, name="e", input='{"a": 1}')
    expired = token_of(sfn, ACCOUNT)
    sfn.send_task_success(taskToken=expired, output="{}")
    return World(server, sfn, expired, token_of(client(server, FOREIGN), FOREIGN))


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """Everything as it was, before and after."""
    before = made.state()
    yield made
    assert made.state() == before
    assert b'"status":"ok"' in talk(
        made.server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )


# --------------------------------------------------------------------------------------------------------- boto3
CREATE: dict[str, Any] = {"name": "new", "definition": WAIT, "roleArn": ROLE}
START: dict[str, Any] = {"stateMachineArn": MACHINE, "name": "new"}
Case = tuple[str, dict[str, Any], str, str]
CALLS: list[Case] = [
    # forbidden names
    *[("create_state_machine", {**CREATE, "name": name}, "InvalidName", "") for name in NAMES_BAD],
    *[("start_execution", {**START, "name": name}, "InvalidName", "") for name in NAMES_BAD],
    *[("create_activity", {"name": name}, "InvalidName", "") for name in NAMES_BAD],
    ("create_activity", {"name": ""}, "ValidationException", "1 validation error detected"),
    ("create_activity", {"name": "a" * 81}, "ValidationException", "1 validation error detected"),
    ("create_activity", {}, "ValidationException", "1 validation error detected"),
    # duplicates
    (
        "create_state_machine",
        {**CREATE, "name": "m", "definition": WAIT.replace("3600", "1")},
        "StateMachineAlreadyExists",
        "State Machine Already Exists",
    ),
    (
        "start_execution",
        {**START, "name": "e", "input": '{"a": 2}'},
        "ExecutionAlreadyExists",
        "Execution Already Exists",
    ),
    # ARNs
    *[
        ("describe_state_machine", {"stateMachineArn": arn}, "InvalidArn", "Invalid Arn")
        for arn in (
            "x",
            "arn",
            "arn:aws:states",
            ARN,
            f"{ARN}:stateMachine",
            "arn:aws:sqs:us-east-1:1:q",
            f"{ARN}:stateMachine:",
        )
    ],
    (
        "describe_state_machine",
        {"stateMachineArn": f"{ARN}:stateMachine:none"},
        "StateMachineDoesNotExist",
        "State Machine Does Not Exist",
    ),
    ("describe_state_machine", {"stateMachineArn": MACHINE.replace(ACCOUNT, FOREIGN)}, "StateMachineDoesNotExist", ""),
    (
        "describe_state_machine",
        {"stateMachineArn": MACHINE.replace("us-east-1", "eu-west-1")},
        "StateMachineDoesNotExist",
        "",
    ),
    ("delete_state_machine", {"stateMachineArn": "x"}, "InvalidArn", ""),
    ("update_state_machine", {"stateMachineArn": MACHINE}, "MissingRequiredParameter", ""),
    ("update_state_machine", {"stateMachineArn": MACHINE, "definition": "{"}, "InvalidDefinition", "INVALID_JSON"),
    (
        "update_state_machine",
        {"stateMachineArn": MACHINE.replace(ACCOUNT, FOREIGN), "definition": WAIT},
        "StateMachineDoesNotExist",
        "",
    ),
    ("describe_execution", {"executionArn": "x"}, "InvalidArn", ""),
    ("describe_execution", {"executionArn": EXECUTION.replace(ACCOUNT, FOREIGN)}, "ExecutionDoesNotExist", ""),
    ("stop_execution", {"executionArn": EXECUTION.replace(ACCOUNT, FOREIGN)}, "ExecutionDoesNotExist", ""),
    ("stop_execution", {"executionArn": f"{EXECUTION}x"}, "ExecutionDoesNotExist", "Execution Does Not Exist"),
    ("stop_execution", {"executionArn": EXECUTION, "error": "e" * 257}, "ValidationException", ""),
    ("stop_execution", {"executionArn": EXECUTION, "cause": "c" * 32_769}, "ValidationException", ""),
    ("get_activity_task", {"activityArn": f"{ARN}:activity:none"}, "ActivityDoesNotExist", "Activity Does Not Exist"),
    ("get_activity_task", {"activityArn": MACHINE}, "InvalidArn", ""),
    ("tag_resource", {"resourceArn": f"{ARN}:stateMachine:none", "tags": []}, "ResourceNotFound", ""),
    ("tag_resource", {"resourceArn": MACHINE, "tags": [{"key": "k" * 129, "value": ""}]}, "ValidationException", ""),
    (
        "tag_resource",
        {"resourceArn": MACHINE, "tags": [{"key": f"k{n}", "value": ""} for n in range(60)]},
        "TooManyTags",
        "",
    ),
    # tokens
    ("send_task_success", {"taskToken": "x", "output": "{}"}, "InvalidToken", "Invalid Token"),
    ("send_task_success", {"taskToken": "", "output": "{}"}, "ValidationException", ""),
    ("send_task_success", {"taskToken": "$expired", "output": "{}"}, "TaskTimedOut", ""),
    ("send_task_failure", {"taskToken": "$expired"}, "TaskTimedOut", ""),
    ("send_task_heartbeat", {"taskToken": "$expired"}, "TaskTimedOut", ""),
    ("send_task_success", {"taskToken": "$foreign", "output": "{}"}, "InvalidToken", ""),
    ("send_task_heartbeat", {"taskToken": "$foreign"}, "InvalidToken", ""),
    ("send_task_success", {"taskToken": "$forged", "output": "{}"}, "InvalidToken", ""),
    ("send_task_success", {"taskToken": "$expired", "output": "{"}, "InvalidOutput", ""),
    ("list_state_machines", {"nextToken": "x"}, "InvalidToken", ""),
    # documents
    *[
        ("start_execution", {**START, "input": text}, "InvalidExecutionInput", "")
        for text in (
            "{",
            "nope",
            "[1,]",
            '{"a":}',
            "'a'",
            "1 2",
            "\x00",
            '{"a": "\x01"}',
            "[" * 2_000,
            "[" * 100_000,
            "",
            " ",
            '{"a":' * 1_100 + "1" + "}" * 1_100,
            "NaN",
            "Infinity",
            "-",
            "01",
            '"\\x"',
            '"\\ud800',
            "1" * 5_000 + "e",
        )
    ],
    ("start_execution", {**START, "input": '"' + "x" * 262_143 + '"'}, "ValidationException", ""),
    ("start_execution", {**START, "input": '"' + "\u00e9" * 131_072 + '"'}, "ValidationException", ""),
    ("send_task_success", {"taskToken": "$expired", "output": '"' + "x" * 262_143 + '"'}, "ValidationException", ""),
    ("start_sync_execution", {"stateMachineArn": MACHINE}, "StateMachineTypeNotSupported", ""),
    # definitions
    *[
        ("create_state_machine", {**CREATE, "definition": text}, "InvalidDefinition", "")
        for text in (
            "{",
            "[]",
            "null",
            "1",
            '"x"',
            "{}",
            '{"StartAt": 1, "States": []}',
            '{"StartAt": "A", "States": {}}',
            '{"StartAt": "A", "States": {"A": null}}',
            '{"StartAt": "A", "States": {"A": {"Type": "None"}}}',
            "[" * 50_000,
            '{"a":' * 5_000,
            WAIT.replace("3600", "1e400"),
            WAIT.replace("3600", "-1"),
            WAIT.replace("3600", "9" * 400),
        )
    ],
    ("create_state_machine", {**CREATE, "definition": ""}, "ValidationException", ""),
    ("create_state_machine", {**CREATE, "type": "FAST"}, "ValidationException", "enum value set"),
    ("create_state_machine", {**CREATE, "roleArn": "x"}, "InvalidArn", ""),
    # wrong types
    ("create_activity", {"name": 1}, "SerializationException", "NUMBER_VALUE can not be converted to a String"),
    ("create_activity", {"name": True}, "SerializationException", "TRUE_VALUE can not be converted to a String"),
    ("create_activity", {"name": ["a"]}, "SerializationException", ""),
    ("create_activity", {"name": {"a": 1}}, "SerializationException", ""),
    ("start_execution", {**START, "input": {"a": 1}}, "SerializationException", ""),
    ("list_activities", {"maxResults": -1}, "ValidationException", ""),
    ("list_activities", {"maxResults": 1_001}, "ValidationException", ""),
    ("list_executions", {"stateMachineArn": MACHINE, "statusFilter": "DONE"}, "ValidationException", ""),
]


def named(case: Case) -> str:
    return f"{case[0]}-{case[2]}-{json.dumps(case[1])[-40:]}"


@pytest.mark.parametrize("case", CALLS, ids=named)
def test_a_bad_call_gets_awss_error_and_changes_nothing(world: World, case: Case) -> None:
    operation, params, code, text = case
    tokens = {"$expired": world.expired, "$foreign": world.foreign, "$forged": world.expired[:-8] + "AAAAAAA="}
    params = {name: tokens.get(value, value) if isinstance(value, str) else value for name, value in params.items()}
    with pytest.raises(ClientError) as caught:
        getattr(world.sfn, operation)(**params)
    found = caught.value.response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == (code, 400), found
    assert text in found["Error"]["Message"]


# -------------------------------------------------------------------------------------------------------- bodies
BODIES: list[tuple[str, bytes, int, str]] = [
    ("CreateActivity", b"", 400, "SerializationException"),
    ("CreateActivity", b"{", 400, "SerializationException"),
    ("CreateActivity", b"null", 400, "SerializationException"),
    ("CreateActivity", b"[]", 400, "SerializationException"),
    ("CreateActivity", b'"name"', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b"} x', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b",}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "\xff\xfe"}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "\xc3("}', 400, "SerializationException"),
    ("CreateActivity", b"\xff\xfe{\x00}\x00", 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b\x00"}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b\\u0000"}', 400, "InvalidName"),
    ("CreateActivity", b'{"name": "b\\ud800"}', 400, ""),
    ("CreateActivity", b'{"name": "\\udc00\\ud800"}', 400, ""),
    ("CreateActivity", b'{"name": NaN}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": ' + b"[" * 200_000, 400, "SerializationException"),
    ("CreateActivity", b'{"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b", "tags": "x"}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b", "tags": {"a": "b"}}', 400, "SerializationException"),
    ("CreateActivity", b'{"name": "b", "tags": ["x"]}', 400, "SerializationException"),
    ("ListActivities", b'{"maxResults": 1e400}', 400, "SerializationException"),
    ("ListActivities", b'{"maxResults": ' + b"9" * 400 + b"}", 400, "SerializationException"),
    ("ListActivities", b'{"maxResults": ' + b"9" * 10_000 + b"}", 400, "SerializationException"),
    ("ListActivities", b'{"maxResults": "many"}', 400, "SerializationException"),
    ("NoSuchOperation", b"{}", 400, "UnknownOperationException"),
    ("", b"{}", 400, "UnknownOperationException"),
    ("CreateActivity\t", b"{}", 400, ""),
    (
        "StartExecution",
        b'{"stateMachineArn": "%s", "input": "\\ud800"}' % MACHINE.encode(),
        400,
        "",
    ),
    ("StartExecution", b'{"stateMachineArn": "%s", "name": "\\ud800"}' % MACHINE.encode(), 400, ""),
    ("SendTaskSuccess", b'{"taskToken": "\\ud800", "output": "{}"}', 400, ""),
    ("ListActivities", b'{"nextToken": "\\ud800"}', 400, ""),
    ("DescribeExecution", b'{"executionArn": "arn:aws:states:us-east-1:2:execution:\\u0000:\\ud800"}', 400, ""),
    (
        "TagResource",
        b'{"resourceArn": "%s", "tags": [{"key": "\\u0000", "value": "\\ud800"}]}' % MACHINE.encode(),
        400,
        "",
    ),
    ("CreateActivity", b'{"name": "b", "x": "' + b"x" * MIB + b'"}', 413, "RequestEntityTooLargeException"),
]


def request(target: str, body: bytes, *headers: str, prefix: str = "AWSStepFunctions.") -> bytes:
    scope = f"{ACCOUNT}/20260101/us-east-1/states/aws4_request"
    lines = [
        "POST / HTTP/1.1",
        "Host: localhost",
        f"X-Amz-Target: {prefix}{target}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00",
        *(headers or (f"Content-Length: {len(body)}",)),
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def talk(server: LiveServer, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes and read until the server closes."""
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=20) as raw:
        try:
            raw.sendall(data)
            if half_close:
                raw.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # it need not read all of what it refuses
        answer = b""
        try:
            while chunk := raw.recv(65_536):
                answer += chunk
        except ConnectionError:
            pass
    return answer


@pytest.mark.parametrize(("target", "body", "status", "code"), BODIES, ids=lambda part: str(part)[:40])
def test_a_bad_body_gets_awss_error_and_changes_nothing(
    world: World, target: str, body: bytes, status: int, code: str
) -> None:
    answer = talk(world.server, request(target, body))
    head, _, text = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status), answer[:400]
    found = json.loads(text)
    assert found["__type"]
    assert code in ("", found["__type"]), found


# ------------------------------------------------------------------------------------------------------- sockets
OK, BAD = b"HTTP/1.1 200", b"HTTP/1.1 400"
EMPTY = b"{}"
GOOD = request("ListActivities", EMPTY)
CHUNKED = "Transfer-Encoding: chunked"
KEPT = GOOD.replace(b"Connection: close\r\n", b"")
SOCKETS: dict[str, tuple[bytes, bytes | None]] = {  # None: closed without an answer
    "chunked": (request("ListActivities", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", CHUNKED), OK),
    "chunked with a bad size": (request("ListActivities", b"zz\r\n{}\r\n0\r\n\r\n", CHUNKED), BAD),
    "chunked and too long": (
        request("ListActivities", b"10001\r\n" + b"x" * 0x10001 + b"\r\n", CHUNKED)
        + (b"10001\r\n" + b"x" * 0x10001 + b"\r\n") * 16
        + b"0\r\n\r\n",
        b"HTTP/1.1 413",
    ),
    "a length that is no number": (request("ListActivities", EMPTY, "Content-Length: two"), BAD),
    "a negative length": (request("ListActivities", EMPTY, "Content-Length: -2"), BAD),
    "an endless length": (request("ListActivities", EMPTY, "Content-Length: " + "9" * 30), None),
    "a length far too long": (request("ListActivities", EMPTY, "Content-Length: 99999999"), b"HTTP/1.1 413"),
    "two lengths": (request("ListActivities", EMPTY, "Content-Length: 2", "Content-Length: 3"), BAD),
    "length and chunks": (request("ListActivities", b"2\r\n{}\r\n0\r\n\r\n", "Content-Length: 2", CHUNKED), BAD),
    "HTTP/1.0": (GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"), OK),
    "HTTP/1.0 without a host": (GOOD.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host: localhost\r\n", b""), OK),
    "HTTP/9.9": (GOOD.replace(b"HTTP/1.1", b"HTTP/9.9"), BAD),
    "an absolute URI": (GOOD.replace(b"POST / ", b"POST http://states.us-east-1.amazonaws.com/ "), OK),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n", BAD),
    "a bad request line": (b"GIVE ME\r\n\r\n", BAD),
    "a NUL in a header": (GOOD.replace(b"Host: localhost", b"Host: local\x00host"), BAD),
    "a header without a colon": (GOOD.replace(b"Host: localhost", b"Host localhost"), BAD),
    "an unknown service": (GOOD.replace(b"/states/", b"/nothing/"), BAD),
    "another service's target": (GOOD.replace(b"AWSStepFunctions.", b"AmazonSQS."), BAD),
    "bytes in the target": (GOOD.replace(b"ListActivities", b"\xff\xfe\xe9"), BAD),
    "a bad credential": (GOOD.replace(ACCOUNT.encode() + b"/20260101/", b"/"), None),
    "GET with a target": (GOOD.replace(b"POST / ", b"GET / "), None),
    "DELETE of a path": (GOOD.replace(b"POST / ", b"DELETE /a/../b?x=%00 "), None),
    "a call between servers": (GOOD.replace(b"POST / ", b"POST /_stepwell/deliver "), None),
    "an unfinished head": (b"POST / HTTP/1.1\r\nHost: localhost\r\n", None),
    "an unfinished body": (request("CreateActivity", b'{"name": "b"}', "Content-Length: 14"), None),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_bytes_that_are_no_good_request_do_no_harm(world: World, name: str) -> None:
    """The connection's end is the client's: it sends what it has and closes its half."""
    data, expected = SOCKETS[name]
    answer = talk(world.server, data, half_close=True)
    assert not answer.startswith(b"HTTP/1.1 5"), answer
    if expected is not None:
        assert answer.startswith(expected), answer


def test_requests_in_one_packet_are_answered_in_order(world: World) -> None:
    """Pipelining; the third one closes."""
    answer = talk(world.server, KEPT + KEPT.replace(b"ListActivities", b"NoSuchThing") + GOOD)
    places = [answer.index(part) for part in (b"HTTP/1.1 200", b"UnknownOperationException")]
    assert answer.count(b"HTTP/1.1 ") == 3
    assert places[0] < places[1]
    assert answer.rindex(b"HTTP/1.1 200") > places[1]


def test_a_client_that_leaves_in_the_middle_is_forgotten(world: World) -> None:
    parts = urlsplit(world.server.url)
    for _ in range(20):
        with socket.create_connection((str(parts.hostname), parts.port or 0)) as raw:
            raw.sendall(request("CreateActivity", b'{"name":', "Content-Length: 100"))


def test_a_document_that_a_state_makes_too_deep_fails_the_execution(server: LiveServer) -> None:
    """Nearly as deep as is accepted, and one state deeper: an error of the state, not of the server."""
    sfn = client(server, FOREIGN)
    deeper = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"x": {"y.$": "$"}}, "End": True}}}
    role = ROLE.replace(ACCOUNT, FOREIGN)
    machine = sfn.create_state_machine(name="deeper", definition=json.dumps(deeper), roleArn=role)["stateMachineArn"]
    express = sfn.create_state_machine(name="deep", definition=json.dumps(deeper), roleArn=role, type="EXPRESS")
    deep = '{"a":' * 1_000 + "1" + "}" * 1_000
    execution = sfn.start_execution(stateMachineArn=machine, input=deep)["executionArn"]
    ended = sfn.start_sync_execution(stateMachineArn=express["stateMachineArn"], input=deep)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    shown = sfn.describe_execution(executionArn=execution)
    assert (shown["status"], shown["error"]) == ("FAILED", "States.Runtime")
