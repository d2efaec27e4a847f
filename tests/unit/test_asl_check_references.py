"""Which variables states read: in every field of both query languages, by the state whose field it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepwell.asl.references import variable_references

SPEC = Path(__file__).parents[1] / "spec" / "definitions"
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:f"


def one(state: dict[str, Any], language: str = "JSONPath") -> dict[str, list[str]]:
    return variable_references({"QueryLanguage": language, "StartAt": "A", "States": {"A": state}})


def test_names_are_sorted_and_states_without_any_are_left_out() -> None:
    """Recorded: test_base_variable_references_in_assign_templates[BASE_REFERENCE_IN_CHOICE]."""
    definition = {
        "StartAt": "Setup",
        "States": {
            "Setup": {"Type": "Pass", "Assign": {"guess": "the_guess", "answer": "the_answer"}, "Next": "CheckAnswer"},
            "CheckAnswer": {
                "Type": "Choice",
                "Choices": [{"Variable": "$guess", "StringEqualsPath": "$answer", "Next": "Right"}],
                "Default": "Wrong",
            },
            "Right": {"Type": "Pass", "Result": {"state": "CORRECT"}, "End": True},
            "Wrong": {"Type": "Pass", "Assign": {"guess.$": "$answer"}, "Next": "CheckAnswer"},
        },
    }
    assert variable_references(definition) == {"CheckAnswer": ["answer", "guess"], "Wrong": ["answer"]}


def test_states_of_inner_blocks_stand_for_themselves() -> None:
    """Recorded: test_base_variable_references_in_assign_templates[MAP_STATE_REFERENCE_IN_INTRINSIC_FUNCTION]."""
    inner = {"Type": "Pass", "Parameters": {"q.$": "$Question", "a.$": "$.a", "c.$": "$$.State.Name"}, "End": True}
    state = {
        "Type": "Map",
        "ItemSelector": {"a.$": "States.Format($Template, $$.Map.Item.Value)"},
        "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": inner}},
        "End": True,
    }
    assert one(state) == {"A": ["Template"], "Inner": ["Question"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"Type": "Pass", "InputPath": "$x.a[0]"},
        {"Type": "Pass", "OutputPath": "$x"},
        {"Type": "Pass", "Parameters": {"a": [{"b.$": "States.MathAdd($x, 1)"}]}},
        {"Type": "Pass", "Assign": {"y.$": "$x"}},
        {"Type": "Wait", "SecondsPath": "$x"},
        {"Type": "Wait", "TimestampPath": "$x"},
        {"Type": "Fail", "CausePath": "$x"},
        {"Type": "Map", "ItemsPath": "$x"},
        {"Type": "Map", "ToleratedFailurePercentagePath": "$x"},
        {"Type": "Task", "ResultSelector": {"a.$": "$x"}},
        {"Type": "Task", "HeartbeatSecondsPath": "$x"},
        {"Type": "Task", "Credentials": {"RoleArn.$": "$x"}},
        {"Type": "Task", "Catch": [{"ErrorEquals": ["E"], "Next": "A", "Assign": {"y.$": "$x"}}]},
        {"Type": "Choice", "Choices": [{"Not": {"Variable": "$x", "IsNull": True}, "Next": "A"}]},
    ],
)
def test_every_field_with_a_path_counts(fields: dict[str, Any]) -> None:
    assert one(fields) == {"A": ["x"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"Type": "Pass", "Output": {"a": ["{% $x.b %}"]}},
        {"Type": "Pass", "Assign": {"y": "{% ($y := 1; $x + $y) %}"}},
        {"Type": "Wait", "Seconds": "{% $x %}"},
        {"Type": "Fail", "Error": "{% $string($x) %}"},
        {"Type": "Map", "Items": "{% $x %}"},
        {"Type": "Map", "ItemSelector": {"a": "{% $map($states.input, function($v) { $v + $x }) %}"}},
        {"Type": "Task", "Arguments": "{% $x %}"},
        {"Type": "Task", "Credentials": {"RoleArn": "{% $x %}"}},
        {"Type": "Task", "Catch": [{"ErrorEquals": ["E"], "Next": "A", "Output": "{% $x %}"}]},
        {"Type": "Choice", "Choices": [{"Condition": "{% $x = 1 %}", "Next": "A"}]},
    ],
)
def test_every_field_with_an_expression_counts(fields: dict[str, Any]) -> None:
    """Names that the expression binds itself and $states do not."""
    assert one(fields, "JSONata") == {"A": ["x"]}


def test_text_that_looks_like_a_variable_is_text() -> None:
    assert one({"Type": "Pass", "Comment": "$x", "Parameters": {"a": "$x"}, "Result": "$x", "End": True}) == {}
    assert one({"Type": "Pass", "Output": "$x", "End": True}, "JSONata") == {}


def test_bad_definitions_raise_nothing() -> None:
    cases = [case for file in sorted(SPEC.glob("*.json")) for case in json.loads(file.read_text())]
    for case in cases:
        found = variable_references(case["definition"])
        assert all(names == sorted(set(names)) and names for names in found.values())
