"""Reading a definition's text: AWS's words for bad JSON, and YAML that means what JSON means."""

from __future__ import annotations

import pytest

from stepwell.asl.diagnostics import DefinitionError, Diagnostic
from stepwell.asl.source import load_definition, load_json_definition


def fault(text: str, *, yaml: bool = False) -> Diagnostic:
    with pytest.raises(DefinitionError) as caught:
        (load_definition if yaml else load_json_definition)(text)
    assert len(caught.value.diagnostics) == 1
    assert caught.value.message.startswith("Invalid State Machine Definition: '")
    return caught.value.diagnostics[0]


def test_text_that_is_no_json_is_quoted_with_its_place() -> None:
    """Recorded: test_validate_state_machine_definition_not_a_definition[NOT_A_DEF]."""
    where = '[Source: (String)"not a definition"; line: 1, column: 4]'
    assert fault("not a definition") == Diagnostic(
        code="INVALID_JSON_DESCRIPTION",
        message="Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' "
        f"or 'false')\n at {where}",
        location=where,
    )


@pytest.mark.parametrize("text", [" ", "1", "[]", '"x"', "null"])
def test_json_that_is_no_object_is_no_definition(text: str) -> None:
    """Recorded: test_validate_state_machine_definition_not_a_definition[EMPTY_STRING]."""
    assert fault(text) == Diagnostic(
        code="SCHEMA_VALIDATION_FAILED", message="Definition must be a valid JSON object", location=None
    )


def test_a_long_text_is_cut_in_the_message() -> None:
    text = "{" + "x" * 1000
    location = fault(text).location or ""
    assert location.startswith('[Source: (String)"{xxx')
    assert '"[truncated 501 chars]; line: 1' in location


def test_json_nested_too_deeply_is_refused() -> None:
    assert fault("[" * 100_000).code == "INVALID_JSON_DESCRIPTION"
    assert fault("[" * 100_000, yaml=True).code == "INVALID_JSON_DESCRIPTION"


def test_yaml_scalars_are_those_of_json() -> None:
    text = """
    StartAt: A  # a comment
    Date: 2024-01-01
    Time: 2024-01-01T00:00:00Z
    Words: [on, yes, No, True, 0x10, 1_000, 010, .5, .inf, '1']
    Values: [true, false, null, ~, 1, -2, 1.5, 1e3]
    1: one
    null: nothing
    Empty:
    Text: |
      two
      lines
    """
    assert load_definition(text) == {
        "StartAt": "A",
        "Date": "2024-01-01",
        "Time": "2024-01-01T00:00:00Z",
        "Words": ["on", "yes", "No", "True", "0x10", "1_000", "010", ".5", ".inf", "1"],
        "Values": [True, False, None, None, 1, -2, 1.5, 1000.0],
        "1": "one",
        "null": "nothing",
        "Empty": None,
        "Text": "two\nlines\n",
    }


def test_of_a_key_given_twice_the_last_value_counts() -> None:
    assert load_definition("a: 1\na: 2") == {"a": 2}
    assert load_definition('{"a": 1, "a": 2}') == {"a": 2}


def test_aliases_are_written_out() -> None:
    assert load_definition("a: &x {b: 1}\nc: *x") == {"a": {"b": 1}, "c": {"b": 1}}


def test_json_read_as_a_definition_gets_the_words_of_json() -> None:
    assert fault('{"a": }', yaml=True).code == "INVALID_JSON_DESCRIPTION"
    assert "Source: (String)" in (fault('{"a": }', yaml=True).location or "")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "aliases expand to more than"),
        ("a: &x [*x]", "refers to the value that it is part of"),
        ("a: !Sub x", "the tag !Sub is not supported"),
        ("a: !!python/object:os.system {}", "is not supported"),
        ("a: !!float .nan", "Not valid YAML: "),
        ("? [a]\n: b", "a key must be a string"),
        ("a: b: c", "mapping values are not allowed here"),
        ("a: [" + "[" * 5000, "nested too deeply"),
        ("a: *nothing", "found undefined alias"),
    ],
)
def test_yaml_that_means_no_json_is_refused(text: str, words: str) -> None:
    found = fault(text, yaml=True)
    assert found.code == "INVALID_JSON_DESCRIPTION"
    assert words in found.message
