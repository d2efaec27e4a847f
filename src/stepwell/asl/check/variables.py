"""Checks of Assign: names of variables, and that no inner block assigns what an outer one does.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html. Names follow Unicode Standard Annex 31:
a character of ID_Start, then of ID_Continue. A variable that is read and never assigned is no fault (measured: floci 2699).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.asl.check.expressions import check_data
from stepwell.asl.check.fields import JSONATA, Field
from stepwell.asl.check.paths import check_template
from stepwell.asl.check.walker import Scope, is_a, kind

NAME_CHARACTERS = 80
RESERVED = "states"


@kind("assign")
def check_assign(scope: Scope, field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, dict, at):
        return
    for key in value:
        _check_name(scope, key if scope.language == JSONATA else key.removesuffix(".$"), f"{at}/{key}")
    if scope.language == JSONATA:
        check_data(scope, field, value, at)
    else:
        check_template(scope, field, value, at)


def _check_name(scope: Scope, name: str, at: str) -> None:
    if name == RESERVED:
        scope.report.add("variable-reserved", at, name=name)
    elif not _is_name(name):
        scope.report.add("variable-name", at, name=name, limit=NAME_CHARACTERS)
    elif name in scope.outer:
        scope.report.add("variable-scope", at, name=name)


def _is_name(name: str) -> bool:
    """Python's identifiers are those of Annex 31 with an underscore added as a first character."""
    return len(name) <= NAME_CHARACTERS and name.isidentifier() and not name.startswith("_")


def assigned(block: Any) -> frozenset[str]:
    """The variables that states of a block assign, those of blocks within it left out. Takes any JSON value."""
    states = block.get("States") if isinstance(block, dict) else None
    if not isinstance(states, dict):
        return frozenset()
    return frozenset(name.removesuffix(".$") for state in states.values() for name in _names(state))


def _names(state: Any) -> Iterator[str]:
    if not isinstance(state, dict):
        return
    for holder in (state, *_listed(state.get("Choices")), *_listed(state.get("Catch"))):
        if isinstance(holder, dict) and isinstance(given := holder.get("Assign"), dict):
            yield from given


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
