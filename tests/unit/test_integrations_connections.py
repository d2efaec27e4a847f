"""EventBridge's connections: operations, what is shown, what is kept secret, and what a task gets to see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from stepwell.kernel.arns import Arn, Scope
from stepwell.kernel.caller import CallContext
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.keys import KeyRing
from stepwell.services.events.connection import Parameter
from stepwell.services.events.connections import KIND, Connections
from stepwell.services.events.service import EventBridge
from stepwell.storage.bundle import open_storage
from stepwell.storage.documents import Documents
from stepwell.wire.models import Models

CONTEXT = CallContext()
BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "pass-word"}}
API_KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "key-value"}}
OAUTH = {
    "OAuthParameters": {
        "ClientParameters": {"ClientID": "id", "ClientSecret": "client-secret"},
        "AuthorizationEndpoint": "https://example.com/token",
        "HttpMethod": "POST",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "read"}]},
    }
}
INVOCATION = {
    "HeaderParameters": [{"Key": "X-Open", "Value": "open"}],
    "QueryStringParameters": [{"Key": "q", "Value": "hidden-value", "IsValueSecret": True}],
}


class Bridge(EventBridge):
    def __init__(self, store: Documents, clock: ManualClock) -> None:
        super().__init__(Connections(store, KeyRing.generate(), clock, SeededIds()))

    async def do(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.call(operation, params, CONTEXT)

    async def create(self, name: str = "one", kind: str = "BASIC", **parameters: Any) -> dict[str, Any]:
        given = parameters or BASIC
        return await self.do("CreateConnection", Name=name, AuthorizationType=kind, AuthParameters=given)


@pytest.fixture
async def store() -> AsyncIterator[Documents]:
    storage = await open_storage("sqlite::memory:")
    yield storage.documents
    await storage.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def bridge(store: Documents, clock: ManualClock) -> Bridge:
    return Bridge(store, clock)


async def code(awaitable: Any) -> str:
    with pytest.raises(ServiceError) as raised:
        await awaitable
    return raised.value.code


async def test_a_connection_is_authorized_at_once(bridge: Bridge, clock: ManualClock) -> None:
    created = await bridge.create()
    assert created == {
        "ConnectionArn": created["ConnectionArn"],
        "ConnectionState": "AUTHORIZED",
        "CreationTime": clock.now(),
        "LastModifiedTime": clock.now(),
    }
    arn = Arn.parse(created["ConnectionArn"])
    assert (arn.service, arn.resource.split("/")[:2]) == ("events", ["connection", "one"])


async def test_answers_have_the_members_of_the_model_and_no_others(bridge: Bridge) -> None:
    models = Models()
    answers = {
        "CreateConnection": await bridge.create(),
        "DescribeConnection": await bridge.do("DescribeConnection", Name="one"),
        "UpdateConnection": await bridge.do("UpdateConnection", Name="one", Description="d"),
        "ListConnections": await bridge.do("ListConnections"),
        "DeauthorizeConnection": await bridge.do("DeauthorizeConnection", Name="one"),
        "DeleteConnection": await bridge.do("DeleteConnection", Name="one"),
    }
    for operation, answer in answers.items():
        shape = models.operation("events", operation).output_shape
        assert set(answer) <= set(shape.members), operation
    listed = models.operation("events", "ListConnections").output_shape.members["Connections"].member
    assert set(answers["ListConnections"]["Connections"][0]) <= set(listed.members)


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        ("BASIC", BASIC, {"BasicAuthParameters": {"Username": "user"}}),
        ("API_KEY", API_KEY, {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}}),
        (
            "OAUTH_CLIENT_CREDENTIALS",
            OAUTH,
            {
                "OAuthParameters": {
                    "ClientParameters": {"ClientID": "id"},
                    "AuthorizationEndpoint": "https://example.com/token",
                    "HttpMethod": "POST",
                    "OAuthHttpParameters": {
                        "BodyParameters": [{"Key": "scope", "Value": "read", "IsValueSecret": False}]
                    },
                }
            },
        ),
    ],
)
async def test_secrets_are_neither_shown_nor_stored_in_the_clear(
    bridge: Bridge, store: Documents, kind: str, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    await bridge.create("one", kind, **given, InvocationHttpParameters=INVOCATION)
    described = await bridge.do("DescribeConnection", Name="one")
    assert described["AuthParameters"] == shown | {
        "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "X-Open", "Value": "open", "IsValueSecret": False}],
            "QueryStringParameters": [{"Key": "q", "IsValueSecret": True}],
        }
    }
    assert described["AuthorizationType"] == kind
    assert ":secretsmanager:" in described["SecretArn"]
    assert "secret:events!connection/one/" in described["SecretArn"]
    stored = json.dumps([document.body for document in await store.list(CONTEXT.scope, KIND)])
    assert "one" in stored
    for secret in ("pass-word", "key-value", "client-secret", "hidden-value"):
        assert secret not in stored


async def test_a_task_gets_the_secrets(bridge: Bridge) -> None:
    created = await bridge.create("one", "OAUTH_CLIENT_CREDENTIALS", **OAUTH, InvocationHttpParameters=INVOCATION)
    connection = await bridge.connections.resolve(created["ConnectionArn"])
    assert connection.oauth is not None
    assert (connection.oauth.client_id, connection.oauth.client_secret) == ("id", "client-secret")
    assert connection.oauth.body == (Parameter("scope", "read"),)
    assert connection.headers == (Parameter("X-Open", "open"),)
    assert connection.query == (Parameter("q", "hidden-value", secret=True),)
    basic = await bridge.create("two")
    assert (await bridge.connections.resolve(basic["ConnectionArn"])).basic == ("user", "pass-word")


async def test_an_arn_of_another_connection_of_the_same_name_is_not_found(bridge: Bridge) -> None:
    old = await bridge.create()
    await bridge.do("DeleteConnection", Name="one")
    await bridge.create()
    for arn in (old["ConnectionArn"], "nonsense", "arn:aws:events:us-east-1:000000000000:rule/one/x"):
        assert await code(bridge.connections.resolve(arn)) == "ResourceNotFoundException"


async def test_a_name_is_taken_once(bridge: Bridge) -> None:
    await bridge.create()
    with pytest.raises(ServiceError, match="Connection one already exists") as raised:
        await bridge.create()
    assert raised.value.code == "ResourceAlreadyExistsException"


@pytest.mark.parametrize("operation", ["Describe", "Delete", "Update", "Deauthorize"])
async def test_a_connection_that_is_not_there_is_not_found(bridge: Bridge, operation: str) -> None:
    with pytest.raises(ServiceError, match="Connection 'none' does not exist") as raised:
        await bridge.do(f"{operation}Connection", Name="none")
    assert raised.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("kind", "given", "lacking"),
    [
        ("BASIC", API_KEY, "BasicAuthParameters"),
        ("API_KEY", {"ApiKeyAuthParameters": {"ApiKeyName": "x"}}, "ApiKeyAuthParameters.ApiKeyValue"),
        ("OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": {}}, "OAuthParameters.ClientParameters.ClientID"),
    ],
)
async def test_parameters_must_fit_the_type(bridge: Bridge, kind: str, given: dict[str, Any], lacking: str) -> None:
    with pytest.raises(ServiceError, match=f"AuthParameters.{lacking} is required") as raised:
        await bridge.create("one", kind, **given)
    assert raised.value.code == "ValidationException"


async def test_an_update_keeps_what_it_does_not_name(bridge: Bridge, clock: ManualClock) -> None:
    arn = (await bridge.create("one", "BASIC", **BASIC, InvocationHttpParameters=INVOCATION))["ConnectionArn"]
    await clock.advance(5)
    changed = await bridge.do(
        "UpdateConnection", Name="one", AuthParameters={"BasicAuthParameters": {"Password": "newer"}}
    )
    assert changed["LastModifiedTime"] == changed["CreationTime"] + 5
    connection = await bridge.connections.resolve(arn)
    assert connection.basic == ("user", "newer")
    assert connection.headers == (Parameter("X-Open", "open"),)
    await bridge.do("UpdateConnection", Name="one", AuthorizationType="API_KEY", AuthParameters=API_KEY)
    connection = await bridge.connections.resolve(arn)
    assert (connection.basic, connection.api_key) == (None, ("X-Key", "key-value"))


async def test_a_deauthorized_connection_has_no_secrets_until_it_is_updated(bridge: Bridge) -> None:
    arn = (await bridge.create())["ConnectionArn"]
    assert (await bridge.do("DeauthorizeConnection", Name="one"))["ConnectionState"] == "DEAUTHORIZING"
    assert (await bridge.do("DescribeConnection", Name="one"))["ConnectionState"] == "DEAUTHORIZED"
    connection = await bridge.connections.resolve(arn)
    assert (connection.state, connection.basic) == ("DEAUTHORIZED", None)
    assert await code(bridge.do("UpdateConnection", Name="one", Description="x")) == "ValidationException"
    await bridge.do("UpdateConnection", Name="one", AuthParameters=BASIC)
    assert (await bridge.connections.resolve(arn)).basic == ("user", "pass-word")


async def test_connections_are_listed_by_name_in_pages(bridge: Bridge) -> None:
    for name in ("b", "a1", "a2", "a3"):
        await bridge.create(name)
    await bridge.do("DeauthorizeConnection", Name="a2")

    async def names(**params: Any) -> tuple[list[str], str | None]:
        answer = await bridge.do("ListConnections", **params)
        return [row["Name"] for row in answer["Connections"]], answer.get("NextToken")

    assert await names() == (["a1", "a2", "a3", "b"], None)
    assert await names(NamePrefix="a", ConnectionState="AUTHORIZED") == (["a1", "a3"], None)
    first, token = await names(Limit=3)
    assert first == ["a1", "a2", "a3"]
    assert await names(Limit=3, NextToken=token) == (["b"], None)
    assert await code(bridge.do("ListConnections", NextToken="AAAA")) == "ValidationException"


async def test_scopes_do_not_see_each_others_connections(bridge: Bridge) -> None:
    await bridge.create()
    other = CallContext(scope=Scope(account="111122223333"))
    assert await bridge.call("ListConnections", {}, other) == {"Connections": []}


@pytest.mark.parametrize("name", ["KmsKeyIdentifier", "InvocationConnectivityParameters"])
async def test_features_that_are_not_there_are_refused_by_name(bridge: Bridge, name: str) -> None:
    with pytest.raises(ServiceError, match=name):
        await bridge.do(
            "CreateConnection", Name="x", AuthorizationType="BASIC", AuthParameters=BASIC, **{name: "anything"}
        )


async def test_other_operations_of_eventbridge_are_refused_by_name(bridge: Bridge) -> None:
    with pytest.raises(ServiceError, match="The operation PutRule of EventBridge is not supported") as raised:
        await bridge.do("PutRule", Name="x")
    assert raised.value.code == "UnknownOperationException"


async def test_writers_at_the_same_time_all_succeed(bridge: Bridge) -> None:
    await bridge.create()
    await asyncio.gather(*(bridge.do("UpdateConnection", Name="one", Description=str(n)) for n in range(4)))
    assert (await bridge.do("DescribeConnection", Name="one"))["Description"] in {"0", "1", "2", "3"}
