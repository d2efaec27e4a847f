"""JSONata: the cases of tests/spec/jsonata, static checks, references, and values that must not change."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.kernel.ids import SeededIds
from stepwell.lang.jsonata import (
    UNDEFINED,
    JsonataFailure,
    JsonataSyntaxError,
    check,
    compile_expression,
    references,
    states_fields,
)
from stepwell.lang.jsonata.errors import MESSAGES

NOW = 1_767_225_600.5
SPEC = Path(__file__).parent.parent / "spec" / "jsonata"


def cases() -> list[Any]:
    found = []
    for file in sorted(SPEC.glob("*.json")):
        spec = json.loads(file.read_text(encoding="utf-8"))
        for case in spec["cases"]:
            name = f"{file.stem}: {case['expression']}"[:100]
            found.append(pytest.param(spec["states"], spec["variables"], case, id=name))
    return found


def evaluate(text: str, states: Any = None, **variables: Any) -> Any:
    return compile_expression(text).evaluate(states or {}, variables, ids=SeededIds(1), now=NOW)


@pytest.mark.parametrize(("states", "variables", "case"), cases())
def test_an_expression_gives_what_its_case_says(states: Any, variables: dict[str, Any], case: dict[str, Any]) -> None:
    before = json.dumps([states, variables])
    try:
        value = evaluate(case["expression"], states, **variables)
        found = {"undefined": True} if value is UNDEFINED else {"result": value}
    except JsonataFailure as failure:
        found = {"failure": failure.sentence}
    except JsonataSyntaxError as error:
        found = {"syntax": error.code}
    wanted = {key: case[key] for key in ("result", "undefined", "failure", "syntax") if key in case}
    assert json.dumps(found) == json.dumps(wanted)  # as text: 1, 1.0 and true differ
    assert json.dumps([states, variables]) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a[1,2)", 'Expected "]", got ","'),
        ('"unterminated', "String literal must be terminated by a matching quote"),
        ("1 +", "Unexpected end of expression"),
        ('{"a":}', 'The symbol "}" cannot be used as a unary operator'),
        ("$x :=", "Unexpected end of expression"),
        ('$match("a", /abc', "No terminating / in regular expression"),
        ("(1", 'Expected ")" before end of expression'),
        ("1 2", "Syntax error: 2"),
        ("$v ?? 1", 'The symbol "?" cannot be used as a unary operator'),
        ("$v ?: 1", 'The symbol ":" cannot be used as a unary operator'),
        ("/* x", "Comment has no closing tag"),
        ("'\\q'", 'Unsupported escape sequence: \\"q"'),
        ("[1!2]", 'Unknown operator: "!"'),
        ("%", "The object representing the 'parent' cannot be derived from this expression"),
    ],
)  # fmt: skip
def test_text_that_is_no_expression_is_refused_in_the_parsers_words(text: str, message: str) -> None:
    """Source: floci-io/floci issue 2745; operators newer than 2.0 are no operators."""
    assert check(text) == (("INVALID_JSONATA_EXPRESSION", message),)
    with pytest.raises(JsonataSyntaxError):
        compile_expression(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("phone", ["phone"]), ("$", ["$"]), ("a.b", ["a"]), ("[a]", ["a"]), ("{aaa: 1}", ["aaa"]), ("-a", ["a"]),
        ("$sum(a)", ["a"]), ("a and b", ["a", "b"]), ("a & a", ["a"]), ("(a; b)", ["a", "b"]), ("`a b`", ["a b"]),
        ("$map($states.input.a, function($x){ b })", ["b"]), ("$c ? a : b", ["a", "b"]), ("$x := a", ["a"]),
        ("a[0]", ["a"]), ("states.input", ["states"]), ("sum(1)", ["sum"]), ("$.a", ["$"]),
        ("$states.input.a[b = 1]", []), ("$states.input.a.{b: c}", []), ("$states.input^(z)", []),
        ("$states.input{a: b}", []), ("$states.input ~> |a|{'b': c}|", []), ("$states.input.($ + 1)", []),
        ("$name", []), ("$filter($states.input.a, function($v){ $v.b })", []),
    ],
)  # fmt: skip
def test_names_that_would_need_a_context_item_are_refused(text: str, names: list[str]) -> None:
    """Source: floci-io/floci issue 2670, pull 2699."""
    sentence = "Reference to '{}' at the top level is not supported."
    assert check(text) == tuple(("UNSUPPORTED_JSONATA_EXPRESSION", sentence.format(name)) for name in names)


def test_the_root_reference_has_a_sentence_of_its_own() -> None:
    assert check("$$.a") == (("UNSUPPORTED_JSONATA_EXPRESSION", "Reference to '$$' is not supported."),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$a + $sum($b.c[$d = 1])", {"a", "b", "d"}), ("$states.input.x", set()), ("($e := 1; $e + $f)", {"f"}),
        ("$map($g, function($h){ $h + $i })", {"g", "i"}), ("$items#$n[$n > $least]", {"items", "least"}),
        ("'$no' & `$no`", set()), ("not an expression", set()), ("$x.{'k': $y}", {"x", "y"}),
        ("$list@$it.($it.a = $other)", {"list", "other"}),
    ],
)  # fmt: skip
def test_references_are_the_variables_an_expression_reads(text: str, names: set[str]) -> None:
    assert references(text) == names


def test_the_fields_of_states_that_are_read_are_known() -> None:
    assert states_fields("$states.result.x & $sum($states.input[$states.context.a])") == {"result", "input", "context"}


def test_a_result_shares_what_it_did_not_change() -> None:
    states = {"input": {"rows": [{"a": 1}], "name": "x"}}
    assert evaluate("$states.input", states) is states["input"]
    assert evaluate("{'r': $states.input.rows}", states)["r"] is states["input"]["rows"]


def test_a_transform_leaves_its_subject_alone() -> None:
    states = {"input": {"a": {"b": 1}}}
    assert evaluate("$states.input ~> |a|{'b': 2}|", states) == {"a": {"b": 2}}
    assert states == {"input": {"a": {"b": 1}}}


def test_chance_and_time_are_handed_in() -> None:
    text = "[$random(), $uuid(), $now(), $millis()]"
    assert evaluate(text) == evaluate(text)
    assert evaluate(text)[2:] == ["2026-01-01T00:00:00.500Z", 1_767_225_600_500]


def test_a_variable_cannot_hide_states() -> None:
    assert compile_expression("$states").evaluate({"input": 1}, {"states": 2}, ids=SeededIds(), now=NOW) == {"input": 1}


def test_a_compiled_expression_is_compiled_once() -> None:
    assert compile_expression("1 + 41") is compile_expression("1 + 41")


def test_very_long_text_is_refused() -> None:
    assert check("1" + "+1" * 20_000)[0][1] == "Expressions of more than 32768 characters are not supported"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("$ab01.[]{}(),@#;:?+-*/%|=<>^&!~\"'` \\fnλ"), max_size=40))
def test_no_text_gets_past_the_errors_that_are_meant(text: str) -> None:
    check(text)
    references(text)
    with suppress(JsonataFailure, JsonataSyntaxError):
        evaluate(text, {"input": {"a": [1, {"b": 2}]}})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON_VALUES)
def test_any_value_passes_through_unchanged_and_survives_its_text(value: Any) -> None:
    assert evaluate("$states.input", {"input": value}) == value
    assert evaluate("$parse($string($v))", v=value if not isinstance(value, str) else [value]) == (
        value if not isinstance(value, str) else [value]
    )


def test_every_message_can_be_rendered() -> None:
    assert all(text and not text.startswith(" ") for text in MESSAGES.values())
