"""The server as its users meet it: starting, stopping, dying, and who may come in."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from servers import LiveServer

PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
WAIT = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
ROLE = "arn:aws:iam::000000000000:role/r"


def stepwell(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STEPWELL_"))} | environment
    command = [sys.executable, "-m", "stepwell", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


def ask(
    server: LiveServer, method: str = "GET", path: str = "/health", body: str = "", **headers: str
) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_health_and_metrics_answer(server: LiveServer) -> None:
    status, body = ask(server)
    health = json.loads(body)
    assert (status, health["status"]) == (200, "ok")
    assert health["store"] == {"kind": "sqlite", "ok": True, "reason": None, "since": None}
    assert health["member"]["partitions"] == 256
    assert health["parked"] == {"count": 0, "executions": []}
    status, page = ask(server, path="/metrics")
    assert status == 200
    assert "stepwell_store_ok 1.0" in page
    assert "process_resident_memory_bytes" in page


def test_a_page_of_another_site_can_not_drive_the_server(server: LiveServer) -> None:
    headers = {"x_amz_target": "AWSStepFunctions.ListStateMachines", "content_type": "text/plain"}
    assert ask(server, "POST", "/", "{}", **headers)[0] == 200
    for bad in ({"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}, {"host": "evil.example:4566"}):
        status, body = ask(server, "POST", "/", "{}", **headers, **bad)
        assert status == 403, bad
        assert "AccessDeniedException" in body
    assert ask(server, "OPTIONS", "/", origin="http://evil.example")[0] == 403


def test_an_absolute_request_line_and_a_sync_host_are_accepted(server: LiveServer) -> None:
    """Clients behind a proxy setting send the former, SDKs that inject host prefixes the latter."""
    port = urlsplit(server.url).port
    request = (
        "POST http://sync-states.us-east-1.amazonaws.com/ HTTP/1.1\r\nHost: sync-states.us-east-1.amazonaws.com\r\n"
        "X-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    with socket.create_connection(("127.0.0.1", port or 0)) as raw:
        raw.sendall(request.encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")


def test_it_tells_how_to_reach_it_and_stops_at_sigterm_with_zero(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data").start()
    live.client().create_state_machine(name="m", definition=PASS, roleArn=ROLE)
    assert live.stop() == 0
    assert (tmp_path / "data" / "keys.json").stat().st_mode & 0o777 == 0o600
    assert "*" in (tmp_path / "data" / ".gitignore").read_text()


def test_a_second_server_on_the_same_data_is_told_why_it_may_not(server: LiveServer, tmp_path: Path) -> None:
    second = stepwell("up", "--port", "0", "--data", str(server.data), cwd=tmp_path)
    assert second.returncode == 6
    assert str(server.pid) in second.stderr or "another" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_told(server: LiveServer, tmp_path: Path) -> None:
    second = stepwell("up", "--port", server.url.rpartition(":")[2], "--data", "d", cwd=tmp_path)
    assert second.returncode == 6
    assert "--port" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "access is 'open'"),
        (["--access", "keys"], "STEPWELL_ACCESS_KEYS"),
        (["--store", "postgresql://127.0.0.1/x"], "STEPWELL_KEYS"),
        (["--port", "many"], "whole number"),
        (["--config", "nowhere.toml"], "no such file"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(arguments: list[str], words: str, tmp_path: Path) -> None:
    refused = stepwell("up", *arguments, cwd=tmp_path)
    assert refused.returncode == 6
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_nothing_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data").start()
    states = live.client()
    arn = states.create_state_machine(name="m", definition=WAIT, roleArn=ROLE)["stateMachineArn"]
    started = [states.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(20)]
    live.kill()
    live.start()
    states = live.client()
    assert {states.describe_execution(executionArn=e)["status"] for e in started} == {"RUNNING"}
    states.stop_execution(executionArn=started[0])
    assert states.describe_execution(executionArn=started[0])["status"] == "ABORTED"
    assert live.stop() == 0


def test_a_long_poll_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    """It is answered empty at once, though requests in flight would be given a long time."""
    live = LiveServer(tmp_path / "data", "--drain-seconds", "600").start()
    states = live.client()
    arn = states.create_activity(name="a")["activityArn"]
    answers: list[dict[str, object]] = []
    poll = threading.Thread(target=lambda: answers.append(states.get_activity_task(activityArn=arn)))
    poll.start()
    deadline = time.monotonic() + 20
    while "stepwell_requests_in_flight 2.0" not in ask(live, path="/metrics")[1]:  # the poll, and this question
        assert time.monotonic() < deadline
    assert live.stop() == 0
    poll.join(20)
    assert [answer.get("taskToken") for answer in answers] == [None]


def test_keys_mode_takes_signed_requests_only(tmp_path: Path) -> None:
    keys = {"STEPWELL_ACCESS_KEYS": "AKIDEXAMPLE:s3cret:123456789012"}
    live = LiveServer(tmp_path / "data", "--access", "keys", "--host", "0.0.0.0", environment=keys).start()
    good = live.client("sts", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="s3cret")
    assert good.get_caller_identity()["Account"] == "123456789012"
    bad = live.client("sts", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="wrong")
    with pytest.raises(bad.exceptions.ClientError, match="SignatureDoesNotMatch"):
        bad.get_caller_identity()
    status, body = ask(live, "POST", "/", "{}", x_amz_target="AWSStepFunctions.ListStateMachines")
    assert status in (400, 403)
    assert "MissingAuthenticationToken" in body
    assert ask(live)[0] == 200
    assert live.stop() == 0
