"""The definition checker: its cases are data, and no definition makes it raise."""

from __future__ import annotations

import copy
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.asl.check import check
from stepwell.asl.check.fields import STATES
from stepwell.asl.check.messages import RULES
from stepwell.asl.check.walker import KINDS
from stepwell.asl.diagnostics import Diagnostic, summary

SPEC = Path(__file__).parents[1] / "spec" / "definitions"
CASES: list[dict[str, Any]] = [case for file in sorted(SPEC.glob("*.json")) for case in json.loads(file.read_text())]
VALID = [case["definition"] for case in CASES if not case["diagnostics"]]


def expected(case: dict[str, Any]) -> list[Diagnostic]:
    return [Diagnostic(**fault) for fault in case["diagnostics"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_definition_has_the_faults_its_case_states(case: dict[str, Any]) -> None:
    assert check(case["definition"], type=case.get("type", "STANDARD")) == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_case_says_where_it_comes_from(case: dict[str, Any]) -> None:
    assert case["source"]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_case(name: str) -> None:
    rule = RULES[name]
    literal = (re.escape(text.format()) for text in re.split(r"\{[a-z]+\}", rule.message))
    pattern = re.compile(".*".join(literal), re.DOTALL)
    found = [fault for case in CASES for fault in expected(case)]
    assert any(fault.code == rule.code and pattern.fullmatch(fault.message) for fault in found)
    assert rule.source


def test_valid_cases_hold_every_type_of_state() -> None:
    seen = {state["Type"] for definition in VALID for state in definition["States"].values()}
    assert seen == set(STATES)


def test_every_kind_the_tables_name_has_a_check() -> None:
    kinds = {field.kind for shape in STATES.values() for field in shape.fields.values()}
    assert kinds <= set(KINDS)


def test_a_summary_joins_faults_as_create_state_machine_does() -> None:
    """https://github.com/localstack/localstack/issues/11978"""
    definition = {
        "StartAt": "pass1",
        "States": {"pass1": {"Type": "Pass", "Next": "pass3"}, "pass2": {"Type": "Pass", "End": True}},
    }
    assert summary(check(definition)) == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at "
        '/States/pass1/Next, MISSING_TRANSITION_TARGET: State "pass2" is not reachable. at /States/pass2\''
    )


def test_a_summary_leaves_warnings_out_and_writes_null_for_no_place() -> None:
    """https://github.com/floci-io/floci/issues/2735"""
    faults = [
        Diagnostic(severity="WARNING", code="NO_DOLLAR", message="m", location="/a"),
        Diagnostic(code="MISSING_END_STATE", message="Workflow has no terminal state"),
    ]
    assert summary(faults) == (
        "Invalid State Machine Definition: 'MISSING_END_STATE: Workflow has no terminal state at null'"
    )


def locations(value: Any, at: str = "") -> Iterator[str]:
    """Every place in a value, written as AWS writes it."""
    yield at or "/"
    if isinstance(value, dict):
        for name, item in value.items():
            yield from locations(item, f"{at}/{name}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from locations(item, f"{at}[{i}]")


WORDS = sorted(
    {name for shape in STATES.values() for name in shape.fields}
    | {"And", "Not", "Condition", "StartAt", "States", "Next"}
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=string.printable, max_size=8)
    | st.sampled_from(["$.a", "$$.x", "$v", "States.ALL", "States.UUID()", "Task", "Map", "JSONata", "JSONPath", "A"])
    | st.sampled_from(["{% 1", "{% $v %}", "{% a.b %}", "{% $states.result %}", "{% ( %}", "1 %}", "{%}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in places(item, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A valid definition in which something was replaced, removed or added."""
    definition = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(definition)[1:] or [()]))
        if not path:
            return draw(JSON)
        holder = definition
        for key in path[:-1]:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            holder[path[-1]] = draw(JSON)
        elif change == "remove":
            del holder[path[-1]]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(WORDS))] = draw(JSON)
    return definition


@settings(max_examples=400, deadline=None)
@given(definition=mutated(), express=st.booleans())
def test_no_mutation_raises_and_every_fault_has_a_place_in_the_definition(definition: Any, express: bool) -> None:
    before = copy.deepcopy(definition)
    faults = check(definition, type="EXPRESS" if express else "STANDARD")
    assert definition == before
    there = set(locations(definition))
    assert all(fault.location is None or fault.location in there for fault in faults)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_no_value_at_all_raises(value: Any) -> None:
    check(value)


def nested(levels: int, wrap: str) -> Any:
    value: Any = "$.x"
    for _ in range(levels):
        value = [value] if wrap == "list" else {wrap: value}
    return value


@pytest.mark.parametrize("wrap", ["list", "Parameters", "Not", "States", "ItemProcessor", "Assign"])
def test_deep_nesting_is_an_ordinary_fault(wrap: str) -> None:
    """As deep as the JSON reader lets through."""
    value = nested(900, wrap)
    for field in ("Parameters", "Result", "Choices", "ItemProcessor", "Branches", "Assign", "Output", "Items"):
        for type_ in STATES:
            check({"StartAt": "A", "States": {"A": {"Type": type_, field: value}}})
            check({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": type_, field: value}}})


@pytest.mark.parametrize(
    "parts", [("1+", ""), ("(", ")"), ("[", "]"), ("$f(", ")"), ("$x?", ":2"), ("$x[a", "]"), ("-", "")]
)
def test_no_expression_raises_however_deep(parts: tuple[str, str]) -> None:
    for levels in (100, 400, 900, 3000):
        text = f"{{% {parts[0] * levels}1{parts[1] * levels} %}}"
        check({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed", "Output": text}}})
