"""JSONPath: the cases of tests/spec/jsonpath, writing, hostile paths and that nothing is changed in place."""

from __future__ import annotations

import json
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.kernel.errors import StepwellError
from stepwell.lang.jsonpath import PathConflict, PathMismatch, PathNotFound, PathSyntaxError, compile_path, write

SPEC = File(__file__).parent.parent / "spec" / "jsonpath"
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"{file.stem}: {case['name']}", case)
    for file in sorted(SPEC.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]
ERRORS: dict[str, type[StepwellError]] = {
    "PathNotFound": PathNotFound,
    "PathMismatch": PathMismatch,
    "PathSyntaxError": PathSyntaxError,
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_a_path_reads_what_its_case_says(case: dict[str, Any]) -> None:
    before = json.dumps(case["document"])
    if "error" in case:
        with pytest.raises(ERRORS[case["error"]]) as caught:
            compile_path(case["path"]).read(case["document"])
        assert caught.type is ERRORS[case["error"]]
        assert str(caught.value) == case.get("message", str(caught.value))
    else:
        result = compile_path(case["path"]).read(case["document"])
        assert json.dumps(result) == json.dumps(case["result"])
    assert json.dumps(case["document"]) == before


def test_every_case_names_its_source() -> None:
    assert all(case["source"] for _, case in CASES)
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    ("text", "definite", "reference"),
    [
        ("$", True, True),
        ("$.a.b", True, True),
        ("$['a b'][0].c", True, True),
        ("$[-1]", True, False),
        ("$['a','b']", True, False),
        ("$['a','b'].c", False, False),
        ("$[0,1]", False, False),
        ("$[0:1]", False, False),
        ("$.*", False, False),
        ("$..a", False, False),
        ("$[?(@.a)]", False, False),
        ("$.a.length()", True, False),
        ("$..a.length()", True, False),
        ("$[*].length()", False, False),
    ],
)
def test_a_path_knows_its_kind(text: str, definite: bool, reference: bool) -> None:
    path = compile_path(text)
    assert (path.definite, path.is_reference, path.text) == (definite, reference, text)


@pytest.mark.parametrize(
    ("root", "text", "value", "result"),
    [
        ({"a": 1}, "$", 5, 5),
        ({"a": 1}, "$.b", 5, {"a": 1, "b": 5}),
        ({"a": 1}, "$.a", 5, {"a": 5}),
        ({"a": {"b": 1}}, "$.a.c", 5, {"a": {"b": 1, "c": 5}}),
        ({}, "$.a.b.c", 5, {"a": {"b": {"c": 5}}}),
        ({"a": [1, 2]}, "$.a[1]", 5, {"a": [1, 5]}),
        ({"a": [{"x": 1}]}, "$.a[0].y.z", 5, {"a": [{"x": 1, "y": {"z": 5}}]}),
        ([1, 2], "$[0]", None, [None, 2]),
        ({}, "$['a.b']", 5, {"a.b": 5}),
    ],
)
def test_write_places_a_value_and_makes_missing_objects(root: Any, text: str, value: Any, result: Any) -> None:
    before = json.dumps(root)
    assert write(root, compile_path(text), value) == result
    assert json.dumps(root) == before


@pytest.mark.parametrize(
    ("root", "text"),
    [
        ("text", "$.a"),
        (None, "$.a"),
        ([1], "$.a"),
        ({"a": 1}, "$.a.b"),
        ({"a": None}, "$.a.b"),
        ({"a": [1]}, "$.a[1]"),
        ({"a": [1]}, "$.a.b"),
        ({"a": {}}, "$.a[0]"),
        ({}, "$.a[0]"),
        ({}, "$.a[*]"),
        ({}, "$[-1]"),
    ],
)
def test_write_refuses_to_go_through_what_is_no_container(root: Any, text: str) -> None:
    with pytest.raises(PathConflict):
        write(root, compile_path(text), 1)


def test_write_names_path_and_input() -> None:
    with pytest.raises(PathConflict, match=r'^Unable to apply ReferencePath \$\.a\.b to input {"a":1}$'):
        write({"a": 1}, compile_path("$.a.b"), 1)


def test_write_shares_what_it_does_not_change() -> None:
    root: dict[str, Any] = {"a": {"x": 1}, "b": {"y": [2]}}
    result = write(root, compile_path("$.a.z"), 3)
    assert result["b"] is root["b"]


@pytest.mark.parametrize(
    "text",
    [
        "$" + ".a" * 5_000,
        "$" + "[0]" * 3_000,
        "$" + "..a" * 3_000,
        "$" + "[?(@.a" * 1_000 + ")]" * 1_000,
        "$[?(" + "(" * 5_000 + "@.a" + ")" * 5_000 + ")]",
        "$[?(" + "!" * 5_000 + "(@.a))]",
        "$[?(@.a == " + "[" * 5_000 + "]" * 5_000 + ")]",
        "$[?(" + " && ".join(["@.a == 1"] * 600) + ")]",
        "$.sum(" * 1_500 + "1" + ")" * 1_500,
        "$['" + "a" * 10_000 + "']",
        "$[" + "9" * 10_000 + "]",
        "$[?(@.a == " + "9" * 10_000 + ")]",
        "$[?(@.a =~ /" + "(" * 5_000 + "/)]",
        "$[?(@.a =~ /((a{500}){500}){500}/)]",
    ],
)
def test_a_hostile_path_is_read_or_refused_but_never_breaks(text: str) -> None:
    try:
        path = compile_path(text)
    except PathSyntaxError:
        return
    try:
        path.read({"a": [{"a": 1}]})
    except PathNotFound:
        return


def test_a_pattern_that_makes_other_engines_hang_is_harmless() -> None:
    """A backtracking engine would not come to an end."""
    assert compile_path("$[?(@.a =~ /(a+)+b/)]").read([{"a": "a" * 2_000}]) == []


def test_a_text_too_long_for_its_pattern_is_not_accepted() -> None:
    assert compile_path("$[?(@.a =~ /(a|b){300}/)]").read([{"a": "a" * 60_000}]) == []


def test_a_deep_document_is_scanned() -> None:
    document: Any = 1
    for _ in range(5_000):
        document = {"a": [document]}
    assert len(compile_path("$..a").read(document)) == 5_000


def test_the_same_text_is_compiled_once() -> None:
    assert compile_path("$.once.upon") is compile_path("$.once.upon")


_TOKENS = "$ @ . .. [ ] * ? ( ) ' \" , : - 0 1 a b \\ / ! == =~ < && || in empty true .length() .sum( [?(@.a )] { } é"
_PIECES = st.sampled_from([*_TOKENS.split(), " ", "\n"])


@given(st.lists(_PIECES, max_size=30).map(lambda pieces: "$" + "".join(pieces)) | st.text(max_size=40))
@settings(max_examples=400, deadline=None)
def test_compiling_and_reading_raise_nothing_but_their_own_errors(text: str) -> None:
    try:
        compile_path(text).read({"a": [1, {"a": "b", "b": [None, True, 2.5]}], "b": "a"})
    except (PathSyntaxError, PathNotFound):
        return
