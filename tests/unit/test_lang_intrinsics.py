"""Intrinsic functions: the cases of tests/spec/intrinsics, references, chance and hostile texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.kernel.ids import SeededIds
from stepwell.lang.intrinsics import (
    FUNCTIONS,
    IntrinsicFailure,
    IntrinsicSyntaxError,
    Reference,
    compile_intrinsic,
    compile_reference,
    is_intrinsic,
    missing_argument,
)
from stepwell.lang.jsonpath import PathNotFound, PathSyntaxError

SPEC = File(__file__).parent.parent / "spec" / "intrinsics"
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"{file.stem}: {case['name']}"[:120], case)
    for file in sorted(SPEC.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


def resolver(case: dict[str, Any]) -> Callable[[Reference], Any]:
    roots = {"input": case["input"], "context": case.get("context")}

    def resolve(reference: Reference) -> Any:
        root = case["variables"][reference.name] if reference.kind == "variable" else roots[reference.kind]
        return reference.path.read(root)

    return resolve


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_a_call_gives_what_its_case_says(case: dict[str, Any]) -> None:
    text = case["expression"]
    if case.get("error") == "IntrinsicSyntaxError":
        with pytest.raises(IntrinsicSyntaxError):
            compile_intrinsic(text)
        return
    call = compile_intrinsic(text)
    if "error" not in case:
        assert json.dumps(call.evaluate(resolver(case), SeededIds())) == json.dumps(case["result"])
        return
    with pytest.raises(IntrinsicFailure) as caught:
        call.evaluate(resolver(case), SeededIds())
    assert caught.value.detail == case.get("detail", caught.value.detail)
    assert caught.value.message == f"The function '{text}' had the following error: {caught.value.detail}"


def test_every_case_names_its_source_and_every_function_has_cases() -> None:
    assert all(case["source"] for _, case in CASES)
    assert len(CASES) >= 120
    texts = " ".join(case["expression"] for _, case in CASES)
    assert [name for name in FUNCTIONS if name + "(" not in texts] == []
    assert len(FUNCTIONS) == 18


@pytest.mark.parametrize(
    ("text", "kind", "name", "path"),
    [
        ("$", "input", None, "$"),
        ("$.a[0]", "input", None, "$.a[0]"),
        ("$['a']", "input", None, "$['a']"),
        ("$$", "context", None, "$"),
        ("$$.Execution.Id", "context", None, "$.Execution.Id"),
        ("$var", "variable", "var", "$"),
        ("$var.x[1]", "variable", "var", "$.x[1]"),
        ("$größe['a']", "variable", "größe", "$['a']"),
    ],
)
def test_a_reference_knows_where_it_looks(text: str, kind: str, name: str | None, path: str) -> None:
    reference = compile_reference(text)
    assert (reference.kind, reference.name, reference.path.text, reference.text) == (kind, name, path, text)


@pytest.mark.parametrize("text", ["", "a", "$$x", "$var-x", "$1", "$.", "$var.", "$$["])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_reference(text)


def test_a_call_lists_its_functions_and_references() -> None:
    call = compile_intrinsic("States.Format('{}{}{}', $.a, States.Hash($x.y, 'MD5'), $$.State.Name)")
    assert call.functions == {"States.Format", "States.Hash"}
    assert [reference.text for reference in call.references] == ["$.a", "$x.y", "$$.State.Name"]
    assert call.text.startswith("States.Format(")


def test_a_text_is_meant_as_a_call_by_its_prefix() -> None:
    assert is_intrinsic("States.Nope")
    assert not is_intrinsic("$.States.Format")


def test_the_failure_names_the_whole_expression_not_the_inner_call() -> None:
    text = "States.Array(States.ArrayLength('x'))"
    with pytest.raises(IntrinsicFailure) as caught:
        compile_intrinsic(text).evaluate(lambda reference: None, SeededIds())
    assert caught.value.message == (
        f"The function '{text}' had the following error: Invalid arguments in States.ArrayLength"
    )


def test_a_resolver_can_say_that_an_argument_is_missing() -> None:
    def resolve(reference: Reference) -> Any:
        raise missing_argument(reference.text, '{"other":1}')

    with pytest.raises(IntrinsicFailure) as caught:
        compile_intrinsic("States.Format('{}', $.nope)").evaluate(resolve, SeededIds())
    assert caught.value.message == (
        "The function 'States.Format('{}', $.nope)' had the following error: "
        "The JsonPath argument for the field '$.nope' could not be found in the input '{\"other\":1}'"
    )


def test_an_error_of_the_resolver_passes_through() -> None:
    with pytest.raises(PathNotFound):
        compile_intrinsic("States.Array($.a)").evaluate(lambda reference: reference.path.read({}), SeededIds())


def test_uuid_and_random_numbers_come_from_the_ids() -> None:
    def run(text: str) -> list[Any]:
        ids = SeededIds(7)
        return [compile_intrinsic(text).evaluate(lambda reference: None, ids) for _ in range(50)]

    numbers = run("States.MathRandom(1, 5)")
    assert set(numbers) == {1, 2, 3, 4}
    assert numbers == run("States.MathRandom(1, 5)")
    identifiers = run("States.UUID()")
    assert len(set(identifiers)) == 50
    assert all(len(identifier) == 36 for identifier in identifiers)


@pytest.mark.parametrize("seed", ["0", "1", "-10", "42", "2.6", "9223372036854775807"])
def test_a_seeded_number_is_in_range_and_repeats(seed: str) -> None:
    for bounds in ("1, 10", "-1000000, 1000000", "2147483640, 2147483647", "-2147483648, 2147483647", "0, 64"):
        call = compile_intrinsic(f"States.MathRandom({bounds}, {seed})")
        start, end = map(int, bounds.split(","))
        number = call.evaluate(lambda reference: None, SeededIds())
        assert start <= number < end
        assert number == call.evaluate(lambda reference: None, SeededIds(1))


def test_arguments_are_not_changed() -> None:
    document = {"a": {"x": [1]}, "b": {"y": 2}, "c": [3, 1, 3]}
    before = json.dumps(document)
    for text in (
        "States.JsonMerge($.a, $.b, false)",
        "States.ArrayUnique($.c)",
        "States.ArrayPartition($.c, 2)",
        "States.Array($.a, $.c)",
    ):
        compile_intrinsic(text).evaluate(lambda reference: reference.path.read(document), SeededIds())
    assert json.dumps(document) == before


@pytest.mark.parametrize(
    "text",
    [
        "States.Array(" * 5_000,
        "States.Array(" + "1," * 20_000 + "1)",
        "States.Array('" + "a" * 100_000 + "')",
        "States.Array(" + "9" * 10_000 + ")",
        "States.Array($" + "[" * 10_000 + ")",
        "States.Array($" + ".a" * 10_000 + ")",
    ],
)
def test_a_hostile_text_is_read_or_refused_but_never_breaks(text: str) -> None:
    try:
        compile_intrinsic(text)
    except IntrinsicSyntaxError:
        return


_TOKENS = "States. ( ) , ' \\ $ $$ $x .a [0] [ ] 1 - 1.5 true null {} {"
_PIECES = st.sampled_from([*_TOKENS.split(), " ", *(name + "(" for name in FUNCTIONS)])
_ROOT = {"a": ["x", 1, None, {"a": 2.5}], "b": "{}"}


@given(st.lists(_PIECES, max_size=25).map("".join) | st.text(max_size=30).map("States.Format('{}".__add__))
@settings(max_examples=400, deadline=None)
def test_compiling_and_running_raise_nothing_but_their_own_errors(text: str) -> None:
    try:
        compile_intrinsic(text).evaluate(lambda reference: reference.path.read(_ROOT), SeededIds())
    except (IntrinsicSyntaxError, IntrinsicFailure, PathNotFound):
        return


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(_JSON, max_size=4))
@settings(max_examples=400, deadline=None)
def test_any_arguments_give_a_result_or_a_failure(name: str, values: list[Any]) -> None:
    call = compile_intrinsic(f"{name}({', '.join(f'$[{at}]' for at in range(len(values)))})")
    try:
        call.evaluate(lambda reference: reference.path.read(values), SeededIds())
    except IntrinsicFailure:
        return
