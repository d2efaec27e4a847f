"""Succeed: ends a block in success.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html
"""

from __future__ import annotations

from stepwell.asl.states.base import State
from stepwell.asl.step import Step


class SucceedState(State):
    """Its output is its input through InputPath and OutputPath."""

    type = "Succeed"
    __slots__ = ()

    def enter(self, step: Step) -> None:
        self.leave(step, self.flow.effective_input(step.input, step), self.flow, None)
