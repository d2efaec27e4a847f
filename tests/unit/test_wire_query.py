"""The query protocol: forms as clients may write them, and the XML that comes back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from stepwell.kernel.errors import ServiceError
from stepwell.wire.http import FORM, Request
from stepwell.wire.models import Models
from stepwell.wire.protocols import PROTOCOLS
from stepwell.wire.query_form import reader_of, tree_of
from stepwell.wire.validation import Validator
from stepwell.wire.xml_writer import writer_of

MODELS = Models()
QUERY = PROTOCOLS["query"]
VALIDATOR = Validator()
IAM = "{https://iam.amazonaws.com/doc/2010-05-08/}"


def parse(operation: str, body: str, service: str = "iam", method: str = "POST") -> dict[str, Any]:
    headers = {"content-type": f"{FORM}; charset=utf-8"} if method == "POST" else {}
    request = Request(
        method, "/", "" if method == "POST" else body, headers, body.encode() if method == "POST" else b""
    )
    return QUERY.parse(MODELS.operation(service, operation), request)


def outcome(operation: str, body: str, service: str) -> str:
    """What becomes of a request on its way to the service: "read", or the code of the refusal."""
    try:
        VALIDATOR.validate(MODELS.operation(service, operation), parse(operation, body, service))
    except ServiceError as error:
        return error.code
    return "read"


def test_a_form_in_the_body_or_in_the_query_string_is_the_same() -> None:
    text = "Action=CreateRole&Version=2010-05-08&RoleName=r%20x&Tags.member.1.Key=a+b&Tags.member.1.Value="
    expected = {"RoleName": "r x", "Tags": [{"Key": "a b", "Value": ""}]}
    assert parse("CreateRole", text) == parse("CreateRole", text, method="GET") == expected


def test_list_items_come_in_the_order_of_their_numbers() -> None:
    text = "TagKeys.member.10=ten&TagKeys.member.2=two&TagKeys.member.x=no&TagKeys.member.99999999999=no&Unknown.a.b=1"
    assert parse("UntagRole", text) == {"TagKeys": ["two", "ten"]}


def test_an_empty_value_is_an_empty_list() -> None:
    assert parse("UntagRole", "TagKeys=") == {"TagKeys": []}


@pytest.mark.parametrize("text", ["MaxItems=abc", "MaxItems=", "MaxItems=1_0", "MaxItems.member.1=1", "MaxItems=1.5"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        parse("ListRoles", text)
    reply = QUERY.fault(MODELS.service("iam"), caught.value, "id")
    assert (reply.status, ElementTree.fromstring(reply.body).findtext(f"{IAM}Error/{IAM}Code")) == (
        400,
        "MalformedInput",
    )


def test_numbers_are_cut_to_what_java_holds() -> None:
    assert parse("ListRoles", "MaxItems=99999999999") == {"MaxItems": 2**31 - 1}


def test_names_that_clash_do_not_raise() -> None:
    """A name that is both a value and a branch keeps the branch."""
    assert tree_of("a=1&a.b=2&a=3&.=4&a..b=5") == {"a": {"b": "2", "": {"b": "5"}}, "": {"": "4"}}


def test_an_answer_has_the_wrapper_namespace_and_request_id() -> None:
    operation = MODELS.operation("sts", "GetCallerIdentity")
    reply = QUERY.reply(operation, {"Account": "000000000000", "Arn": None}, "id-1")
    assert reply.headers == {"Content-Type": "text/xml", "x-amzn-RequestId": "id-1"}
    assert reply.body.decode() == (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Account>000000000000</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def test_an_operation_without_output_answers_metadata_only() -> None:
    body = QUERY.reply(MODELS.operation("iam", "DeleteRole"), {}, "id-1").body.decode()
    assert "Result" not in body
    assert "<RequestId>id-1</RequestId>" in body


def test_times_have_milliseconds_only_if_there_are_any() -> None:
    operation = MODELS.operation("sts", "GetSessionToken")
    for moment, text in ((1767225600.0, "2026-01-01T00:00:00Z"), (1767225600.5, "2026-01-01T00:00:00.500Z")):
        body = QUERY.reply(operation, {"Credentials": {"Expiration": moment}}, "id").body.decode()
        assert f"<Expiration>{text}</Expiration>" in body


@pytest.mark.parametrize(
    ("raised", "sent", "status", "kind"),
    [
        ("NoSuchEntity", "NoSuchEntity", 404, "Sender"),
        ("ValidationException", "ValidationError", 400, "Sender"),
        ("InvalidSignatureException", "SignatureDoesNotMatch", 403, "Sender"),
        ("UnrecognizedClientException", "InvalidClientTokenId", 403, "Sender"),
        ("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403, "Sender"),
        ("IncompleteSignatureException", "IncompleteSignature", 400, "Sender"),
        ("ServiceFailure", "ServiceFailure", 500, "Receiver"),
    ],
)
def test_errors_have_the_query_protocols_codes(raised: str, sent: str, status: int, kind: str) -> None:
    given_status = status if raised in ("NoSuchEntity", "ServiceFailure") else 400
    reply = QUERY.fault(MODELS.service("iam"), ServiceError(raised, "text", status=given_status, Detail=True), "id-1")
    root = ElementTree.fromstring(reply.body)
    assert reply.status == status
    assert [child.text for child in root.findall(f"{IAM}Error/*")] == [kind, sent, "text", "true"]
    assert root.findtext(f"{IAM}RequestId") == "id-1"


def test_an_error_before_the_service_is_known_is_xml_too() -> None:
    reply = QUERY.fault(None, ServiceError("MissingAction", "none"), "id-1")
    assert ElementTree.fromstring(reply.body).findtext("Error/Code") == "MissingAction"


ODD = ServiceModel(
    {
        "metadata": {"protocol": "query", "apiVersion": "1", "endpointPrefix": "odd", "serviceId": "odd"},
        "operations": {"Op": {"name": "Op", "http": {}, "input": {"shape": "In"}}},
        "shapes": {
            "In": {
                "type": "structure",
                "members": {
                    "Flat": {"shape": "FlatList"},
                    "Named": {"shape": "NamedList"},
                    "Attributes": {"shape": "FlatMap", "locationName": "Attribute"},
                    "Plain": {"shape": "PlainMap"},
                    "Inner": {"shape": "In"},
                    "Number": {"shape": "Double"},
                },
            },
            "FlatList": {"type": "list", "member": {"shape": "String"}, "flattened": True},
            "NamedList": {"type": "list", "member": {"shape": "String", "locationName": "item"}},
            "FlatMap": {
                "type": "map",
                "key": {"shape": "String", "locationName": "Name"},
                "value": {"shape": "String", "locationName": "Value"},
                "flattened": True,
            },
            "PlainMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
            "String": {"type": "string"},
            "Double": {"type": "double"},
        },
    },
    "odd",
)


def test_flattened_and_named_lists_and_maps_are_read_and_written() -> None:
    """Forms that the services of this release do not use but the protocol has."""
    shape = ODD.operation_model("Op").input_shape
    form = {
        "Flat.1": "a",
        "Flat.2": "b",
        "Named.item.1": "c",
        "Attribute.1.Name": "k",
        "Attribute.1.Value": "v",
        "Plain.entry.1.key": "p",
        "Plain.entry.1.value": "q",
        "Inner.Inner.Flat.1": "deep",
        "Number": "NaN",
    }
    found = reader_of(shape)(tree_of(urlencode(form)))
    assert str(found.pop("Number")) == "nan"
    assert found == {
        "Flat": ["a", "b"],
        "Named": ["c"],
        "Attributes": {"k": "v"},
        "Plain": {"p": "q"},
        "Inner": {"Inner": {"Flat": ["deep"]}},
    }
    parts: list[str] = []
    writer_of(shape)(parts, "In", {**found, "Number": float("inf")})
    assert "".join(parts) == (
        "<In><Flat>a</Flat><Flat>b</Flat><Named><item>c</item></Named>"
        "<Attribute><Name>k</Name><Value>v</Value></Attribute>"
        "<Plain><entry><key>p</key><value>q</value></entry></Plain>"
        "<Inner><Inner><Flat>deep</Flat></Inner></Inner><Number>Infinity</Number></In>"
    )


NAMES = [(service, name) for service in ("sts", "iam") for name in MODELS.service(service).operation_names]


@given(st.data())
def test_reading_raises_nothing_but_service_errors(data: st.DataObject) -> None:
    service, name = data.draw(st.sampled_from(NAMES))
    shape = MODELS.operation(service, name).input_shape
    members = sorted(shape.members) if shape is not None else ["x"]
    steps = st.sampled_from([*members, "member", "entry", "1", "2", "Key", "Value", ""])
    keys = st.lists(steps, min_size=1, max_size=4).map(".".join)
    form = urlencode(data.draw(st.lists(st.tuples(keys, st.text(max_size=5)), max_size=5)))
    assert outcome(name, form, service) in ("read", "SerializationException", "ValidationException")


@given(st.text(st.characters(), max_size=30))
def test_any_text_in_an_answer_is_well_formed_xml(text: str) -> None:
    reply = QUERY.fault(None, ServiceError("Code", text), "id")
    assert ElementTree.fromstring(reply.body).find("Error/Message") is not None
