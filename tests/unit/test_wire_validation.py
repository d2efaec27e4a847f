"""Constraints of the models in AWS's words; positions, several violations at once, and patterns."""
# ruff: noqa: E501 - AWS's sentences are kept whole

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from hypothesis import given
from hypothesis import strategies as st

from stepwell.kernel.errors import ServiceError
from stepwell.wire import patterns
from stepwell.wire.constraints import ENUM_ORDER, LINEAR_PATTERNS, PATTERN_SENTENCES
from stepwell.wire.models import SERVED, Models
from stepwell.wire.validation import Validator, value_text

MODELS = Models()
VALIDATOR = Validator()


def refused(service: str, operation: str, params: dict[str, Any], validator: Validator = VALIDATOR) -> str:
    with pytest.raises(ServiceError) as caught:
        validator.validate(MODELS.operation(service, operation), params)
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)
    return caught.value.message


def accepted(service: str, operation: str, params: dict[str, Any], validator: Validator = VALIDATOR) -> None:
    validator.validate(MODELS.operation(service, operation), params)


FAILED = "failed to satisfy constraint: "
ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


@pytest.mark.parametrize(
    ("service", "operation", "params", "sentence"),
    [
        ("stepfunctions", "ListActivities", {"maxResults": 1001}, f"Value '1001' at 'maxResults' {FAILED}Member must have value less than or equal to 1000"),
        ("stepfunctions", "ListActivities", {"maxResults": -1}, f"Value '-1' at 'maxResults' {FAILED}Member must have value greater than or equal to 0"),
        ("stepfunctions", "ListActivities", {"nextToken": ""}, f"Value '' at 'nextToken' {FAILED}Member must have length greater than or equal to 1"),
        ("stepfunctions", "ListActivities", {"nextToken": "x" * 1025}, f"Value '{'x' * 1025}' at 'nextToken' {FAILED}Member must have length less than or equal to 1024"),
        ("stepfunctions", "StartExecution", {"stateMachineArn": ARN, "name": "n" * 81}, f"Value '{'n' * 81}' at 'name' {FAILED}Member must have length less than or equal to 80"),
        ("stepfunctions", "StartExecution", {}, f"Value null at 'stateMachineArn' {FAILED}Member must not be null"),
        ("stepfunctions", "StartExecution", {"stateMachineArn": ARN, "input": "x" * 262145}, f"Value at 'input' {FAILED}Member must have length less than or equal to 262144"),
        ("stepfunctions", "ListExecutions", {"statusFilter": "succeeded"}, f"Value 'succeeded' at 'statusFilter' {FAILED}Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]"),
        ("stepfunctions", "CreateActivity", {"name": "a", "encryptionConfiguration": {}}, f"Value null at 'encryptionConfiguration.type' {FAILED}Member must not be null"),
        ("stepfunctions", "CreateActivity", {"name": "a", "tags": [{"key": "k"}, {"key": ""}]}, f"Value '' at 'tags.2.member.key' {FAILED}Member must have length greater than or equal to 1"),
        ("stepfunctions", "UntagResource", {"resourceArn": ARN, "tagKeys": ["a", "", "b"]}, f"Value '[a, , b]' at 'tagKeys' {FAILED}Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"),
        ("stepfunctions", "UpdateMapRun", {"mapRunArn": ARN, "toleratedFailurePercentage": 100.5}, f"Value '100.5' at 'toleratedFailurePercentage' {FAILED}Member must have value less than or equal to 100"),
        ("events", "DescribeConnection", {"Name": "a b"}, f"Value 'a b' at 'name' {FAILED}Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"),
        ("events", "CreateApiDestination", {"Name": "a", "ConnectionArn": "arn:aws:events:us-east-1:000000000000:connection/c/1", "InvocationEndpoint": "https://example.com", "HttpMethod": "FETCH"}, f"Value 'FETCH' at 'httpMethod' {FAILED}Member must satisfy enum value set: [POST, GET, HEAD, OPTIONS, PUT, PATCH, DELETE]"),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::000000000000:role/r", "RoleSessionName": "a b"}, f"Value 'a b' at 'roleSessionName' {FAILED}Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ("iam", "CreateRole", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": "{}"}, f"Value at 'roleName' {FAILED}Member must have length less than or equal to 64"),
        ("iam", "TagRole", {"RoleName": "r", "Tags": [{"Key": "a*b", "Value": ""}]}, f"Value at 'tags.1.member.key' {FAILED}Member must satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]+"),
    ],
)  # fmt: skip
def test_one_violation_is_worded_as_on_aws(service: str, operation: str, params: dict[str, Any], sentence: str) -> None:
    assert refused(service, operation, params) == f"1 validation error detected: {sentence}"


def test_several_violations_are_all_named_from_the_last_member_to_the_first() -> None:
    assert refused("stepfunctions", "CreateStateMachine", {"type": "SLOW", "name": ""}) == (
        f"4 validation errors detected: Value 'SLOW' at 'type' {FAILED}Member must satisfy enum value set: [STANDARD, EXPRESS]; "
        f"Value null at 'roleArn' {FAILED}Member must not be null; "
        f"Value null at 'definition' {FAILED}Member must not be null; "
        f"Value '' at 'name' {FAILED}Member must have length greater than or equal to 1"
    )


def test_of_one_member_the_pattern_comes_before_the_length() -> None:
    assert refused("events", "DescribeConnection", {"Name": " " * 65}) == (
        f"2 validation errors detected: Value '{' ' * 65}' at 'name' {FAILED}"
        "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; "
        f"Value '{' ' * 65}' at 'name' {FAILED}Member must have length less than or equal to 64"
    )


def test_iam_words_its_commonest_patterns_itself() -> None:
    document = {"AssumeRolePolicyDocument": "{}"}
    assert refused("iam", "CreateRole", {"RoleName": "a b", **document}) == (
        "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-"
    )
    assert refused("iam", "CreateRole", {"RoleName": "a", "Path": "x", **document}).startswith(
        "The specified value for path is invalid."
    )
    assert refused("iam", "CreateRole", {"RoleName": "a b"}).startswith("1 validation error detected: Value null")


def test_what_the_models_allow_is_accepted() -> None:
    accepted("stepfunctions", "ListActivities", {})
    accepted("stepfunctions", "ListActivities", {"maxResults": 0, "nextToken": "x"})
    accepted("stepfunctions", "StartExecution", {"stateMachineArn": ARN, "input": "{}", "traceHeader": "Root=1"})
    accepted("iam", "TagRole", {"RoleName": "r", "Tags": [{"Key": "Größe \u4e2d 1", "Value": ""}]})
    accepted("sts", "GetCallerIdentity", {})
    accepted("events", "ListConnections", {"Limit": 1})


def test_a_service_can_check_members_itself() -> None:
    """Such a member must still be there."""
    own = Validator({("stepfunctions", "DescribeActivity"): frozenset({"activityArn"})})
    accepted("stepfunctions", "DescribeActivity", {"activityArn": ""}, own)
    assert "must not be null" in refused("stepfunctions", "DescribeActivity", {}, own)


def test_values_print_as_in_java() -> None:
    assert value_text({"a": [True, False, 1.5, "x"], "b": {}}) == "{a=[true, false, 1.5, x], b={}}"


MAPS = ServiceModel(
    {
        "metadata": {"protocol": "json", "apiVersion": "1", "endpointPrefix": "odd", "serviceId": "odd"},
        "operations": {"Op": {"name": "Op", "http": {}, "input": {"shape": "In"}}},
        "shapes": {
            "In": {"type": "structure", "members": {"Names": {"shape": "Names"}, "Trees": {"shape": "Trees"}}},
            "Names": {"type": "map", "key": {"shape": "Short"}, "value": {"shape": "Short"}, "max": 2},
            "Trees": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Tree"}},
            "Tree": {"type": "structure", "required": ["Leaf"], "members": {"Leaf": {"shape": "Short"}, "Tree": {"shape": "Tree"}}},
            "Short": {"type": "string", "max": 3},
            "String": {"type": "string"},
        },
    },
    "odd",
)  # fmt: skip


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"Names": {"long": "x"}}, f"Value '{{long=x}}' at 'names' {FAILED}Map keys must satisfy constraint: [Member must have length less than or equal to 3]"),
        ({"Names": {"x": "long"}}, f"Value '{{x=long}}' at 'names' {FAILED}Map value must satisfy constraint: [Member must have length less than or equal to 3]"),
        ({"Names": {"a": "", "b": "", "c": ""}}, f"Value '{{a=, b=, c=}}' at 'names' {FAILED}Member must have length less than or equal to 2"),
        ({"Trees": {"oak": {"Leaf": "l", "Tree": {"Tree": {"Leaf": ""}}}}}, f"Value null at 'trees.oak.member.tree.leaf' {FAILED}Member must not be null"),
    ],
)  # fmt: skip
def test_maps_and_shapes_that_hold_themselves_are_checked(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ServiceError) as caught:
        VALIDATOR.validate(MAPS.operation_model("Op"), params)
    assert caught.value.message == f"1 validation error detected: {sentence}"


def shapes_of(service: str) -> Iterator[Shape]:
    model = MODELS.service(service)
    for name in model.shape_names:
        yield model.shape_for(name)


def test_every_pattern_of_the_served_services_compiles() -> None:
    """``\\p{..}`` must be gone, and a pattern must not make the compiler warn."""
    for row in SERVED:
        for shape in shapes_of(row.name):
            if text := shape.metadata.get("pattern"):
                assert isinstance(patterns.compiled(text), re.Pattern)


def test_every_row_about_constraints_is_about_a_shape_that_is_there() -> None:
    known = {(row.name, shape.metadata.get("pattern")) for row in SERVED for shape in shapes_of(row.name)}
    assert set(PATTERN_SENTENCES) <= known
    assert set(LINEAR_PATTERNS) <= {pattern for _, pattern in known}
    for (service, name), order in ENUM_ORDER.items():
        assert sorted(order) == sorted(MODELS.service(service).shape_for(name).metadata["enum"])


@given(st.text(alphabet="\t :ab\x7f\x00~", max_size=9))
def test_the_linear_patterns_match_the_same_texts(text: str) -> None:
    for slow in LINEAR_PATTERNS:
        assert bool(re.fullmatch(slow, text, re.ASCII)) == bool(patterns.compiled(slow).fullmatch(text))


def test_a_text_that_makes_the_models_pattern_explode_is_answered() -> None:
    params = {
        "Name": "c",
        "AuthorizationType": "API_KEY",
        "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "a " * 250 + ":", "ApiKeyValue": "v"}},
    }
    assert "authParameters.apiKeyAuthParameters.apiKeyName" in refused("events", "CreateConnection", params)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"\p{ASCII}*", "abc", True),
        (r"\p{ASCII}*", "ab\u00e9", False),
        (r"[\w]+", "\u00e9", False),
        (r"[\p{L}\p{Z}\p{N}_]+", "\u00e9 \u0661\u00a0_", True),
        (r"[\p{L}]+", "1", False),
        (r"\p{Lu}x", "\u00c9x", True),
        (r"^[a-z]$", "a\n", False),
    ],
)
def test_java_patterns_mean_the_same_here(pattern: str, text: str, matches: bool) -> None:
    assert bool(patterns.compiled(pattern).fullmatch(text)) is matches


def test_an_unknown_property_is_an_error() -> None:
    with pytest.raises(re.error):
        patterns.compiled(r"\p{Klingon}")


def test_no_input_of_the_served_services_holds_itself() -> None:
    """Reading and checking would then need a limit of depth of their own."""

    def walk(shape: Shape, above: tuple[str, ...]) -> None:
        assert shape.name not in above
        inside = (*above, shape.name)
        if isinstance(shape, StructureShape):
            for member in shape.members.values():
                walk(member, inside)
        elif isinstance(shape, ListShape):
            walk(shape.member, inside)
        elif isinstance(shape, MapShape):
            walk(shape.value, inside)

    for row in SERVED:
        model = MODELS.service(row.name)
        for name in model.operation_names:
            if (shape := model.operation_model(name).input_shape) is not None:
                walk(shape, ())
