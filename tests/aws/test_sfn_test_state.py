"""TestState with boto3 against a live server, and the requests of an HTTP Task as it shows them."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from servers import LiveServer

ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.fixture(scope="module")
def sfn(server: LiveServer) -> Any:
    return server.client()


class Api(BaseHTTPRequestHandler):
    """Answers every request with what it asked for."""

    def do_POST(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Quiet."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture(scope="module")
def http_task(server: LiveServer, api: str) -> str:
    """An HTTP Task whose connection adds a header, a query parameter and the authorisation."""
    made = server.client("events").create_connection(
        Name=f"c-{uuid.uuid4().hex[:8]}",
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"},
            "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "own", "Value": "hidden"}]},
        },
    )
    parameters = {
        "ApiEndpoint": f"{api}/things",
        "Method": "POST",
        "RequestBody": {"a": 1},
        "InvocationConfig": {"ConnectionArn": made["ConnectionArn"]},
    }
    state = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}
    return json.dumps(state)


def test_a_whole_machine_is_tested_state_by_state(sfn: Any) -> None:
    definition = json.dumps(
        {
            "StartAt": "Price",
            "States": {
                "Price": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Parameters": {"FunctionName": "price", "Payload.$": "$"},
                    "ResultSelector": {"price.$": "$.Payload.price"},
                    "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "MaxAttempts": 1}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}],
                    "Next": "Done",
                },
                "Done": {"Type": "Succeed", "OutputPath": "$.price"},
                "Sorry": {"Type": "Fail", "ErrorPath": "$.Error"},
            },
        }
    )
    first = sfn.test_state(
        definition=definition, stateName="Price", input='{"id": 7}', mock={"result": '{"Payload": {"price": 3}}'}
    )
    assert (first["status"], first["nextState"], first["output"]) == ("SUCCEEDED", "Done", '{"price":3}')
    last = sfn.test_state(definition=definition, stateName=first["nextState"], input=first["output"])
    assert (last["status"], last["output"]) == ("SUCCEEDED", "3")
    error = {"errorOutput": {"error": "Lambda.TooManyRequestsException", "cause": "busy"}}
    assert sfn.test_state(definition=definition, stateName="Price", mock=error)["status"] == "RETRIABLE"
    caught = sfn.test_state(
        definition=definition, stateName="Price", mock=error, stateConfiguration={"retrierRetryCount": 1}
    )
    assert (caught["status"], caught["nextState"]) == ("CAUGHT_ERROR", "Sorry")
    failed = sfn.test_state(definition=definition, stateName="Sorry", input=caught["output"])
    assert (failed["status"], failed["error"]) == ("FAILED", "Lambda.TooManyRequestsException")


def test_a_task_that_calls_this_server_is_really_called(sfn: Any) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:listActivities", "Parameters": {}, "End": True}
    answer = sfn.test_state(definition=json.dumps(state), roleArn=ROLE, inspectionLevel="DEBUG")
    assert answer["status"] == "SUCCEEDED"
    assert isinstance(json.loads(answer["inspectionData"]["result"])["Activities"], list)


@pytest.mark.parametrize("reveal", [False, True])
def test_trace_shows_the_request_and_the_response(sfn: Any, http_task: str, api: str, reveal: bool) -> None:
    """What the connection adds is shown to those who ask for it."""
    answer = sfn.test_state(definition=http_task, roleArn=ROLE, inspectionLevel="TRACE", revealSecrets=reveal)
    assert answer["status"] == "SUCCEEDED"
    request, response = answer["inspectionData"]["request"], answer["inspectionData"]["response"]
    assert (request["protocol"], request["method"], request["body"]) == ("http", "POST", '{"a":1}')
    assert request["url"] == f"{api}/things" + ("?own=hidden" if reveal else "")
    assert ("X-Key: s3cret" in request["headers"]) is reveal
    assert request["headers"].startswith("[")
    assert "Range: bytes=0-262144" in request["headers"]
    assert (response["statusCode"], response["statusMessage"]) == ("200", "OK")
    assert json.loads(response["body"]) == {"path": "/things?own=hidden"}
    assert "Content-Type: application/json" in response["headers"]


def test_below_trace_nothing_of_the_request_is_shown(sfn: Any, http_task: str) -> None:
    answer = sfn.test_state(definition=http_task, roleArn=ROLE, inspectionLevel="DEBUG")
    assert not {"request", "response"} & answer["inspectionData"].keys()


def test_what_is_wrong_is_an_error_of_the_api(sfn: Any) -> None:
    with pytest.raises(ClientError) as caught:
        sfn.test_state(definition='{"Type": "Pass"}')
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
    with pytest.raises(ClientError) as caught:
        sfn.test_state(definition='{"Type": "Succeed"}', input="{")
    assert caught.value.response["Error"]["Code"] == "InvalidExecutionInput"
    with pytest.raises(ClientError) as caught:
        sfn.test_state(definition='{"Type": "Succeed"}', roleArn="arn:aws:iam::1:user/u")
    assert caught.value.response["Error"]["Code"] == "InvalidArn"
