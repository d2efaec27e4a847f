"""How data flowed through the state under test: the members of ``inspectionData``.

Theory of operation
    The state is parsed for one request alone, so its data flow may be replaced: ``watch`` puts a ``WatchedFlow`` around it,
    and a ``WatchedField`` around a Map's MaxConcurrency, which note each value that passes. ``SHOWN`` says which of the
    notes AWS shows for a state type, in which member.

    JSONPath                                       JSONata
    Task   afterInputPath, afterParameters,        afterArguments, result
           result, afterResultSelector,
           afterResultPath
    Pass   the same; with Result: not the first two
    Choice, Fail, Succeed, Wait   afterInputPath

Recorded: test_base_inspection_level_debug, test_base_map_state_inspect, test_state_configuration_*. Of Parallel, Wait and a
Map in JSONPath nothing is recorded; theirs follow from the API reference, InspectionData.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from stepwell.asl.language.base import Assign, Field, Flow
from stepwell.asl.language.jsonpath import result_path
from stepwell.asl.states.fail import FailState
from stepwell.asl.states.map_ import MapState
from stepwell.asl.states.pass_ import PassState
from stepwell.asl.step import Scope
from stepwell.kernel.errors import StateError
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions.teststate.subject import JSONPATH, Subject

_INPUT = {"afterInputPath": "effective"}
_RESULT = {"afterResultSelector": "selected", "afterResultPath": "placed"}
_WORK = {**_INPUT, "afterParameters": "argument", **_RESULT}
_MAP = {"afterItemSelector": "inputs", "afterItemBatcher": "batches"}
_ALONE = {"Task": {"result": "result"}, "Pass": {"result": "literal"}}

# (is it JSONPath, state type) -> member of inspectionData -> note
SHOWN: dict[tuple[bool, str], dict[str, str]] = {
    (True, "Task"): {**_WORK, **_ALONE["Task"]},
    (True, "Pass"): {**_WORK, **_ALONE["Pass"]},
    (True, "Parallel"): _WORK,
    (True, "Map"): {**_INPUT, "afterItemsPath": "items", "afterItemsPointer": "read", **_MAP, **_RESULT},
    **{(True, kind): _INPUT for kind in ("Choice", "Fail", "Succeed", "Wait")},
    (False, "Task"): {"afterArguments": "argument", **_ALONE["Task"]},
    (False, "Parallel"): {"afterArguments": "argument"},
    (False, "Map"): {"afterItemsPointer": "read", **_MAP},
}


class Notes:
    """The values that passed, by note."""

    def __init__(self) -> None:
        self.documents: dict[str, Json] = {}
        self.concurrency: int | str = 0  # of a Map, as its definition has it: the plan has what is used

    def note(self, name: str, document: Json) -> Json:
        self.documents[name] = document
        return document


class WatchedFlow:
    """A ``Flow`` that notes what passes."""

    def __init__(self, flow: Flow, raw: dict[str, Any], notes: Notes) -> None:
        self._flow = flow
        self._place = result_path(raw.get("ResultPath", "$"))
        self._note = notes.note
        self.assign: Assign | None = flow.assign

    def effective_input(self, raw: Json, scope: Scope) -> Json:
        return self._note("effective", self._flow.effective_input(raw, scope))

    def argument(self, effective: Json, scope: Scope) -> Json:
        return self._note("argument", self._flow.argument(effective, scope))

    def selected(self, result: Json, scope: Scope) -> Json:
        self._note("result", result)
        return self._flow.selected(result, scope)

    def output(self, raw: Json, result: Json, scope: Scope) -> Json:
        self._note("selected", result)
        with suppress(StateError):  # the flow itself is about to raise it
            self._note("placed", self._place(raw, result))
        return self._flow.output(raw, result, scope)

    def pass_through(self, effective: Json, scope: Scope) -> Json:
        return self._flow.pass_through(effective, scope)


class WatchedField:
    """A ``Field`` that notes what is read."""

    literal = False

    def __init__(self, field: Field, notes: Notes) -> None:
        self._field, self._notes = field, notes
        self.name, self.text = field.name, field.text

    def read(self, value: Any, scope: Scope) -> Any:
        found = self._field.read(value, scope)
        self._notes.concurrency = found
        return found

    def mistyped(self, expected: str, found: Any, cause: str) -> StateError:
        return self._field.mistyped(expected, found, cause)

    def unusable(self, cause: str) -> StateError:
        return self._field.unusable(cause)


def watch(subject: Subject, argument: Json) -> Notes:
    """Have the state's data flow noted from now on; ``argument`` is its input."""
    notes, state = Notes(), subject.state
    state.flow = WatchedFlow(state.flow, subject.raw, notes)
    if isinstance(state, FailState):
        notes.note("effective", argument)  # it has no InputPath
    if isinstance(state, PassState) and state.result is not None:
        notes.note("literal", state.result)
    if isinstance(state, MapState) and state.concurrency is not None:
        state.concurrency = WatchedField(state.concurrency, notes)
    return notes


def shown(subject: Subject, notes: Notes) -> dict[str, str]:
    """The notes as AWS shows them: members with JSON texts."""
    members = SHOWN.get((subject.language == JSONPATH, subject.type), {})
    return {member: notes.documents[note].text for member, note in members.items() if note in notes.documents}
