"""A Map under test: the items it was given instead of a reader's, and what its iterations would have been given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from stepwell.asl.parser import language_of
from stepwell.asl.states.base import runtime
from stepwell.asl.states.map_ import MapState
from stepwell.asl.step import Scope
from stepwell.engine.trial import Trial
from stepwell.engine.turn import Turn
from stepwell.kernel.errors import StateError, StepwellError
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.teststate import readers, shapes
from stepwell.services.stepfunctions.teststate.batches import Batcher
from stepwell.services.stepfunctions.teststate.inspection import Notes
from stepwell.services.stepfunctions.teststate.rules import Ask
from stepwell.services.stepfunctions.teststate.subject import Subject

Made = TypeVar("Made")


class GivenItems:
    """The ``Items`` field of a Map with an ItemReader: reads the given data, after the reader's arguments."""

    name, text, literal = "Items", "", True

    def __init__(self, subject: Subject, data: str, notes: Notes) -> None:
        self._reader: dict[str, Any] = subject.raw["ItemReader"]
        self._data, self._notes = data, notes
        arguments = self._reader.get("Arguments", self._reader.get("Parameters"))
        language = language_of(subject.language)
        self._arguments = None if arguments is None else language.template(arguments, "ItemReader/Arguments")

    def read(self, value: Any, scope: Scope) -> Any:
        if self._arguments is not None:
            self._arguments(value, scope)
        items = readers.read(self._reader, self._data)
        if "ItemsPointer" in (self._reader.get("ReaderConfig") or {}):
            self._notes.note("read", Json(items))
        return items

    def mistyped(self, expected: str, found: Any, cause: str) -> StateError:
        del expected, found
        return runtime(cause)

    def unusable(self, cause: str) -> StateError:
        return runtime(cause)


def prepare(asked: Ask, trial: Trial, notes: Notes) -> None:
    """Give a Map its items and have its iterations' inputs noted; nothing to do for other states."""
    subject, state = asked.subject, asked.subject.state
    if not isinstance(state, MapState):
        return
    shapes.check(subject.raw)
    data = asked.configured.get("mapItemReaderData")
    if data is not None:
        state.items = _compiled("ItemReader", lambda: GivenItems(subject, data, notes))
    raw, language = subject.raw.get("ItemBatcher"), language_of(subject.language)
    batcher = None if raw is None else _compiled("ItemBatcher", lambda: Batcher(raw, language))

    def note(inputs: list[Any], turn: Turn) -> None:
        if data is None and trial.plan is not None:
            notes.note("items", Json(trial.plan.items))
        if state.selector is not None:
            notes.note("inputs", Json(inputs))
        if batcher is not None:
            value = state.flow.effective_input(turn.input, turn).value
            notes.note("batches", Json(batcher.batches(inputs, value, turn)))

    trial.on_inputs = note


def _compiled(field: str, make: Callable[[], Made]) -> Made:
    """Raises ServiceError InvalidDefinition for expressions that cannot be read."""
    try:
        return make()
    except StepwellError as error:
        raise shapes.unreadable(error, field) from None


def check(asked: Ask, trial: Trial) -> None:
    """What can be said only once the items are known. Raises ValidationException; both wordings are seen, not recorded."""
    if trial.plan is None:
        return
    count, failed = len(trial.plan.items), asked.configured.get("mapIterationFailureCount")
    if failed is not None and failed > count:
        text = "Map iteration failure count must be less than or equal to the number of Map iterations."
        raise faults.validation(text)
    plain = not {"ItemBatcher", "ResultWriter"} & asked.subject.raw.keys()
    if plain and failed is None and asked.result is not None and len(asked.result.value) != count:
        raise faults.validation("Input array does not equal the mocked result array's size.")
