"""Parallel: runs its branches side by side on the same input; its result is the array of their outputs.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepwell.asl.language.base import QueryLanguage
from stepwell.asl.states.base import State, within_limit
from stepwell.asl.step import Step

if TYPE_CHECKING:
    from stepwell.asl.model import Block


class ParallelState(State):
    """``branches`` are set by the parser, which makes all blocks."""

    type = "Parallel"
    __slots__ = ("branches",)

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.branches: tuple[Block, ...] = ()

    @staticmethod
    def blocks(raw: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """The raw blocks inside, by their pointer relative to the state."""
        return [(f"/Branches/{i}", branch) for i, branch in enumerate(raw["Branches"])]

    def adopt(self, blocks: list[Block]) -> None:
        self.branches = tuple(blocks)

    def enter(self, step: Step) -> None:
        effective = self.flow.effective_input(step.input, step)
        step.fork(self.branches, within_limit(self.flow.argument(effective, step), self.name))
