"""Step Functions Local's mock configuration: what is read, what is refused, and which test case is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepwell.local.answers import Return, Throw
from stepwell.local.errors import MockFileError
from stepwell.local.mockfile import load_mock_file, parse_mock_file

GOOD: dict[str, Any] = {
    "StateMachines": {
        "orders": {"TestCases": {"HappyPath": {"Charge": "Charged"}, "RetryPath": {"Charge": "BusyThenCharged"}}},
        "refunds": {"TestCases": {"HappyPath": {}}},
    },
    "MockedResponses": {
        "Charged": {"0": {"Return": {"id": 7}}},
        "BusyThenCharged": {
            "2": {"Return": [7]},
            "0-1": {"Throw": {"Error": "Busy", "Cause": "try later"}},
        },
    },
}


def changed(place: str, value: Any) -> str:
    """The good file with one value at a place exchanged (or added), as text."""
    file = json.loads(json.dumps(GOOD))
    at = file
    *path, last = place.split("/")
    for word in path:
        at = at[word]
    at[last] = value
    return json.dumps(file)


def test_ranges_become_one_answer_for_each_call() -> None:
    busy = Throw("Busy", "try later")
    assert parse_mock_file(json.dumps(GOOD)).mocks("orders", "RetryPath") == {"Charge": (busy, busy, Return([7]))}


def test_all_test_cases_are_listed_by_machine() -> None:
    assert parse_mock_file(json.dumps(GOOD)).names == ["orders/HappyPath", "orders/RetryPath", "refunds/HappyPath"]


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("Extra", {}, "mocks.json: is not known here; there are 'MockedResponses', 'StateMachines' (at /Extra)"),
        ("StateMachines", [], "mocks.json: must be an object (at /StateMachines)"),
        ("StateMachines/orders", {}, "mocks.json: TestCases is missing (at /StateMachines/orders)"),
        (
            "StateMachines/orders/TestCases/HappyPath",
            {"Charge": "Chargd"},
            "mocks.json: MockedResponses has no 'Chargd'; did you mean 'Charged'? "
            "(at /StateMachines/orders/TestCases/HappyPath/Charge)",
        ),
        (
            "StateMachines/orders/TestCases/HappyPath",
            {"Charge": {"Return": 1}},
            "mocks.json: must be the name of a response in MockedResponses "
            "(at /StateMachines/orders/TestCases/HappyPath/Charge)",
        ),
        ("MockedResponses/Charged", {}, "mocks.json: call 0 has no answer (at /MockedResponses/Charged)"),
        (
            "MockedResponses/Charged",
            {"0": {"Return": 1}, "2": {"Return": 2}},
            "mocks.json: call 1 has no answer (at /MockedResponses/Charged)",
        ),
        (
            "MockedResponses/Charged",
            {"0-2": {"Return": 1}, "1": {"Return": 2}},
            "mocks.json: call 1 has two answers (at /MockedResponses/Charged)",
        ),
        (
            "MockedResponses/Charged",
            {"first": {"Return": 1}},
            'mocks.json: must be the number of a call like "0", or a range like "1-2" (at /MockedResponses/Charged/first)',
        ),
        (
            "MockedResponses/Charged",
            {"2-0": {"Return": 1}},
            "mocks.json: must be a range that goes up, below 25000 (at /MockedResponses/Charged/2-0)",
        ),
        (
            "MockedResponses/Charged/0",
            {"Return": 1, "Throw": {"Error": "E"}},
            "mocks.json: must have either Return or Throw (at /MockedResponses/Charged/0)",
        ),
        (
            "MockedResponses/Charged/0",
            {"Throw": {"Cause": "no name"}},
            "mocks.json: Error is missing (at /MockedResponses/Charged/0/Throw)",
        ),
        (
            "MockedResponses/Charged/0",
            {"Throw": {"Error": 404}},
            "mocks.json: must be a string (at /MockedResponses/Charged/0/Throw/Error)",
        ),
    ],
)
def test_a_fault_names_its_place(place: str, value: Any, fault: str) -> None:
    with pytest.raises(MockFileError) as caught:
        parse_mock_file(changed(place, value), source="mocks.json")
    assert str(caught.value) == fault


def test_text_that_is_not_json_names_line_and_column() -> None:
    with pytest.raises(MockFileError, match=r"\(at line 2, column 3\)"):
        parse_mock_file('{"StateMachines": {},\n  oops}')


@pytest.mark.parametrize("choice", ["orders/RetryPath", "orders#RetryPath", "RetryPath"])
def test_a_test_case_is_chosen_by_its_name(choice: str) -> None:
    file = parse_mock_file(json.dumps(GOOD))
    assert file.select(choice) == file.mocks("orders", "RetryPath")


def test_the_workflows_name_settles_which_machine_is_meant() -> None:
    file = parse_mock_file(json.dumps(GOOD))
    assert file.select("HappyPath", machine="orders") == {"Charge": (Return({"id": 7}),)}
    assert file.select(machine="refunds") == {}


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        (None, "no test case is chosen; choose one of orders/HappyPath, orders/RetryPath, refunds/HappyPath"),
        ("HappyPath", "test case 'HappyPath' is there more than once; choose one of"),
        ("SadPath", "test case 'SadPath' is not there; choose one of"),
        ("orders/RetryPth", "there is no test case 'orders/RetryPth'; did you mean 'orders/RetryPath'?"),
    ],
)
def test_a_choice_that_is_not_clear_lists_the_test_cases(choice: str | None, fault: str) -> None:
    with pytest.raises(MockFileError) as caught:
        parse_mock_file(json.dumps(GOOD)).select(choice)
    assert fault in str(caught.value)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mocks.json"
    path.write_text(json.dumps(GOOD))
    assert load_mock_file(path).source == str(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MockFileError, match="not UTF-8"):
        load_mock_file(path)
