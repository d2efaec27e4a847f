"""Executions as bytes: whatever a frame waits for comes back equal; a document is stored once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from engine_house import KEYS, KnownMachine, checked, new_execution
from stepwell.asl.model import Machine
from stepwell.engine import codec
from stepwell.engine.advance import advance
from stepwell.engine.journal import Append, ExecutionRow, FrameRow, Page, Stored, TaskRow
from stepwell.engine.messages import ActivityStarted, Continue, Failed, Message, Start, Submitted, Succeeded
from stepwell.engine.pages import events_of_page, payloads_of_page
from stepwell.engine.references import INPUT, OUTPUT, resolver
from stepwell.engine.state import Execution, Frame, TaskWait
from stepwell.engine.tokens import Tokens
from stepwell.engine.turn import Env
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json

NOW = 1_767_225_600.0
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
MESSAGE = {"QueueUrl": "q", "MessageBody": "m"}
TASK: dict[str, Any] = {"Type": "Task", "Resource": FUNCTION, "End": True}


def one(name: str = "S", **state: Any) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {"End": True, **state}}}


class Shelf:
    """Keeps what appends write, as a journal would."""

    def __init__(self, definition: dict[str, Any], document: Any) -> None:
        self.machine: Machine = checked(definition)
        self.execution = new_execution(self.machine, Json(document), NOW)
        self.execution.version = "arn:aws:states:us-east-1:000000000000:stateMachine:m:1"
        self._row = codec.to_new(self.execution)
        self._frames: dict[int, FrameRow] = {}
        self._tasks: dict[int, TaskRow] = {}
        self.payloads: dict[int, str] = {}
        self.pages: list[Page] = []
        self.appends: list[Append] = []
        self._ids = SeededIds(4)
        self.tell(Start())

    def tell(self, message: Message) -> Append:
        env = Env(now=NOW, ids=self._ids, tokens=Tokens(KEYS))
        decision, counted = advance(self.execution, [message], env)
        assert counted == [True]
        append = codec.to_append(self.execution, decision)
        self._keep(append)
        return append

    def _keep(self, append: Append) -> None:
        self.appends.append(append)
        for parent in append.children_dropped:
            self._frames = {n: row for n, row in self._frames.items() if row.parent != parent}
        self._frames |= {row.frame: row for row in append.frames}
        for event in append.tasks_done:
            self._tasks.pop(event, None)
            self.execution.tasks.pop(event, None)
        for task in append.tasks:
            self._tasks[task.event] = self.execution.tasks[task.event] = task
        self.payloads |= {row.number: row.body for row in append.payloads}
        if append.page is not None:
            self.pages.append(append.page)
        self.execution.seq += 1

    def row(self) -> ExecutionRow:
        new, append = self._row, self.appends[-1]
        closed = append.closed
        return ExecutionRow(
            key=new.key,
            arn=new.arn,
            machine_arn=new.machine_arn,
            name=new.name,
            status="RUNNING" if closed is None else closed.status,
            seq=len(self.appends),
            started=new.started,
            stopped=None if closed is None else closed.stopped,
            definition=new.definition,
            input=new.input,
            output=None if closed is None else closed.output,
            error=None if closed is None else closed.error,
            cause=None if closed is None else closed.cause,
            head=append.head,
            runnable=append.runnable,
            version=new.version,
        )

    def load(self) -> Execution:
        stored = Stored(row=self.row(), frames=list(self._frames.values()), tasks=list(self._tasks.values()), timers=[])
        numbers = codec.referenced_payloads(stored)
        return codec.from_stored(stored, self.machine, {number: self.payloads[number] for number in numbers})


def seen(execution: Execution) -> dict[str, Any]:
    """Everything that must survive, but the children of frames whose order is that of their ids."""
    left_out = {"frames", "payloads", "machine"}
    values = {name: getattr(execution, name) for name in Execution.__slots__ if name not in left_out}
    values["frames"] = {number: frame_of(frame) for number, frame in execution.frames.items()}
    return values


def frame_of(frame: Frame) -> dict[str, Any]:
    values = {name: getattr(frame, name) for name in Frame.__slots__ if name != "plan"}
    if frame.finished:
        values["input"] = values["item"] = None
    return values


PARALLEL_OF_ALL: dict[str, Any] = {
    "Type": "Parallel",
    "Branches": [
        one("W", Type="Wait", Seconds=9),
        one("R", **TASK, Retry=[{"ErrorEquals": ["E"]}, {"ErrorEquals": ["F"]}]),
        one("A", **{**TASK, "Resource": ACTIVITY}, HeartbeatSeconds=5),
        one("T", **{**TASK, "Resource": CALLBACK}, Parameters=MESSAGE, TimeoutSeconds=60, HeartbeatSeconds=5),
        one("D", Type="Pass"),
    ],
}
MAP: dict[str, Any] = {
    "Type": "Map",
    "MaxConcurrency": 2,
    "ToleratedFailureCount": 1,
    "ToleratedFailurePercentage": 60,
    "ItemProcessor": one("I", **TASK, Credentials={"RoleArn": "arn:aws:iam::111111111111:role/other"}),
}
Said = tuple[str, int, Callable[[int, int], Message]]  # state, which of its frames, message for its frame and task
WAITS: list[tuple[str, dict[str, Any], Any, list[Said]]] = [
    ("a wait, a task, an activity, a callback and a finished branch", PARALLEL_OF_ALL, {"x": 1}, []),
    ("a retry", PARALLEL_OF_ALL, {}, [("R", 0, lambda f, e: Failed(f, e, "F", None))]),
    ("an activity with its worker", PARALLEL_OF_ALL, {}, [("A", 0, lambda f, e: ActivityStarted(f, e, "w"))]),
    (
        "a callback that came early",
        PARALLEL_OF_ALL,
        {},
        [("T", 0, lambda f, e: Succeeded(f, e, Json({"a": 1}), callback=True))],
    ),
    (
        "a failure that came early",
        PARALLEL_OF_ALL,
        {},
        [("T", 0, lambda f, e: Failed(f, e, "E", None, callback=True))],
    ),
    ("an accepted call", PARALLEL_OF_ALL, {}, [("T", 0, lambda f, e: Submitted(f, e, Json({})))]),
    ("a map at work", MAP, [1, {"a": 2}, 3], []),
    (
        "a map with a finished and a failed item",
        MAP,
        [1, 2, 3],
        [("I", 0, lambda f, e: Succeeded(f, e, Json("a"))), ("I", 0, lambda f, e: Failed(f, e, "E", "c"))],
    ),
    (
        "large documents",
        MAP,
        ["x" * 5_000, "y" * 5_000],
        [("I", 0, lambda f, e: Succeeded(f, e, Json("z" * 5_000)))],
    ),
]


@pytest.mark.parametrize(("state", "document", "said"), [pytest.param(*row[1:], id=row[0]) for row in WAITS])
def test_whatever_is_waited_for_comes_back_equal(state: dict[str, Any], document: Any, said: list[Said]) -> None:
    shelf = Shelf(one(**state), document)
    for name, nth, message in said:
        frames = [f for f in shelf.execution.frames.values() if f.state == name and isinstance(f.waiting, TaskWait)]
        waiting = frames[nth].waiting
        assert isinstance(waiting, TaskWait)
        shelf.tell(message(frames[nth].id, waiting.event))
    loaded = shelf.load()
    assert seen(loaded) == seen(shelf.execution)
    assert all(frame.children == shelf.execution.frames[n].children for n, frame in loaded.frames.items())


def test_a_cut_decision_comes_back_with_its_agenda() -> None:
    shelf = Shelf(one(Type="Map", ItemProcessor=one("P", Type="Pass")), list(range(400)))
    assert shelf.appends[-1].runnable
    loaded = shelf.load()
    assert seen(loaded) == seen(shelf.execution)
    assert loaded.frames[1].ready == "iterate"
    env = Env(now=NOW, ids=SeededIds(4), tokens=Tokens(KEYS))
    decision, _ = advance(loaded, [Continue()], env)
    twin, _ = advance(shelf.execution, [Continue()], env)
    assert decision.events == twin.events


def test_a_closed_execution_comes_back() -> None:
    shelf = Shelf(one(Type="Pass", Result={"a": 1}), {})
    assert seen(shelf.load()) == seen(shelf.execution)
    assert shelf.load().output == Json({"a": 1})


def test_a_large_text_is_stored_once_however_often_it_passes() -> None:
    states: dict[str, Any] = {f"S{i}": {"Type": "Pass", "Next": f"S{i + 1}"} for i in range(5)}
    states["S5"] = {"Type": "Wait", "Seconds": 5, "Next": "S6"}
    states["S6"] = {"Type": "Pass", "End": True}
    first = {"Type": "Pass", "Result": "x" * 5_000, "Next": "S0"}
    shelf = Shelf({"StartAt": "First", "States": {"First": first, **states}}, {})
    assert list(shelf.payloads.values()) == ['"' + "x" * 5_000 + '"']
    assert all(len(page.body) < 4_000 for page in shelf.pages)
    assert seen(shelf.load()) == seen(shelf.execution)


def test_a_text_of_four_kibibytes_stays_in_its_page() -> None:
    shelf = Shelf(one(Type="Pass", Result="x" * 4_094), {})
    assert not shelf.payloads
    shelf = Shelf(
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Pass", "Result": "x" * 4_095, "Next": "B"},
                "B": {"Type": "Wait", "Seconds": 1, "End": True},
            },
        },
        {},
    )
    assert len(shelf.payloads) == 1


def test_input_and_output_are_on_the_row_and_only_referred_to() -> None:
    shelf = Shelf(one(Type="Pass", Result="y" * 9_000), "x" * 9_000)
    assert not shelf.payloads
    _, rows = orjson.loads(shelf.pages[0].body)
    assert rows[0][4]["input"] == INPUT
    assert rows[1][4]["input"] == INPUT
    assert rows[2][4]["output"] == OUTPUT
    assert rows[3][4]["output"] == OUTPUT


def test_pages_read_back_as_the_events_that_were_written() -> None:
    shelf = Shelf(one(Type="Pass", Result={"big": "y" * 5_000}, ResultPath="$.r"), {"in": 1})
    (page,) = shelf.pages
    payloads = {number: shelf.payloads[number] for number in payloads_of_page(page)}
    events = list(events_of_page(page, shelf.row(), payloads))
    assert [event.type for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert events[0].details == {"input": Json({"in": 1}), "roleArn": shelf.execution.role_arn, **_version(shelf)}
    assert events[2].details == {"name": "S", "output": Json({"in": 1, "r": {"big": "y" * 5_000}})}
    assert (page.first, page.last) == (1, 4)


def _version(shelf: Shelf) -> dict[str, Any]:
    return {"stateMachineVersionArn": shelf.execution.version}


def test_a_task_that_is_called_again_has_its_large_parameters() -> None:
    shelf = Shelf(one(**{**TASK, "Parameters": {"p": "x" * 6_000, "n.$": "$.n"}}), {"n": 1})
    (row,) = shelf.load().tasks.values()
    reference = orjson.loads(row.body)[4]
    document = resolver(shelf.row(), shelf.payloads)(reference)
    assert document == Json({"p": "x" * 6_000, "n": 1})


async def test_a_known_machine_answers_any_hash() -> None:
    machine = checked(one(Type="Pass"))
    assert await KnownMachine(machine).get("anything") is machine
