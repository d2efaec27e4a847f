"""Workflow variables: assigned when a state is left, kept with the frame whose block assigned them.

Limits: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.asl.matching import DATA_LIMIT_EXCEEDED
from stepwell.engine.state import Execution, Frame
from stepwell.kernel.errors import StateError
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import ASSIGN_BYTES, DATA_BYTES, VARIABLES_BYTES


def assign(execution: Execution, frame: Frame, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a frame's variables new values; returns the members that the event of leaving the state shows.

    Raises StateError (States.DataLimitExceeded) and assigns nothing when a limit is passed.
    """
    documents = {name: Json(value) for name, value in values.items()}
    _check(execution, frame, documents)
    frame.variables = {**(frame.variables or {}), **documents}
    texts = {name: document.text for name, document in documents.items()}
    return {"assignedVariables": texts, "assignedVariablesDetails": {"truncated": False}}


def _check(execution: Execution, frame: Frame, documents: Mapping[str, Json]) -> None:
    for name, document in documents.items():
        if document.size > DATA_BYTES:
            raise _too_much(f"the variable '{name}'")
    if sum(document.size for document in documents.values()) > ASSIGN_BYTES:
        raise _too_much("all variables of one Assign")
    held = frame.variables or {}
    kept = {**held, **documents}
    own = _bytes(kept)
    if own > _bytes(held) and own + _elsewhere(execution, frame) > VARIABLES_BYTES:
        raise _too_much("all variables of the execution")


def _bytes(variables: Mapping[str, Json]) -> int:
    return sum(value.size for value in variables.values())


def _elsewhere(execution: Execution, frame: Frame) -> int:
    """Bytes of the other frames' variables; those of an ended branch or iteration are out of scope.

    A Map has a frame for each iteration, so this loop does without calls.
    """
    total = 0
    for other in execution.frames.values():
        if other.variables and other.output is None and other.failed is None and other is not frame:
            total += _bytes(other.variables)
    return total


def _too_much(what: str) -> StateError:
    """By its own name only, as AWS has it of a state's output: States.ALL does not match it."""
    cause = f"The size of {what} exceeds the maximum number of bytes service limit."
    return StateError(DATA_LIMIT_EXCEEDED, cause, only_as=DATA_LIMIT_EXCEEDED)
