"""Pass: shapes data, or puts a fixed result into it.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-pass.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import QueryLanguage
from stepwell.asl.states.base import State
from stepwell.asl.step import Step
from stepwell.kernel.jsontext import Json


class PassState(State):
    """``Result``, if present, takes the place of the argument and is not a template."""

    type = "Pass"
    __slots__ = ("result",)

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.result: Json | None = Json(raw["Result"]) if "Result" in raw else None

    def enter(self, step: Step) -> None:
        flow, raw = self.flow, step.input
        result = self.result
        if result is None:
            result = flow.argument(flow.effective_input(raw, step), step)
        assigned = None if flow.assign is None else flow.assign(raw, result, step)
        step.exit(flow.output(raw, result, step), self.next, assigned)
