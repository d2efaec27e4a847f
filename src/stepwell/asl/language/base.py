"""What a query language offers to states, whichever language it is.

A state asks its language for three things when it is parsed, and applies them when it runs:

* a ``Flow``: how input becomes the state's argument, and how its result becomes its output;
* ``Field`` objects: numbers, times and texts that may be literals or expressions;
* conditions and catch outputs.

All of them are pure functions of a value and a ``Scope``. What goes wrong is a ``StateError`` (``FatalStateError`` where
nobody may catch it) whose cause does not name the state: whoever runs the state adds that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell.asl.step import Scope
from stepwell.kernel.jsontext import Json

CatchOutput = Callable[[Json, Json, Scope], Json]
"""(raw input, error output, scope) -> the next state's input."""

Condition = Callable[[Any, Scope], bool]


class Field(Protocol):
    """A field's value: fixed, or computed from the data."""

    name: str  # as written in the definition: "Seconds" or "SecondsPath"
    text: str  # the expression as written, or "" for a literal

    @property
    def literal(self) -> bool: ...

    def read(self, value: Any, scope: Scope) -> Any:
        """Raises StateError when the expression yields nothing."""
        ...


class Flow(Protocol):
    """How data flows through one state."""

    def effective_input(self, raw: Json, scope: Scope) -> Json:
        """What paths of the state's own fields are applied to."""
        ...

    def argument(self, effective: Json, scope: Scope) -> Json:
        """What the state works on: a task's parameters, a branch's input."""
        ...

    def output(self, raw: Json, result: Json, scope: Scope) -> Json:
        """The state's output, from its raw input and the result of its work."""
        ...

    def pass_through(self, effective: Json, scope: Scope) -> Json:
        """The output of a state that has no result: Choice, Wait, Succeed."""
        ...


class QueryLanguage(Protocol):
    """A factory of the above from a state's raw definition."""

    name: str

    def flow(self, raw: dict[str, Any], argument_field: str) -> Flow:
        """``argument_field`` names the template that makes the argument (``Parameters``; a Map has none)."""
        ...

    def field(self, raw: dict[str, Any], name: str) -> Field | None:
        """The field called ``name`` in whichever form the state has it, or None."""
        ...

    def template(self, raw: Any) -> Callable[[Any, Scope], Any]:
        """A payload template: (value, scope) -> new value."""
        ...

    def condition(self, raw: dict[str, Any]) -> Condition: ...

    def catch_output(self, raw: dict[str, Any]) -> CatchOutput: ...
