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
    """``rules`` are (condition, target) in order."""

    type = "Choice"
    __slots__ = ("default", "rules")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.rules = tuple((language.condition(rule), str(rule["Next"])) for rule in raw["Choices"])
        self.default: str | None = raw.get("Default")

    def enter(self, step: Step) -> None:
        effective = self.flow.effective_input(step.input, step)
        target = self._target(effective.value, step)
        if target is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise StateError("States.NoChoiceMatched", cause)
        step.exit(self.flow.pass_through(effective, step), target)

    def _target(self, value: Any, step: Step) -> str | None:
        for holds, name in self.rules:
            if holds(value, step):
                return name
        return self.default
