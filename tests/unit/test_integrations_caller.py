"""Where a call goes: embedded, to an endpoint, to AWS, or nowhere with an error that names the setting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from botocore.credentials import Credentials, ReadOnlyCredentials

from stepwell.integrations import routes
from stepwell.integrations.caller import RoutingCaller
from stepwell.integrations.faults import UnreachableError
from stepwell.integrations.models import service_model
from stepwell.integrations.remote import RemoteServices
from stepwell.integrations.routes import AwsRoute, EndpointRoute, parse_route
from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.errors import ServiceError, SettingError

CONTEXT = CallContext(scope=Scope(account="111122223333", region="eu-west-1"), request_id="r-1")


class Embedded:
    name = "events"

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        self.calls.append((operation, dict(params)))
        return {"Connections": []}


class Remote:
    """A server that keeps its requests and answers what it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.Request, bytes]] = []
        self.answers: list[web.Response | None] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self.server = TestServer(app)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request, await request.read()))
        answer = self.answers.pop(0) if self.answers else web.json_response({})
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    made = Remote()
    await made.server.start_server()
    yield made
    await made.server.close()


async def test_an_embedded_service_is_called_in_this_process() -> None:
    service = Embedded()
    caller = RoutingCaller({}, {"events": service})
    assert await caller.call("events", "ListConnections", {"Limit": 1}, CONTEXT) == {"Connections": []}
    assert service.calls == [("ListConnections", {"Limit": 1})]


async def test_what_is_sent_to_an_embedded_service_is_checked_first() -> None:
    def check(service: str, operation: str, params: Params) -> None:
        raise ServiceError("ValidationException", f"{service} {operation} {dict(params)}")

    caller = RoutingCaller({}, {"events": Embedded()}, check=check)
    with pytest.raises(ServiceError, match="events ListConnections"):
        await caller.call("events", "ListConnections", {"Limit": 0}, CONTEXT)


async def test_a_service_nobody_serves_is_refused_with_the_settings_name() -> None:
    caller = RoutingCaller({}, {})
    with pytest.raises(UnreachableError, match=r"endpoints\.cognito-idp .*STEPWELL_ENDPOINT_COGNITO_IDP"):
        await caller.call("cognito-idp", "ListUserPools", {}, CONTEXT)


def test_a_route_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(SettingError, match=r"endpoints\.sqs"):
        RoutingCaller({"sqs": "127.0.0.1:5000"}, {})
    with pytest.raises(SettingError, match="this server is Step Functions"):
        RoutingCaller({"stepfunctions": "aws"}, {})


async def test_a_request_is_signed_with_the_account_as_access_key(remote: Remote) -> None:
    caller = RoutingCaller({"dynamodb": remote.url + "/"}, {})
    remote.answers = [web.json_response({"TableNames": ["t"]}, headers={"x-amzn-RequestId": "id-1"})]
    result = await caller.call("dynamodb", "ListTables", {}, CONTEXT)
    await caller.close()
    request, body = remote.requests[0]
    assert request.headers["X-Amz-Target"] == "DynamoDB_20120810.ListTables"
    assert "Credential=111122223333/" in request.headers["Authorization"]
    assert "/eu-west-1/dynamodb/aws4_request" in request.headers["Authorization"]
    assert body == b"{}"
    assert result["TableNames"] == ["t"]
    assert result["ResponseMetadata"]["RequestId"] == "id-1"
    assert result["ResponseMetadata"]["HTTPHeaders"]["x-amzn-RequestId"] == ["id-1"]


async def test_credentials_in_an_endpoints_url_sign_and_are_not_sent(remote: Remote) -> None:
    url = remote.url.replace("http://", "http://minio:se%2Fcret@")
    assert parse_route("s3", url, AwsRoute()) == EndpointRoute(remote.url, "minio", "se/cret")
    caller = RoutingCaller({"s3": url}, {})
    remote.answers = [web.Response(body=b"")]
    await caller.call("s3", "PutObject", {"Bucket": "b", "Key": "a b/c", "Body": b"x"}, CONTEXT)
    await caller.close()
    request, body = remote.requests[0]
    assert "Credential=minio/" in request.headers["Authorization"]
    assert request.raw_path == "/b/a%20b/c"
    assert request.headers["x-amz-checksum-crc32"] == "jNwWgw=="
    assert body == b"x"


async def test_a_variable_name_with_underscores_is_a_service_with_hyphens(remote: Remote) -> None:
    caller = RoutingCaller({"cognito_idp": remote.url}, {})
    remote.answers = [web.json_response({"UserPools": []})]
    result = await caller.call("cognito-idp", "ListUserPools", {"MaxResults": 1}, CONTEXT)
    await caller.close()
    assert result["UserPools"] == []


async def test_an_error_keeps_code_message_status_and_ids(remote: Remote) -> None:
    remote.answers = [
        web.json_response(
            {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Not here"},
            status=400,
            headers={"x-amzn-RequestId": "id-9", "x-amz-id-2": "more"},
        )
    ]
    caller = RoutingCaller({"dynamodb": remote.url}, {})
    with pytest.raises(ServiceError) as raised:
        await caller.call("dynamodb", "ListTables", {}, CONTEXT)
    await caller.close()
    error = raised.value
    assert (error.code, error.message, error.status) == ("ResourceNotFoundException", "Not here", 400)
    assert error.fields == {"request_id": "id-9", "extended_request_id": "more"}


async def test_a_kept_connection_that_was_closed_is_opened_again_once(remote: Remote) -> None:
    caller = RoutingCaller({"dynamodb": remote.url}, {})
    remote.answers = [None, web.json_response({"TableNames": []})]
    assert (await caller.call("dynamodb", "ListTables", {}, CONTEXT))["TableNames"] == []
    remote.answers = [None, None]
    with pytest.raises(UnreachableError, match="Unable to execute HTTP request"):
        await caller.call("dynamodb", "ListTables", {}, CONTEXT)
    await caller.close()
    assert len(remote.requests) == 4


async def test_redirects_to_other_hosts_are_not_followed(remote: Remote) -> None:
    remote.answers = [web.Response(status=307, headers={"Location": "http://192.0.2.1/"})]
    caller = RoutingCaller({"dynamodb": remote.url}, {})
    with pytest.raises(ServiceError) as raised:
        await caller.call("dynamodb", "ListTables", {}, CONTEXT)
    await caller.close()
    assert raised.value.status == 307


async def test_a_server_that_is_not_there_is_a_connection_error() -> None:
    caller = RoutingCaller({"sqs": f"http://127.0.0.1:{unused_port()}"}, {})
    with pytest.raises(UnreachableError, match=r"Unable to execute HTTP request: .*127\.0\.0\.1"):
        await caller.call("sqs", "ListQueues", {}, CONTEXT)
    await caller.close()


async def test_an_answer_that_is_not_the_protocols_is_a_connection_error(remote: Remote) -> None:
    remote.answers = [web.Response(text="<html>hello", content_type="text/html")]
    caller = RoutingCaller({"dynamodb": remote.url}, {})
    with pytest.raises(UnreachableError, match="Unable to unmarshall response"):
        await caller.call("dynamodb", "ListTables", {}, CONTEXT)
    await caller.close()


@pytest.mark.parametrize(
    ("service", "region", "url", "signing_region"),
    [
        ("dynamodb", "eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1"),
        ("s3", "us-east-1", "https://s3.us-east-1.amazonaws.com", "us-east-1"),
        ("iam", "eu-west-1", "https://iam.amazonaws.com", "us-east-1"),
        ("lambda", "cn-north-1", "https://lambda.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ],
)
async def test_aws_endpoints_follow_botocores_rules(
    monkeypatch: pytest.MonkeyPatch, service: str, region: str, url: str, signing_region: str
) -> None:
    monkeypatch.setattr(routes, "find_credentials", lambda: Credentials("AKIA", "secret", "token"))
    target = await AwsRoute().target(service_model(service), Scope(region=region))
    assert (target.url, target.region) == (url, signing_region)
    assert target.credentials == ReadOnlyCredentials("AKIA", "secret", "token")


async def test_missing_credentials_for_aws_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "find_credentials", lambda: None)
    caller = RoutingCaller({"sqs": "aws"}, {}, remote=RemoteServices())
    with pytest.raises(UnreachableError, match="no AWS credentials"):
        await caller.call("sqs", "ListQueues", {}, CONTEXT)
