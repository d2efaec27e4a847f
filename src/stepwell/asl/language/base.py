"""What a query language offers to states, whichever language it is.

A state asks its language for these when it is parsed, and applies them when it runs:

* a ``Flow``: how input becomes the state's argument, and how its result becomes its output;
* ``Field`` objects: numbers, times and texts that may be literals or expressions;
* conditions.

All of them are pure functions of a value and a ``Scope``. What goes wrong is a ``StateError`` (``FatalStateError`` where
nobody may catch it) whose cause does not name the state: whoever runs the state adds that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stepwell.asl.step import Scope
from stepwell.kernel.errors import StateError
from stepwell.kernel.jsontext import Json

Condition = Callable[[Any, Scope], bool]
Assign = Callable[[Json, Json, Scope], dict[str, Any]]
"""(raw input, result, scope) -> new values of variables, by name."""


class Field(Protocol):
    """A field's value: fixed, or computed from the data."""

    name: str  # as written in the definition: "Seconds" or "SecondsPath"
    text: str  # the expression as written, or "" for a literal

    @property
    def literal(self) -> bool: ...

    def read(self, value: Any, scope: Scope) -> Any:
        """Raises StateError when the expression yields nothing."""
        ...

    def mistyped(self, expected: str, found: Any, cause: str) -> StateError:
        """The failure of a field whose value is of the wrong type, ``expected`` in JSON's words.

        ``cause`` is the text where the language has none of its own.
        """
        ...

    def unusable(self, cause: str) -> StateError:
        """The failure of a field whose value is of the right type and cannot be used all the same."""
        ...


class Flow(Protocol):
    """How data flows through one state.

    Output and variables are both computed from what was there before, so neither sees the other's new values.
    """

    assign: Assign | None

    def effective_input(self, raw: Json, scope: Scope) -> Json:
        """What paths of the state's own fields are applied to."""
        ...

    def argument(self, effective: Json, scope: Scope) -> Json:
        """What the state works on: a task's parameters, a branch's input."""
        ...

    def selected(self, result: Json, scope: Scope) -> Json:
        """What of the work's result goes on."""
        ...

    def output(self, raw: Json, result: Json, scope: Scope) -> Json:
        """The state's output, from its raw input and the selected result of its work."""
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

    def rule_flow(self, raw: dict[str, Any], rule: dict[str, Any], index: int) -> Flow:
        """How data flows through a Choice state that goes the way of its rule number ``index``."""
        ...

    def catch_flow(self, raw: dict[str, Any], index: int) -> Flow:
        """How an error output flows through catcher number ``index`` (``output``: from raw input and error output)."""
        ...

    def field(self, raw: dict[str, Any], name: str) -> Field | None:
        """The field called ``name`` in whichever form the state has it, or None."""
        ...

    def template(self, raw: Any, name: str) -> Callable[[Any, Scope], Any]:
        """The payload template in the field called ``name``: (value, scope) -> new value."""
        ...

    def condition(self, raw: dict[str, Any], index: int) -> Condition:
        """The condition of Choice rule number ``index``."""
        ...
