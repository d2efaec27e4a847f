"""The cases of tests/spec/asl: whole executions, in memory and with every decision read back from a journal, alike.

A case has ``name``, ``source``, ``definition``, ``input`` (or ``input_text``, to the letter) and what must come of it:
``status``, ``output`` (or ``output_text``), ``error``, ``cause``, ``ended`` (seconds after the start), ``calls`` (rows of
state, seconds, and perhaps the parameters) and ``events`` (rows of type, previous event's id, and some of the details).

``tasks`` has the answers of each state's calls in order: ``{"succeed": value}``, ``{"text": JSON text}``, ``{"echo": 1}``,
``{"fail": [error, cause]}``, ``{"submit": value}`` with or without one of the others, or ``"hang"``. ``at`` has rows of seconds
and an action: ``{"claim": state}``, ``{"callback": state, "succeed": value}`` (or ``fail``, or ``heartbeat``), ``{"stop":
[error, cause]}``; ``counts: false`` says that it must change nothing. A string ``@bytes:N`` stands for N letters.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine_house import Drive, open_drive, text_of
from stepwell.engine.events import FORMS, Event, wire_form
from stepwell.engine.messages import ActivityStarted, Failed, Heartbeat, Message, Stop, Succeeded
from stepwell.engine.state import TaskWait
from stepwell.kernel.jsontext import Json

SPEC = Path(__file__).parent.parent / "spec" / "asl"
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"{file.stem}: {case['name']}", case)
    for file in sorted(SPEC.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


def expand(value: Any) -> Any:
    """``@bytes:N`` as the text it stands for."""
    if isinstance(value, str) and value.startswith("@bytes:"):
        return "a" * int(value.removeprefix("@bytes:"))
    if isinstance(value, list):
        return [expand(part) for part in value]
    if isinstance(value, dict):
        return {key: expand(part) for key, part in value.items()}
    return value


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
async def test_an_execution_goes_as_its_case_says(case: dict[str, Any]) -> None:
    case = expand(case)
    in_memory = await _run(case, "memory")
    durable = await _run(case, "durable")
    assert durable == in_memory


async def _run(case: dict[str, Any], kind: str) -> list[Event]:
    """Run a case, check what it says, and return its history."""
    text = case["input_text"] if "input_text" in case else text_of(case.get("input", {}))
    async with open_drive(kind, case["definition"], Json.parse(text), case.get("tasks", {})) as drive:
        started = drive.clock.now()
        await drive.start()
        for seconds, action in case.get("at", []):
            await drive.advance_to(started + seconds)
            assert await _act(drive, action) is action.get("counts", True), action
        while (await drive.execution()).status == "RUNNING" and (due := await drive.next_due()) is not None:
            await drive.advance_to(due)
        await _check_outcome(drive, case, started)
        events = await drive.events()
    _check_history(events)
    if "events" in case:
        assert _shown(events, case["events"]) == case["events"]
    return events


async def _act(drive: Drive, action: dict[str, Any]) -> bool:
    if "stop" in action:
        return await drive.tell(Stop(*action["stop"]))
    state = action.get("claim", action.get("callback"))
    execution = await drive.execution()
    waiting = [
        (frame, frame.waiting)
        for frame in execution.frames.values()
        if frame.state == state and isinstance(frame.waiting, TaskWait)
    ]
    frame, wait = waiting[action.get("nth", 0)]
    return await drive.tell(_message(frame.id, wait.event, action))


def _message(frame: int, event: int, action: dict[str, Any]) -> Message:
    if "claim" in action:
        return ActivityStarted(frame, event, action.get("worker"))
    if "heartbeat" in action:
        return Heartbeat(frame, event)
    if "fail" in action:
        error, cause = action["fail"]
        return Failed(frame, event, error, cause, callback=True)
    return Succeeded(frame, event, Json(action["succeed"]), callback=True)


async def _check_outcome(drive: Drive, case: dict[str, Any], started: float) -> None:
    execution = await drive.execution()
    found: dict[str, Any] = {"status": execution.status, "error": execution.error, "cause": execution.cause}
    assert found == {"status": case["status"], "error": case.get("error"), "cause": case.get("cause")}
    if case["status"] == "SUCCEEDED":
        assert execution.output is not None
        if "output_text" in case:
            assert execution.output.text == case["output_text"]
        else:
            assert json.dumps(execution.output.value) == json.dumps(case["output"])
    else:
        assert execution.output is None
    if "ended" in case:
        assert execution.stopped is not None
        assert round(execution.stopped - started, 3) == case["ended"]
    if "calls" in case:
        rows = [[call.state, at, call.parameters.value] for at, call in drive.runner.calls]
        assert [row[: len(wanted)] for row, wanted in zip(rows, case["calls"], strict=True)] == case["calls"]


def _check_history(events: list[Event]) -> None:
    """What holds for every history."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(event.previous < event.id for event in events)
    assert all(event.type in FORMS for event in events)
    assert all(a.time <= b.time for a, b in pairwise(events))
    for event in events:
        json.dumps(wire_form(event))


def _shown(events: list[Event], wanted: list[list[Any]]) -> list[list[Any]]:
    """The events as rows, with those details that the case names (``null`` for one that is not there)."""
    rows = []
    for number, event in enumerate(events):
        row: list[Any] = [event.type, event.previous]
        if number < len(wanted) and len(wanted[number]) > 2:
            details = {k: v.value if isinstance(v, Json) else v for k, v in (event.details or {}).items()}
            row.append({name: details.get(name) for name in wanted[number][2]})
        rows.append(row)
    return rows


def test_every_case_names_its_source() -> None:
    assert all(case["source"] for _, case in CASES)
    assert len({name for name, _ in CASES}) == len(CASES)
