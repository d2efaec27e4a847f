"""Choice rules one by one (the cases of tests/spec/choice), retry delays, and which names match which failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepwell.asl.language.choice_rules import OPERATORS, compile_rule
from stepwell.asl.matching import Failure, matches
from stepwell.asl.retry import LONGEST_DELAY, Retrier
from stepwell.asl.states import STATE_TYPES
from stepwell.asl.states.base import State
from stepwell.kernel.errors import FatalStateError
from stepwell.kernel.ids import Ids, SeededIds

SPEC = Path(__file__).parent.parent / "spec" / "choice"
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"{file.stem}: {case['name']}", case)
    for file in sorted(SPEC.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


class StillScope:
    """A context object and nothing else."""

    context: dict[str, Any] = {"Execution": {"Name": "x"}}  # noqa: RUF012 - read only
    variables: dict[str, Any] = {}  # noqa: RUF012 - read only
    ids: Ids = SeededIds()
    now = 0.0


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_a_choice_rule_holds_or_not(case: dict[str, Any]) -> None:
    holds = compile_rule(case["rule"])
    if "error" in case:
        with pytest.raises(FatalStateError) as caught:
            holds(case["input"], StillScope())
        assert caught.value.error == case["error"]
    else:
        assert holds(case["input"], StillScope()) is case["holds"]


def test_every_operator_has_cases_of_both_outcomes() -> None:
    seen: dict[str, set[bool]] = {}
    for _, case in CASES:
        for name in OPERATORS & set(case["rule"]):
            seen.setdefault(name, set()).add(case.get("holds", False))
    assert len(OPERATORS) == 39
    assert {name for name, outcomes in seen.items() if len(outcomes) == 2} == set(OPERATORS)
    assert all(case["source"] for _, case in CASES)
    assert len({name for name, _ in CASES}) == len(CASES)


# ------------------------------------------------------------------ Retrier.delay
def delays(count: int, **raw: Any) -> list[float]:
    retrier = Retrier.parse({"ErrorEquals": ["E"], **raw})
    return [retrier.delay(attempt, SeededIds()) for attempt in range(count)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, [1, 2, 4, 8]),
        ({"IntervalSeconds": 3}, [3, 6, 12, 24]),
        ({"BackoffRate": 1}, [1, 1, 1, 1]),
        ({"IntervalSeconds": 2, "BackoffRate": 1.5}, [2, 3, 4.5, 6.75]),
        ({"IntervalSeconds": 3, "MaxDelaySeconds": 5}, [3, 5, 5, 5]),
        ({"JitterStrategy": "NONE"}, [1, 2, 4, 8]),
    ],
)
def test_delays_grow_by_the_backoff_rate_up_to_the_longest(raw: dict[str, Any], expected: list[float]) -> None:
    assert delays(4, **raw) == expected


def test_a_delay_too_large_to_compute_is_the_longest_there_is() -> None:
    retrier = Retrier.parse({"ErrorEquals": ["E"], "BackoffRate": 10})
    assert retrier.delay(100_000, SeededIds()) == LONGEST_DELAY
    assert retrier.delay(20, SeededIds()) == LONGEST_DELAY


def test_full_jitter_draws_from_zero_up_to_the_delay() -> None:
    retrier = Retrier.parse(
        {"ErrorEquals": ["E"], "IntervalSeconds": 10, "MaxDelaySeconds": 15, "JitterStrategy": "FULL"}
    )
    ids, twin = SeededIds(3), SeededIds(3)
    drawn = [retrier.delay(attempt, ids) for attempt in range(50)]
    assert drawn == [min(15, 10 * 2**attempt) * twin.random() for attempt in range(50)]
    assert all(0 <= delay < 15 for delay in drawn)
    assert len(set(drawn)) == 50


def test_a_retrier_tries_three_times_unless_told_otherwise() -> None:
    assert Retrier.parse({"ErrorEquals": ["E"]}).attempts == 3
    assert Retrier.parse({"ErrorEquals": ["E"], "MaxAttempts": 0}).attempts == 0


# ------------------------------------------------------------------ matching
ORDINARY = Failure(error="E")
TIMEOUT = Failure(error="States.Timeout")
HEARTBEAT = Failure(error="States.Timeout", also="States.HeartbeatTimeout")
FATAL = Failure(error="States.Runtime", fatal=True)
LIMIT = Failure(error="States.DataLimitExceeded", shy=True)
INTRINSIC = Failure(error="States.Runtime", also="States.IntrinsicFailure", shy=True)
NAMELESS = Failure(error=None)


@pytest.mark.parametrize(
    ("failure", "names", "expected"),
    [
        (ORDINARY, ["E"], True),
        (ORDINARY, ["e"], False),
        (ORDINARY, ["A", "E"], True),
        (ORDINARY, ["States.ALL"], True),
        (ORDINARY, ["States.TaskFailed"], True),
        (ORDINARY, [], False),
        (TIMEOUT, ["States.Timeout"], True),
        (TIMEOUT, ["States.TaskFailed"], False),
        (TIMEOUT, ["States.ALL"], True),
        (TIMEOUT, ["States.HeartbeatTimeout"], False),
        (HEARTBEAT, ["States.HeartbeatTimeout"], True),
        (HEARTBEAT, ["States.Timeout"], True),
        (HEARTBEAT, ["States.TaskFailed"], False),
        (FATAL, ["States.Runtime"], False),
        (FATAL, ["States.ALL"], False),
        (LIMIT, ["States.ALL"], False),
        (LIMIT, ["States.TaskFailed"], False),
        (LIMIT, ["States.DataLimitExceeded"], True),
        (INTRINSIC, ["States.ALL"], False),
        (INTRINSIC, ["States.IntrinsicFailure"], True),
        (NAMELESS, ["States.ALL"], True),
        (NAMELESS, ["E"], False),
    ],
)
def test_which_names_match_which_failure(failure: Failure, names: list[str], *, expected: bool) -> None:
    assert matches(names, failure) is expected


def test_every_state_type_is_registered_under_its_own_name() -> None:
    assert {kind.type for kind in State.__subclasses__()} == set(STATE_TYPES)
    assert all(
        kind.entered_event == f"{name}StateEntered" and kind.exited_event == f"{name}StateExited"
        for name, kind in STATE_TYPES.items()
    )
