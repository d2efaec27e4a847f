"""``http:invoke`` against a server on loopback: requests, answers, failures, connections and OAuth tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from stepwell.asl.resources import parse_resource
from stepwell.engine.tasks import TaskCall
from stepwell.integrations.http.encoding import form
from stepwell.integrations.http.invoke import HttpInvoke
from stepwell.integrations.http.request import FORBIDDEN_HEADERS, HttpRequest, ParameterError, build
from stepwell.integrations.http.tokens import token_request
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError, StateError
from stepwell.kernel.jsontext import Json
from stepwell.services.events.connection import Connection, OAuth, Parameter

ARN = "arn:aws:events:us-east-1:000000000000:connection/one/81210c42"
BASIC = Connection(arn=ARN, basic=("user", "pass"))
Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse] | web.StreamResponse]


class Api:
    """A server that keeps what it is asked and answers with ``answer``."""

    def __init__(self) -> None:
        self.seen: list[tuple[web.Request, bytes]] = []
        self.answer: Answer = lambda request, body: web.json_response({"ok": True})
        self.tokens = 0
        self.token_answer: dict[str, Any] | None = {"token_type": "bearer", "expires_in": 3600}
        app = web.Application()
        app.router.add_route("*", "/token", self._token)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self.server = TestServer(app)

    async def _token(self, request: web.Request) -> web.Response:
        self.tokens += 1
        self.seen.append((request, await request.read()))
        if self.token_answer is None:
            return web.Response(status=403, text="no")
        return web.json_response({"access_token": f"t{self.tokens}"} | self.token_answer)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request, body))
        made = self.answer(request, body)
        return await made if isinstance(made, Awaitable) else made

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


class Store:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def resolve(self, arn: str) -> Connection:
        if arn != self.connection.arn:
            raise ServiceError("ResourceNotFoundException", f"The connection {arn} does not exist.")
        return self.connection


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def make(clock: ManualClock) -> AsyncIterator[Callable[..., HttpInvoke]]:
    made: list[HttpInvoke] = []

    def handler(connection: Connection = BASIC, seconds: float = 20.0) -> HttpInvoke:
        made.append(HttpInvoke(Store(connection), clock, http_seconds=seconds))
        return made[-1]

    yield handler
    for each in made:
        await each.close()


Make = Callable[..., HttpInvoke]


def task(parameters: Any) -> TaskCall:
    return TaskCall(
        key="key",
        resource=parse_resource("arn:aws:states:::http:invoke"),
        parameters=Json(parameters),
        state="Call",
        attempt=0,
        execution_arn="e",
        machine_arn="m",
        role_arn="r",
        scope=Scope(region="eu-central-1"),
    )


def asked(url: str, **more: Any) -> TaskCall:
    return task({"ApiEndpoint": url, "Method": "GET", "InvocationConfig": {"ConnectionArn": ARN}} | more)


async def failure(awaitable: Awaitable[Json]) -> tuple[str | None, str]:
    with pytest.raises(StateError) as raised:
        await awaitable
    return raised.value.error, raised.value.cause or ""


def built(connection: Connection = BASIC, **parameters: Any) -> HttpRequest:
    return build({"ApiEndpoint": "https://example.com/path", "Method": "POST"} | parameters, connection, "us-east-1")


# -------------------------------------------------------------------------------------------------------- requests


def test_the_connections_values_win_in_headers_query_and_body() -> None:
    """The example of the AWS page about HTTP Tasks."""
    connection = Connection(
        arn=ARN,
        api_key=("ApiKey", "key_value"),
        headers=(Parameter("Header-Param", "connection_header_param"),),
        query=(Parameter("QueryParam", "connection_query_param"),),
        body=(Parameter("BodyParam", "connection_body_param"),),
    )
    request = built(
        connection,
        Headers={"Request-Id": "my_request_id", "header-param": "state_machine_header_param"},
        RequestBody={"Job": "Software Engineer", "Company": "AnyCompany", "BodyParam": "state_machine_body_param"},
        QueryParameters={"QueryParam": "state_machine_query_param"},
    )
    assert request.url == "https://example.com/path?QueryParam=connection_query_param"
    assert request.body == (b'{"Job":"Software Engineer","Company":"AnyCompany","BodyParam":"connection_body_param"}')
    assert dict(request.headers) == {
        "ApiKey": "key_value",
        "Content-Type": "application/json; charset=UTF-8",
        "Header-Param": "connection_header_param",
        "Range": "bytes=0-262144",
        "Request-Id": "my_request_id",
        "User-Agent": "Amazon|StepFunctions|HttpInvoke|us-east-1",
    }


@pytest.mark.parametrize("name", [*sorted(FORBIDDEN_HEADERS), "X-Forwarded-For", "X-Amz-Date", "x-amzn-trace-id"])
def test_headers_that_are_not_the_tasks_to_set_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=f"(?i){name}. is not allowed"):
        built(Headers={name.title(): "x"})


def test_a_connection_may_set_any_header() -> None:
    connection = Connection(
        arn=ARN, api_key=("Authorization", "Basic key"), headers=(Parameter("Cache-Control", "no"),)
    )
    assert dict(built(connection).headers)["Authorization"] == "Basic key"
    assert dict(built(connection).headers)["Cache-Control"] == "no"


def test_headers_with_several_values_are_sent_several_times() -> None:
    request = built(Headers={"X-Many": ["a", "b"], "X-Number": 1})
    assert [pair for pair in request.headers if pair[0].startswith("X-")] == [
        ("X-Many", "a"),
        ("X-Many", "b"),
        ("X-Number", "1"),
    ]


def test_a_line_break_in_a_header_is_refused() -> None:
    with pytest.raises(ParameterError):
        built(Headers={"X": "a\r\nEvil: b"})


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"currency": "usd", "n": 1}, "currency=usd&n=1"),
        ({"a b": ["x&y", "ü"]}, "a%20b=x%26y&a%20b=%C3%BC"),
        ("a=1&b=c d", "a=1&b=c%20d"),
        (["a=1", {"b": True}], "a=1&b=true"),
        ({"none": None}, ""),
    ],
)
def test_query_parameters_are_encoded(given: Any, query: str) -> None:
    assert built(QueryParameters=given).url == "https://example.com/path" + (f"?{query}" if query else "")


def test_an_endpoints_own_query_and_odd_path_stay() -> None:
    request = built(ApiEndpoint="https://example.com/a b/%2Fc?x=1#part", QueryParameters={"y": "2"})
    assert request.url == "https://example.com/a%20b/%2Fc?x=1&y=2"
    assert built(ApiEndpoint="http://localhost:8080").url == "http://localhost:8080/"


@pytest.mark.parametrize(
    ("array_format", "text"),
    [
        ("INDICES", "array%5B0%5D=a&array%5B1%5D=b"),
        ("REPEAT", "array=a&array=b"),
        ("COMMAS", "array=a,b"),
        ("BRACKETS", "array%5B%5D=a&array%5B%5D=b"),
    ],
)
def test_arrays_in_forms_have_four_formats(array_format: str, text: str) -> None:
    assert form({"array": ["a", "b"]}, array_format) == text
    request = built(
        RequestBody={"array": ["a", "b"]},
        Transform={"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": array_format}},
    )
    assert request.body == text.encode()


def test_nested_members_of_a_form_are_in_brackets() -> None:
    """The example of the AWS page about HTTP Tasks."""
    body = {"description": "Monthly subscription", "metadata": {"order_details": "monthly report data"}, "n": 1.5}
    request = built(RequestBody=body, Transform={"RequestBodyEncoding": "URL_ENCODED"})
    assert request.body == (
        b"description=Monthly%20subscription&metadata%5Border_details%5D=monthly%20report%20data&n=1.5"
    )


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"Method": "FETCH"}, "The field 'Method' should have one of these values"),
        ({"ApiEndpoint": "example.com"}, "The value of the field 'ApiEndpoint' has an invalid format"),
        ({"ApiEndpoint": None}, "The field 'ApiEndpoint' is required but was missing"),
        ({"Url": "x"}, 'The field "Url" is not supported by Step Functions'),
        ({"Transform": {"RequestBodyEncoding": "X"}, "RequestBody": {}}, "RequestBodyEncoding"),
        ({"Headers": "X: y"}, "The value of the field 'Headers' has an invalid format"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        built(**parameters)


def test_a_text_body_is_sent_as_it_is_and_cannot_be_merged() -> None:
    assert built(RequestBody="<xml/>").body == b"<xml/>"
    connection = Connection(arn=ARN, basic=("u", "p"), body=(Parameter("a", "b"),))
    with pytest.raises(ParameterError, match="JSON object"):
        built(connection, RequestBody="text")
    assert built(connection).body == b'{"a":"b"}'


# --------------------------------------------------------------------------------------------------------- answers


async def test_a_request_is_authorised_and_its_answer_has_four_members(api: Api, make: Make) -> None:
    result = (await make().request(asked(api.url + "/x", QueryParameters={"q": "1"}))).value
    request, body = api.seen[0]
    assert request.headers["Authorization"] == "Basic dXNlcjpwYXNz"
    assert request.headers["User-Agent"] == "Amazon|StepFunctions|HttpInvoke|eu-central-1"
    assert "Accept-Encoding" not in request.headers
    assert (request.path_qs, body) == ("/x?q=1", b"")
    assert set(result) == {"Headers", "ResponseBody", "StatusCode", "StatusText"}
    assert (result["StatusCode"], result["StatusText"], result["ResponseBody"]) == (200, "OK", {"ok": True})
    assert result["Headers"]["Content-Type"] == ["application/json; charset=utf-8"]


async def test_the_older_field_names_the_connection_too(api: Api, make: Make) -> None:
    parameters = {"ApiEndpoint": api.url, "Method": "POST", "RequestBody": {"a": 1}}
    result = await make().request(task(parameters | {"Authentication": {"ConnectionArn": ARN}}))
    assert result.value["StatusCode"] == 200
    assert api.seen[0][1] == b'{"a":1}'
    error, cause = await failure(make().request(task(parameters)))
    assert (error, "'InvocationConfig' and 'Authentication'" in cause) == ("States.Runtime", True)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (web.Response(text="hello"), "hello"),
        (web.Response(text='{"a":1}'), {"a": 1}),
        (web.Response(text="12"), "12"),
        (web.Response(text="12", content_type="application/json"), 12),
        (web.Response(text="{broken", content_type="application/json"), "{broken"),
        (web.Response(text='{"e":1}', content_type="application/problem+json"), {"e": 1}),
        (web.Response(body="grün".encode("latin-1"), headers={"Content-Type": "text/plain; charset=latin-1"}), "grün"),
        (web.Response(status=204), ""),
    ],
)
async def test_json_is_parsed_and_other_text_is_text(api: Api, make: Make, answer: web.Response, body: Any) -> None:
    api.answer = lambda request, sent: answer
    assert (await make().request(asked(api.url))).value["ResponseBody"] == body


@pytest.mark.parametrize(("status", "text"), [(404, "Not Found"), (500, "Internal Server Error"), (302, "Found")])
async def test_another_status_fails_with_its_number_and_text(api: Api, make: Make, status: int, text: str) -> None:
    api.answer = lambda request, body: web.Response(status=status, text="details", headers={"Location": "/y"})
    assert await failure(make().request(asked(api.url))) == (f"States.Http.StatusCode.{status}", text)
    assert len(api.seen) == 1


@pytest.mark.parametrize(
    ("kind", "body"), [("image/png", b"\x89PNG"), ("application/octet-stream", b"x"), ("text/plain", b"\xff\xfe\xff")]
)
async def test_bytes_that_are_no_text_fail(api: Api, make: Make, kind: str, body: bytes) -> None:
    api.answer = lambda request, sent: web.Response(body=body, content_type=kind)
    assert (await failure(make().request(asked(api.url))))[0] == "States.Runtime"


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(api: Api, make: Make) -> None:
    api.answer = lambda request, body: web.Response(text="x" * 300_000)
    assert (await failure(make().request(asked(api.url))))[0] == "States.DataLimitExceeded"


async def test_a_server_that_does_not_answer_in_time_is_a_socket_error(api: Api, make: Make) -> None:
    never = asyncio.Event()

    async def wait(request: web.Request, body: bytes) -> web.Response:
        await never.wait()
        return web.Response()

    api.answer = wait
    error, cause = await failure(make(seconds=0.05).request(asked(api.url)))
    never.set()
    assert (error, "timed out" in cause) == ("States.Http.Socket", True)


async def test_a_server_that_is_not_there_is_a_socket_error_without_the_url(make: Make) -> None:
    connection = Connection(arn=ARN, basic=("u", "p"), query=(Parameter("key", "secret-value", secret=True),))
    error, cause = await failure(make(connection).request(asked(f"http://127.0.0.1:{unused_port()}/")))
    assert error == "States.Http.Socket"
    assert "127.0.0.1" in cause
    assert "secret-value" not in cause


@pytest.mark.parametrize(
    ("connection", "error"),
    [
        (Connection(arn="arn:other"), "ResourceNotFound"),
        (Connection(arn=ARN, state="DEAUTHORIZED"), "InvalidConnectionState"),
        (Connection(arn=ARN, state="AUTHORIZING"), "AuthInProgress"),
    ],
)
async def test_a_connection_that_cannot_be_used_has_its_own_errors(
    api: Api, make: Make, connection: Connection, error: str
) -> None:
    assert (await failure(make(connection).request(asked(api.url))))[0] == f"Events.ConnectionResource.{error}"
    assert not api.seen


# ---------------------------------------------------------------------------------------------------------- tokens


def oauth(api: Api, **more: Any) -> Connection:
    fields = {"endpoint": api.url + "/token", "method": "POST", "client_id": "id", "client_secret": "s&t"}
    return Connection(arn=ARN, oauth=OAuth(**(fields | more)))


def authorisations(api: Api) -> list[str]:
    return [request.headers["Authorization"] for request, _ in api.seen if request.path != "/token"]


async def test_a_token_is_fetched_once_for_all_that_wait_and_kept_until_it_expires(
    api: Api, make: Make, clock: ManualClock
) -> None:
    handler = make(oauth(api))
    await asyncio.gather(*(handler.request(asked(api.url)) for _ in range(5)))
    assert api.tokens == 1
    assert authorisations(api) == ["Bearer t1"] * 5
    await clock.advance(3500)
    await handler.request(asked(api.url))
    assert api.tokens == 1
    await clock.advance(80)
    await handler.request(asked(api.url))
    assert authorisations(api)[-1] == "Bearer t2"


async def test_the_token_request_is_a_form_with_the_clients_credentials(api: Api, make: Make) -> None:
    await make(oauth(api, body=(Parameter("scope", "a b"),))).request(asked(api.url))
    request, body = api.seen[0]
    assert (request.method, request.path) == ("POST", "/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert body == b"grant_type=client_credentials&scope=a%20b&client_id=id&client_secret=s%26t"


def test_a_token_request_can_be_json_or_a_query() -> None:
    base: dict[str, Any] = {"endpoint": "https://e/token?x=1", "client_id": "id", "client_secret": "s"}
    as_json = OAuth(**base, method="PUT", headers=(Parameter("content-type", "application/json"),))
    url, headers, body = token_request(as_json)
    assert (url, headers) == ("https://e/token?x=1", [("content-type", "application/json")])
    assert body == b'{"grant_type":"client_credentials","client_id":"id","client_secret":"s"}'
    url, headers, body = token_request(OAuth(**base, method="GET", query=(Parameter("q", "1"),)))
    assert url == "https://e/token?x=1&q=1&grant_type=client_credentials&client_id=id&client_secret=s"
    assert (headers, body) == ([], None)


@pytest.mark.parametrize("status", [401, 407])
async def test_a_refused_token_is_replaced_once(api: Api, make: Make, status: int) -> None:
    handler = make(oauth(api))
    api.answer = lambda request, body: web.Response(
        status=status if request.headers["Authorization"] == "Bearer t1" else 200
    )
    assert (await handler.request(asked(api.url))).value["StatusCode"] == 200
    assert authorisations(api) == ["Bearer t1", "Bearer t2"]
    api.answer = lambda request, body: web.Response(status=status)
    assert (await failure(handler.request(asked(api.url))))[0] == f"States.Http.StatusCode.{status}"
    assert authorisations(api)[2:] == ["Bearer t2", "Bearer t3"]


async def test_an_updated_connection_gets_a_new_token(api: Api, clock: ManualClock) -> None:
    store = Store(oauth(api))
    handler = HttpInvoke(store, clock)
    await handler.request(asked(api.url))
    old = store.connection
    store.connection = Connection(arn=ARN, oauth=old.oauth, modified=old.modified + 1)
    await handler.request(asked(api.url))
    await handler.close()
    assert authorisations(api) == ["Bearer t1", "Bearer t2"]


async def test_a_token_endpoint_that_refuses_is_said_so_and_asked_again_later(api: Api, make: Make) -> None:
    handler = make(oauth(api))
    api.token_answer = None
    error, cause = await failure(handler.request(asked(api.url)))
    assert error == "Events.ConnectionResource.InvalidConnectionState"
    assert cause == "The authorization endpoint answered with the HTTP status 403."
    api.token_answer = {"access_token": 5}
    assert (await failure(handler.request(asked(api.url))))[1].endswith("access_token.")
    api.token_answer = {}
    await handler.request(asked(api.url))
    assert authorisations(api) == ["Bearer t3"]
