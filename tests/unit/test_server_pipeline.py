"""The life of a request: what reaches the service, and what comes back when something is wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.clock import SystemClock
from stepwell.kernel.errors import ServiceError, StorageUnavailable
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.setting_kinds import AccessKey
from stepwell.kernel.settings import Settings
from stepwell.server.exchange import Message
from stepwell.server.guard import open_guard
from stepwell.server.identity import identifier
from stepwell.server.metrics import Metrics
from stepwell.server.pages import pages
from stepwell.server.pipeline import Pipeline

DESCRIBE = "AWSStepFunctions.DescribeStateMachine"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


class Recorder:
    """A Caller that notes its calls and answers as it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any], CallContext]] = []
        self.answer: dict[str, Any] | BaseException = {}
        self.waiting: asyncio.Event | None = None
        self.cancelled = False

    async def call(self, service: str, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        self.calls.append((service, operation, dict(params), context))
        if self.waiting is not None:
            try:
                await self.waiting.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Client:
    """Speaks ASGI to a pipeline."""

    def __init__(self, settings: Settings | None = None, health: dict[str, Any] | None = None) -> None:
        settings = settings or Settings()
        self.caller = Recorder()
        self.gone = asyncio.Event()
        metrics = Metrics()

        async def tell() -> dict[str, Any]:
            return health or {"status": "ok"}

        self.pipeline = Pipeline(
            caller=self.caller,
            identify=identifier(settings, SystemClock()),
            guard=open_guard(()) if settings.access == "open" else None,
            pages=pages(tell, metrics),
            metrics=metrics,
            ids=SeededIds(),
            max_requests=settings.max_requests,
        )

    async def send(
        self,
        body: bytes | list[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        path: str = "/",
        query: str = "",
    ) -> tuple[int, dict[str, str], bytes]:
        parts = [body] if isinstance(body, bytes) else list(body)
        sent: list[Message] = []

        async def receive() -> Message:
            if parts:
                part = parts.pop(0)
                return {"type": "http.request", "body": part, "more_body": bool(parts)}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Message = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        }
        await self.pipeline(scope, receive, send)
        if not sent:
            return 0, {}, b""
        reply = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return sent[0]["status"], reply, sent[1]["body"]

    async def operation(self, target: str, params: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
        status, reply, body = await self.send(json.dumps(params).encode(), {"x-amz-target": target, **headers})
        return status, reply, json.loads(body)


def scope_header(access_key: str, region: str, service: str = "states") -> str:
    scope = f"{access_key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


async def test_a_call_reaches_the_service_with_account_and_region_of_its_signature() -> None:
    client = Client()
    client.caller.answer = {"stateMachineArn": MACHINE, "name": "m"}
    status, headers, body = await client.operation(
        DESCRIBE, {"stateMachineArn": MACHINE}, authorization=scope_header("123456789012", "eu-west-1")
    )
    assert (status, body) == (200, {"stateMachineArn": MACHINE, "name": "m"})
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert int(headers["content-length"]) > 0
    service, operation, params, context = client.caller.calls[0]
    assert (service, operation, params) == ("stepfunctions", "DescribeStateMachine", {"stateMachineArn": MACHINE})
    assert context.scope == Scope("aws", "eu-west-1", "123456789012")
    assert context.request_id == headers["x-amzn-requestid"]


async def test_an_unsigned_call_is_for_the_default_account_and_region() -> None:
    client = Client(Settings(region="eu-north-1", account="111122223333"))
    await client.operation(DESCRIBE, {"stateMachineArn": MACHINE})
    assert client.caller.calls[0][3].scope == Scope("aws", "eu-north-1", "111122223333")


async def test_a_region_of_china_is_in_its_own_partition() -> None:
    client = Client()
    await client.operation(DESCRIBE, {"stateMachineArn": MACHINE}, authorization=scope_header("k", "cn-north-1"))
    assert client.caller.calls[0][3].scope.partition == "aws-cn"


async def test_a_region_that_cannot_stand_in_an_arn_is_refused() -> None:
    status, _, body = await Client().operation(DESCRIBE, {}, authorization=scope_header("k", "us:east"))
    assert (status, body["__type"]) == (403, "InvalidSignatureException")


async def test_the_query_protocol_is_answered_in_xml() -> None:
    client = Client()
    client.caller.answer = {"Account": "000000000000", "Arn": "a", "UserId": "u"}
    status, headers, body = await client.send(
        b"Action=GetCallerIdentity&Version=2011-06-15", {"content-type": "application/x-www-form-urlencoded"}
    )
    assert status == 200
    assert headers["content-type"] == "text/xml"
    assert b"<Account>000000000000</Account>" in body


async def test_an_error_of_the_service_keeps_its_code_and_status() -> None:
    client = Client()
    client.caller.answer = ServiceError("StateMachineDoesNotExist", "State Machine Does Not Exist: 'x'")
    status, headers, body = await client.operation(DESCRIBE, {"stateMachineArn": MACHINE})
    assert (status, headers["x-amzn-errortype"]) == (400, "StateMachineDoesNotExist")
    assert body == {"__type": "StateMachineDoesNotExist", "message": "State Machine Does Not Exist: 'x'"}
    assert "x-amzn-requestid" in headers


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(KeyError("secret detail"), 500, "InternalFailure"), (StorageUnavailable("disk full"), 503, "ServiceUnavailable")],
)
async def test_our_own_fault_is_logged_with_its_traceback_and_request_id(
    fault: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    client.caller.answer = fault
    with caplog.at_level(logging.ERROR):
        got, headers, body = await client.operation(DESCRIBE, {"stateMachineArn": MACHINE})
    assert (got, body["__type"]) == (status, code)
    assert headers["x-amzn-requestid"] in body["message"]
    assert "secret detail" not in body["message"]
    record = caplog.records[-1]
    assert record.exc_info is not None
    assert record.exc_info[1] is fault
    assert record.__dict__["fields"]["request_id"] == headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"x-amz-target": DESCRIBE}, b"{", 400, "SerializationException"),
        ({"x-amz-target": DESCRIBE}, b"\xff\xfe", 400, "SerializationException"),
        ({"x-amz-target": DESCRIBE}, b"[]", 400, "SerializationException"),
        ({"x-amz-target": DESCRIBE}, b"{}", 400, "ValidationException"),
        ({"x-amz-target": "AWSStepFunctions.Nothing"}, b"{}", 400, "UnknownOperationException"),
        ({"x-amz-target": "AWSNothing.Nothing"}, b"{}", 400, "UnknownOperationException"),
        ({}, b"", 400, "UnknownOperationException"),
        ({"x-amz-target": DESCRIBE}, b" " * (1_048_576 + 1), 413, "RequestEntityTooLargeException"),
        ({"x-amz-target": DESCRIBE, "content-length": "99999999999"}, b"", 413, "RequestEntityTooLargeException"),
        ({"x-amz-target": DESCRIBE, "origin": "http://evil.example"}, b"{}", 403, "AccessDeniedException"),
        ({"x-amz-target": DESCRIBE, "host": "evil.example"}, b"{}", 403, "AccessDeniedException"),
    ],
)
async def test_bad_input_gets_an_error_of_aws_and_reaches_no_service(
    headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    client = Client()
    got, reply, text = await client.send(body, headers)
    assert (got, json.loads(text)["__type"]) == (status, code)
    assert "access-control-allow-origin" not in reply
    assert client.caller.calls == []


async def test_a_body_in_many_parts_is_refused_as_soon_as_it_is_too_large() -> None:
    parts = [b"x" * 600_000] * 100
    status, headers, _ = await Client().send(parts, {"x-amz-target": DESCRIBE})
    assert status == 413
    assert headers["connection"] == "close"


async def test_a_body_in_parts_is_put_together() -> None:
    client = Client()
    await client.send([b'{"stateMachine', b'Arn": "x"}'], {"x-amz-target": DESCRIBE})
    assert client.caller.calls[0][2] == {"stateMachineArn": "x"}


async def test_too_many_requests_at_once_are_throttled_but_health_answers() -> None:
    client = Client(Settings(max_requests=1))
    client.caller.waiting = asyncio.Event()
    first = asyncio.ensure_future(client.operation(DESCRIBE, {"stateMachineArn": MACHINE}))
    while not client.caller.calls:
        await asyncio.sleep(0)
    status, _, body = await client.operation(DESCRIBE, {"stateMachineArn": MACHINE})
    assert (status, body["__type"]) == (400, "ThrottlingException")
    assert (await client.send(method="GET", path="/health"))[0] == 200
    client.caller.waiting.set()
    assert (await first)[0] == 200


async def test_a_long_poll_ends_when_its_client_leaves() -> None:
    client = Client()
    client.caller.waiting = asyncio.Event()
    client.gone.set()
    status, _, _ = await client.send(
        b'{"activityArn": "arn:aws:states:us-east-1:1:activity:a"}',
        {"x-amz-target": "AWSStepFunctions.GetActivityTask"},
    )
    assert status == 0
    assert client.caller.cancelled


async def test_a_long_poll_is_answered_empty_when_the_server_stops() -> None:
    client = Client()
    client.caller.waiting = asyncio.Event()
    client.pipeline.stopping.set()
    status, _, body = await client.operation("AWSStepFunctions.GetActivityTask", {"activityArn": MACHINE})
    assert (status, body) == (200, {})


async def test_health_says_503_when_nothing_can_be_acknowledged() -> None:
    assert (await Client().send(method="GET", path="/health"))[0] == 200
    status, _, body = await Client(health={"status": "store: disk full"}).send(method="GET", path="/health")
    assert (status, json.loads(body)) == (503, {"status": "store: disk full"})


async def test_metrics_count_requests_by_outcome() -> None:
    client = Client()
    await client.operation(DESCRIBE, {"stateMachineArn": MACHINE})
    await client.operation(DESCRIBE, {})
    page = (await client.send(method="GET", path="/metrics"))[2].decode()
    labels = 'operation="DescribeStateMachine",service="stepfunctions"'
    assert f'stepwell_requests_total{{code="",{labels}}} 1.0' in page
    assert f'stepwell_requests_total{{code="ValidationException",{labels}}} 1.0' in page
    assert f"stepwell_request_seconds_count{{{labels}}} 2.0" in page


# ---------------------------------------------------------------------------------------------------- keys mode

KEYS = Settings(access="keys", access_keys=(AccessKey(id="AKID", secret="s3cret", account="123456789012"),))
BODY = json.dumps({"stateMachineArn": MACHINE}).encode()


def signed(secret: str = "s3cret", access_key: str = "AKID") -> dict[str, str]:
    request = AWSRequest(
        "POST", "http://box.example/", data=BODY, headers={"X-Amz-Target": DESCRIBE, "Host": "box.example"}
    )
    SigV4Auth(Credentials(access_key, secret), "states", "eu-west-1").add_auth(request)
    return dict(request.headers.items())


async def test_in_keys_mode_a_good_signature_gives_the_keys_account() -> None:
    client = Client(KEYS)
    status, _, _ = await client.send(BODY, signed())
    assert status == 200
    assert client.caller.calls[0][3].scope == Scope("aws", "eu-west-1", "123456789012")


async def test_in_keys_mode_a_presigned_url_is_good_too() -> None:
    url = "http://box.example/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"Host": "box.example"})
    SigV4QueryAuth(Credentials("AKID", "s3cret"), "sts", "us-east-1").add_auth(request)
    client = Client(KEYS)
    status, _, _ = await client.send(
        headers={"host": "box.example"}, method="GET", query=str(request.url).partition("?")[2]
    )
    assert status == 200
    assert client.caller.calls[0][1] == "GetCallerIdentity"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (signed(secret="wrong"), "InvalidSignatureException"),
        (signed(access_key="OTHER"), "UnrecognizedClientException"),
        ({"x-amz-target": DESCRIBE, "host": "box.example"}, "MissingAuthenticationTokenException"),
        ({**signed(), "X-Amz-Target": "AWSStepFunctions.DeleteStateMachine"}, "InvalidSignatureException"),
    ],
)
async def test_in_keys_mode_others_are_refused(headers: dict[str, str], code: str) -> None:
    client = Client(KEYS)
    status, _, body = await client.send(BODY, headers)
    assert status in (400, 403)
    assert json.loads(body)["__type"] == code
    assert client.caller.calls == []


async def test_in_keys_mode_a_changed_body_is_refused() -> None:
    status, _, body = await Client(KEYS).send(BODY + b" ", signed())
    assert status in (400, 403)
    assert json.loads(body)["__type"] == "InvalidSignatureException"
