"""What all states share: a name, a place in the definition, a way on, and the data flow of their query language."""

from __future__ import annotations

from typing import Any, ClassVar

from stepwell.asl.language.base import Flow, QueryLanguage
from stepwell.asl.retry import Catcher, Retrier
from stepwell.asl.step import Step
from stepwell.kernel.errors import FatalStateError, StateError
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import DATA_BYTES


class State:
    """A state of one type. Subclasses are registered in ``asl.states`` and parse their own fields.

    ``enter`` is called when the state is entered and again for each retry; ``finish`` when what it waited for is there.
    """

    type: ClassVar[str]
    argument_field: ClassVar[str] = "Parameters"
    entered_event: ClassVar[str]
    exited_event: ClassVar[str]

    __slots__ = ("catch", "end", "flow", "name", "next", "pointer", "retry")

    def __init_subclass__(cls) -> None:
        cls.entered_event = f"{cls.type}StateEntered"
        cls.exited_event = f"{cls.type}StateExited"

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        self.name = name
        self.pointer = pointer
        self.next: str | None = raw.get("Next")
        self.end = bool(raw.get("End"))
        self.flow: Flow = language.flow(raw, self.argument_field)
        self.retry = tuple(Retrier.parse(retrier) for retrier in raw.get("Retry") or ())
        self.catch = tuple(
            Catcher(errors=tuple(c["ErrorEquals"]), next=c["Next"], flow=language.catch_flow(c, index))
            for index, c in enumerate(raw.get("Catch") or ())
        )

    def enter(self, step: Step) -> None:
        """Do the state's work, or start it."""
        raise NotImplementedError(self.type)

    def finish(self, step: Step, result: Json) -> None:
        """The state's work is done with this result."""
        flow, raw = self.flow, step.input
        selected = flow.selected(result, step)
        assigned = None if flow.assign is None else flow.assign(raw, selected, step)
        step.exit(flow.output(raw, selected, step), self.next, assigned)

    def leave(self, step: Step, effective: Json, flow: Flow, next_state: str | None) -> None:
        """Exit without a result: what came in goes on."""
        assigned = None if flow.assign is None else flow.assign(step.input, effective, step)
        step.exit(flow.pass_through(effective, step), next_state, assigned)

    def __repr__(self) -> str:
        return f"<{self.type} {self.pointer}>"


def within_limit(document: Json, name: str) -> Json:
    """AWS's limit on data; the failure names the state (recorded: test_start_large_input)."""
    if document.size > DATA_BYTES:
        raise TooMuchData(name)
    return document


class TooMuchData(StateError):
    """A state's or task's data is over AWS's limit."""

    def __init__(self, name: str) -> None:
        cause = f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
        super().__init__("States.DataLimitExceeded", cause)


def runtime(cause: str) -> FatalStateError:
    """A States.Runtime failure, which no Retry or Catch handles."""
    return FatalStateError("States.Runtime", cause)
