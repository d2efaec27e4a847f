"""Choice: goes to the first rule's target that holds, else to Default.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import QueryLanguage
from stepwell.asl.states.base import State
from stepwell.asl.step import Step
from stepwell.kernel.errors import StateError


class ChoiceState(State):
    """``rules`` are (condition, target, data flow) in order; the state's own flow is that of Default."""

    type = "Choice"
    __slots__ = ("default", "rules")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.rules = tuple(
            (language.condition(rule, index), str(rule["Next"]), language.rule_flow(raw, rule, index))
            for index, rule in enumerate(raw["Choices"])
        )
        self.default: str | None = raw.get("Default")

    def enter(self, step: Step) -> None:
        effective = self.flow.effective_input(step.input, step)
        value = effective.value
        for holds, target, flow in self.rules:
            if holds(value, step):
                self.leave(step, effective, flow, target)
                return
        if self.default is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise StateError("States.NoChoiceMatched", cause)
        self.leave(step, effective, self.flow, self.default)
