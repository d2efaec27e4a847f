"""The cases of tests/spec/redrive: executions that fail and are redriven, every decision read back from a journal.

A case has ``ends``: how the attempts end after each of which it is redriven. ``definition``, ``input``, ``tasks``, ``at``,
``status``, ``output``, ``error``, ``cause`` (``@any`` for one that is not looked at), ``ended``, ``calls`` and ``events`` are
those of tests/spec/asl (see ``test_engine_spec.py``), of all attempts together. Actions: ``stop``, ``claim``, ``callback``,
``redrive`` (with a client token), and ``late``: the result of an earlier attempt's task, by the id of its Started event.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine_house import Drive, DurableDrive, open_drive, text_of
from stepwell.engine.events import Event, wire_form
from stepwell.engine.messages import ActivityStarted, Redrive, Stop, Succeeded
from stepwell.engine.redrive import MOST_EVENTS, TOKEN_SECONDS, TOKENS
from stepwell.engine.state import TOP, TaskWait
from stepwell.kernel.jsontext import Json

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "spec" / "redrive" / "cases.json").read_text(encoding="utf-8")
)
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}
CALL = {"Type": "Task", "Resource": FUNCTION, "End": True}
TASK = {"StartAt": "T", "States": {"T": CALL}}
BOTH = {
    "StartAt": "S",
    "States": {
        "S": {
            "Type": "Parallel",
            "Branches": [{"StartAt": name, "States": {name: CALL}} for name in ("A", "B")],
            "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["E"], "Next": "F"}],
            "End": True,
        },
        "F": {"Type": "Fail"},
    },
}
LOOP = {
    "StartAt": "C",
    "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "D"}], "Default": "P"},
        "P": {"Type": "Pass", "Next": "C"},
        "D": {"Type": "Succeed"},
    },
}


def expand(value: Any) -> Any:
    """``@bytes:N`` as the text it stands for."""
    if isinstance(value, str) and value.startswith("@bytes:"):
        return "a" * int(value.removeprefix("@bytes:"))
    if isinstance(value, list):
        return [expand(part) for part in value]
    return {key: expand(part) for key, part in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
async def test_a_redriven_execution_goes_as_its_case_says(case: dict[str, Any]) -> None:
    case = expand(case)
    document = Json.parse(text_of(case.get("input", {})))
    async with open_drive("durable", case["definition"], document, case.get("tasks", {})) as drive:
        started = drive.clock.now()
        await drive.start()
        for seconds, action in case.get("at", []):
            await drive.advance_to(started + seconds)
            assert await _act(drive, action) is action.get("counts", True), action
        for number, end in enumerate(case["ends"]):
            await _run_out(drive)
            assert (await drive.execution()).status == end
            assert await drive.tell(Redrive(f"token {number}"))
        await _run_out(drive)
        await _check(drive, case, started)


async def _run_out(drive: Drive) -> None:
    while (await drive.execution()).status == "RUNNING" and (due := await drive.next_due()) is not None:
        await drive.advance_to(due)


async def _act(drive: Drive, action: dict[str, Any]) -> bool:
    if "stop" in action:
        return await drive.tell(Stop(*action["stop"]))
    if "redrive" in action:
        return await drive.tell(Redrive(action["redrive"]))
    if "late" in action:
        return await drive.tell(Succeeded(TOP, action["late"] - 1, Json("late"), callback=True))
    execution = await drive.execution()
    state = action.get("claim", action.get("callback"))
    frame, wait = next(
        (frame.id, frame.waiting)
        for frame in execution.frames.values()
        if frame.state == state and isinstance(frame.waiting, TaskWait)
    )
    if "claim" in action:
        return await drive.tell(ActivityStarted(frame, wait.event, None))
    return await drive.tell(Succeeded(frame, wait.event, Json(action["succeed"]), callback=True))


async def _check(drive: Drive, case: dict[str, Any], started: float) -> None:
    execution = await drive.execution()
    assert execution.status == case["status"], execution.cause
    for name in ("error", "cause"):
        assert case.get(name) in {"@any", getattr(execution, name)}
    assert (None if execution.output is None else execution.output.value) == case.get("output")
    if "ended" in case:
        assert execution.stopped is not None
        assert round(execution.stopped - started, 3) == case["ended"]
    if "calls" in case:
        rows = [[call.state, at, call.parameters.value] for at, call in drive.runner.calls]
        assert [row[: len(wanted)] for row, wanted in zip(rows, case["calls"], strict=True)] == case["calls"]
    keys = [call.key for _, call in drive.runner.calls]
    assert len(set(keys)) == len(keys), "an attempt's task has a key of its own"
    events = await drive.events()
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(event.previous < event.id and wire_form(event) for event in events)
    if "events" in case:
        assert _shown(events, case["events"]) == case["events"]


def _shown(events: list[Event], wanted: list[list[Any]]) -> list[list[Any]]:
    rows = []
    for number, event in enumerate(events):
        row: list[Any] = [event.type, event.previous]
        if number < len(wanted) and len(wanted[number]) > 2:
            row.append({name: (event.details or {}).get(name) for name in wanted[number][2]})
        rows.append(row)
    return rows


async def test_a_repeated_request_counts_and_changes_nothing() -> None:
    """The same client token for 15 minutes; afterwards, or with another one, it is a request of its own."""
    async with open_drive("durable", FAIL, Json({}), {}) as drive:
        await drive.start()
        assert await drive.tell(Redrive("t"))
        assert await drive.tell(Redrive("t"))
        assert (await drive.execution()).redrives == 1
        await drive.advance_to(drive.clock.now() + TOKEN_SECONDS + 1)
        assert await drive.tell(Redrive("t"))
        assert (await drive.execution()).redrives == 2


async def test_no_more_than_ten_tokens_are_remembered() -> None:
    async with open_drive("durable", FAIL, Json({}), {}) as drive:
        await drive.start()
        for number in range(TOKENS + 1):
            assert await drive.tell(Redrive(f"t{number}"))
        assert len((await drive.execution()).redrive_tokens) == TOKENS
        assert await drive.tell(Redrive("t0"))
        assert (await drive.execution()).redrives == TOKENS + 2


async def test_a_running_or_succeeded_execution_is_not_redriven() -> None:
    async with open_drive("durable", TASK, Json({}), {"T": ["hang"]}) as drive:
        await drive.start()
        assert not await drive.tell(Redrive("t"))
        before = await drive.events()
        assert await drive.tell(Succeeded(TOP, 3, Json(1)))
        assert not await drive.tell(Redrive("t"))
        assert len(await drive.events()) == len(before) + 3


async def test_of_two_redrives_at_once_one_counts() -> None:
    async with open_drive("durable", TASK, Json({}), {"T": [{"fail": ["E", "c"]}]}) as drive:
        assert isinstance(drive, DurableDrive)
        await drive.start()
        key = (await drive.execution()).key
        first, second = drive.worker.tell(key, Redrive("a")), drive.worker.tell(key, Redrive("b"))
        assert sorted([await first, await second]) == [False, True]
        assert (await drive.execution()).redrives == 1


async def test_an_execution_without_room_in_its_history_is_not_redriven() -> None:
    """Less than 24,999 events: https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html."""
    async with open_drive("durable", LOOP, Json({}), {}) as drive:
        await drive.start()
        execution = await drive.execution()
        assert execution.status == "FAILED"
        assert execution.last_event > MOST_EVENTS
        assert not await drive.tell(Redrive("t"))


async def test_frames_of_failed_branches_go_when_their_failure_is_handled() -> None:
    """Retried or caught: nobody will ask for them again."""
    script: dict[str, list[Any]] = {
        "A": [{"succeed": 1}, {"succeed": 1}],
        "B": [{"fail": ["E", "c"]}, {"fail": ["E", "c"]}],
    }
    async with open_drive("durable", BOTH, Json({}), script) as drive:
        await drive.start()
        assert list((await drive.execution()).frames) == [TOP]
        await _run_out(drive)
        assert (await drive.execution()).status == "FAILED"
        assert list((await drive.execution()).frames) == [TOP]


def test_every_case_has_a_name_and_a_source_of_its_own() -> None:
    assert all(case["source"] for case in CASES)
    assert len({case["name"] for case in CASES}) == len(CASES)
