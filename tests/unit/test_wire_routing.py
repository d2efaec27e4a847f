"""Which service and operation a request means, signed or not, and how requests that mean none are answered."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from stepwell.kernel.errors import ServiceError
from stepwell.wire.http import FORM, Request
from stepwell.wire.models import SERVED, Models, Served
from stepwell.wire.protocols import PROTOCOLS
from stepwell.wire.routing import Route, account_of, protocol_of, resolve

MODELS = Models()


def signed(service: str, **headers: str) -> dict[str, str]:
    scope = f"Credential=123456789012/20260101/eu-west-1/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
    return {"authorization": text, **{name.replace("_", "-"): value for name, value in headers.items()}}


def form(text: str, **headers: str) -> Request:
    return Request("POST", headers={"content-type": FORM, **headers}, body=text.encode())


def refused(request: Request) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        resolve(request, MODELS)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_the_table_of_services_says_what_the_models_say(row: Served) -> None:
    metadata = MODELS.service(row.name).metadata
    assert row.signing == metadata.get("signingName", metadata["endpointPrefix"])
    assert row.protocol == metadata["protocol"]
    assert row.target == metadata.get("targetPrefix")
    assert row.version == ("" if row.target else metadata["apiVersion"])
    assert row.protocol in PROTOCOLS


def test_models_are_loaded_when_first_needed_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    load = Loader.load_service_model

    def counted(self: Loader, name: str, kind: str) -> object:
        loaded.append(name)
        return load(self, name, kind)

    monkeypatch.setattr(Loader, "load_service_model", counted)
    models = Models()
    assert loaded == []
    assert models.operation("sts", "GetCallerIdentity") is models.operation("sts", "GetCallerIdentity")
    assert loaded == ["sts"]


def test_the_credential_scope_names_service_region_and_key() -> None:
    request = Request("POST", headers=signed("states", x_amz_target="AWSStepFunctions.StartExecution"))
    assert resolve(request, MODELS) == Route("stepfunctions", "StartExecution", "json", "eu-west-1", "123456789012")
    request = form("Action=AssumeRole&Version=2011-06-15", **signed("sts"))
    assert resolve(request, MODELS) == Route("sts", "AssumeRole", "query", "eu-west-1", "123456789012")


def test_a_presigned_query_names_them_too() -> None:
    credential = "X-Amz-Credential=AKIA%2F20260101%2Fus-east-2%2Fsts%2Faws4_request"
    query = f"Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&{credential}"
    assert resolve(Request("GET", query=query), MODELS) == Route(
        "sts", "GetCallerIdentity", "query", "us-east-2", "AKIA"
    )


@pytest.mark.parametrize(
    ("request_", "service", "operation"),
    [
        (Request("POST", headers={"x-amz-target": "AWSEvents.CreateConnection"}), "events", "CreateConnection"),
        (Request("POST", headers={"x-amz-target": "AWSStepFunctions.TestState"}), "stepfunctions", "TestState"),
        (form("Action=GetCallerIdentity&Version=2011-06-15"), "sts", "GetCallerIdentity"),
        (form("Action=GetCallerIdentity"), "sts", "GetCallerIdentity"),
        (form("Action=CreateRole"), "iam", "CreateRole"),
        (Request("GET", query="Action=ListRoles&Version=2010-05-08"), "iam", "ListRoles"),
        (
            Request("POST", headers={"x-amz-target": "AWSEvents.ListRules", "authorization": "Bearer x"}),
            "events",
            "ListRules",
        ),
    ],
)
def test_unsigned_requests_are_told_apart(request_: Request, service: str, operation: str) -> None:
    route = resolve(request_, MODELS)
    assert (route.service, route.operation, route.scope_region, route.access_key) == (service, operation, None, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-target": "AWSStepFunctions.Nothing"},
        {"x-amz-target": "StartExecution"},
        {"x-amz-target": ""},
        {"x-amz-target": "AWSStepFunctions.startexecution"},
        {"x-amz-target": "DynamoDB_20120810.ListTables"},
        {},
        signed("states"),
        signed("states", x_amz_target="AWSEvents.PutEvents"),
        signed("dynamodb", x_amz_target="DynamoDB_20120810.ListTables"),
    ],
)
def test_an_unknown_target_is_an_unknown_operation(headers: dict[str, str]) -> None:
    request = Request("POST", headers=headers)
    assert refused(request)[0] == "UnknownOperationException"
    assert protocol_of(request) == "json"


def test_the_refusal_of_a_service_that_is_not_served_names_it() -> None:
    assert "'dynamodb'" in refused(Request("POST", headers=signed("dynamodb")))[1]
    assert "'X.Y'" in refused(Request("POST", headers={"x-amz-target": "X.Y"}))[1]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (form(""), "MissingAction", "The request is missing an action or a required parameter."),
        (form("Action="), "MissingAction", "The request is missing an action or a required parameter."),
        (
            form("Version=1", **signed("sts")),
            "MissingAction",
            "The request is missing an action or a required parameter.",
        ),
        (form("Action=No"), "InvalidAction", "Could not find operation No for version NO_VERSION_SPECIFIED"),
        (
            form("Action=ListRoles&Version=2011-06-15", **signed("sts")),
            "InvalidAction",
            "Could not find operation ListRoles for version 2011-06-15",
        ),
        (
            form("Action=ListRoles&Version=1999-01-01", **signed("iam")),
            "InvalidAction",
            "Could not find operation ListRoles for version 1999-01-01",
        ),
    ],
)
def test_a_form_without_a_known_action_is_refused_in_xml(request_: Request, code: str, message: str) -> None:
    assert refused(request_) == (code, message)
    assert protocol_of(request_) == "query"


def test_an_access_key_of_twelve_digits_is_the_account() -> None:
    assert account_of("123456789012", "000000000000") == "123456789012"
    for other in (None, "", "test", "1234567890123", "\u0661" * 12, "AKIAIOSFODNN7EXAMPLE"):
        assert account_of(other, "000000000000") == "000000000000"
