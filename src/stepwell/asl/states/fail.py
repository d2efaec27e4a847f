"""Fail: ends a block in failure with an error name and a cause, fixed or from the data.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import Field, QueryLanguage
from stepwell.asl.states.base import State
from stepwell.asl.step import Step


class FailState(State):
    """``Error(Path)`` and ``Cause(Path)`` may each be absent."""

    type = "Fail"
    __slots__ = ("cause", "error")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.error = language.field(raw, "Error")
        self.cause = language.field(raw, "Cause")

    def enter(self, step: Step) -> None:
        step.fail(_text(self.error, step), _text(self.cause, step))


def _text(field: Field | None, step: Step) -> str | None:
    if field is None:
        return None
    text = field.read(step.input.value, step)
    if not isinstance(text, str):
        raise field.mistyped(
            "string", text, f"The {field.name} parameter does not reference a string value: {field.text}"
        )
    return text
