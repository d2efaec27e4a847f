"""Who may come in: web pages may not drive an open server, and with keys only whoever proves one is heard."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from servers import LiveServer

KEY, SECRET, ACCOUNT = "AKIDEXAMPLE", "s3cret", "123456789012"
LIST = {"X-Amz-Target": "AWSStepFunctions.ListStateMachines", "Content-Type": "application/x-amz-json-1.0"}
Answer = tuple[int, dict[str, str], str]


def ask(server: LiveServer, method: str, target: str, headers: dict[str, str], body: str = "{}") -> Answer:
    """Status, headers (lower-case names) and body; a Host among the headers replaces the usual one."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest(method, target, skip_host="Host" in headers)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode())
    response = connection.getresponse()
    found = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode()
    connection.close()
    return found


class TestOpen:
    """Mode ``open``: any key, from this machine, but no web page."""

    PAGES = (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:4566", "Origin": "http://evil.example:4566"},  # a name that was rebound to 127.0.0.1
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "amazonaws.com.evil.example"},
    )

    @pytest.mark.parametrize("headers", PAGES, ids=str)
    def test_what_a_web_page_sends_is_refused_before_anything_happens(
        self, server: LiveServer, headers: dict[str, str]
    ) -> None:
        create = {"X-Amz-Target": "AWSStepFunctions.CreateActivity", "Content-Type": "text/plain"}
        status, found, body = ask(server, "POST", "/", {**create, **headers}, '{"name": "from-a-page"}')
        assert status == 403
        assert json.loads(body)["__type"] == "AccessDeniedException"
        assert not [name for name in found if name.startswith("access-control")]
        assert "from-a-page" not in str(server.client().list_activities())

    def test_pages_may_not_read_health_or_ask_beforehand(self, server: LiveServer) -> None:
        for method, target in (("GET", "/health"), ("GET", "/metrics"), ("OPTIONS", "/")):
            status, found, _ = ask(server, method, target, {"Origin": "http://evil.example"}, "")
            assert status == 403
            assert not [name for name in found if name.startswith("access-control")]

    def test_no_cors_header_is_sent_to_anybody(self, server: LiveServer) -> None:
        own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
        for method, headers in (("POST", {**LIST, **own}), ("OPTIONS", own), ("POST", LIST)):
            status, found, _ = ask(server, method, "/", headers)
            assert status in (200, 400)
            assert not [name for name in found if name.startswith("access-control")]

    @pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:4566", "states.us-east-1.amazonaws.com"])
    def test_names_of_this_machine_and_of_aws_are_its_own(self, server: LiveServer, host: str) -> None:
        assert ask(server, "POST", "/", {**LIST, "Host": host})[0] == 200

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
    def test_listening_for_others_is_refused(self, host: str, tmp_path: Any) -> None:
        command = [sys.executable, "-m", "stepwell", "up", "--host", host, "--port", "0", "--data", str(tmp_path / "d")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
        assert done.returncode == 6
        assert "access is 'open'" in done.stderr
        assert not (tmp_path / "d").exists()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    keys = {"STEPWELL_ACCESS_KEYS": f"{KEY}:{SECRET}:{ACCOUNT}"}
    data = tmp_path_factory.mktemp("guarded") / "data"
    live = LiveServer(data, "--access", "keys", "--host", "0.0.0.0", environment=keys).start()
    yield live
    live.stop()


def signed(server: LiveServer, *, key: str = KEY, secret: str = SECRET, body: str = "{}") -> AWSRequest:
    request = AWSRequest("POST", server.url + "/", data=body, headers=dict(LIST))
    SigV4Auth(Credentials(key, secret), "states", "eu-west-1").add_auth(request)
    return request


def send(server: LiveServer, request: AWSRequest, body: str = "{}") -> tuple[int, str]:
    """Status, and the error's code (empty for none)."""
    parts = urlsplit(request.url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    status, _, text = ask(server, request.method, target, dict(request.headers.items()), body)
    code = json.loads(text).get("__type", "") if text.startswith("{") else text
    return status, code


class TestKeys:
    """Mode ``keys``: SigV4, in headers or in the URL."""

    def test_boto3_with_the_key_is_let_in_under_its_account(self, guarded: LiveServer) -> None:
        sfn = guarded.client(aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="eu-west-1")
        arn = sfn.create_activity(name="mine")["activityArn"]
        assert arn == f"arn:aws:states:eu-west-1:{ACCOUNT}:activity:mine"

    def test_a_signed_request_is_let_in(self, guarded: LiveServer) -> None:
        assert send(guarded, signed(guarded)) == (200, "")

    def test_a_wrong_secret_is_refused(self, guarded: LiveServer) -> None:
        assert send(guarded, signed(guarded, secret="wrong")) == (400, "InvalidSignatureException")

    def test_an_unknown_key_is_refused(self, guarded: LiveServer) -> None:
        assert send(guarded, signed(guarded, key="AKIDOTHER")) == (400, "UnrecognizedClientException")

    def test_a_body_other_than_the_signed_one_is_refused(self, guarded: LiveServer) -> None:
        assert send(guarded, signed(guarded), '{"maxResults": 1}') == (400, "InvalidSignatureException")

    def test_an_unsigned_request_is_refused(self, guarded: LiveServer) -> None:
        status, _, body = ask(guarded, "POST", "/", LIST)
        assert (status, json.loads(body)["__type"]) == (400, "MissingAuthenticationTokenException")

    @pytest.mark.parametrize("minutes", [-16, 16])
    def test_a_clock_that_is_off_by_more_than_15_minutes_is_refused(
        self, guarded: LiveServer, minutes: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
        assert send(guarded, signed(guarded)) == (400, "InvalidSignatureException")

    def test_a_presigned_url_is_let_in_while_it_lasts(
        self, guarded: LiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"{guarded.url}/?Action=GetCallerIdentity&Version=2011-06-15"
        now = datetime.now(UTC).replace(tzinfo=None)

        def presigned(secret: str, age: int) -> Answer:
            monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now - timedelta(seconds=age))
            request = AWSRequest("GET", url, headers={})
            SigV4QueryAuth(Credentials(KEY, secret), "sts", "us-east-1", expires=60).add_auth(request)
            return ask(guarded, "GET", "/?" + urlsplit(request.url).query, {}, "")

        status, _, body = presigned(SECRET, 0)
        assert status == 200, body
        assert ACCOUNT in body
        assert presigned("wrong", 0)[0] == 403
        status, _, body = presigned(SECRET, 120)
        assert status == 403
        assert "Signature expired" in body

    def test_nobody_unproven_changes_anything(self, guarded: LiveServer) -> None:
        bad = guarded.client(aws_access_key_id=KEY, aws_secret_access_key="wrong")
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            bad.create_activity(name="forged")
        good = guarded.client(aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        assert "forged" not in str(good.list_activities())

    def test_health_needs_no_key(self, guarded: LiveServer) -> None:
        assert ask(guarded, "GET", "/health", {}, "")[0] == 200
