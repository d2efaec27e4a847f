"""A checked definition as frozen objects. Every node carries its JSON pointer; states know how to run themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stepwell.asl.states.base import State


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """States with a start: the machine itself, a Parallel branch, or a Map's processor. ``pointer`` is "" at the top."""

    pointer: str
    start_at: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """A whole definition. ``blocks`` holds every block by its pointer, ``timeout`` is seconds."""

    block: Block
    blocks: Mapping[str, Block]
    timeout: float | None
    comment: str | None

    def states(self) -> Iterator[State]:
        """All states of all blocks."""
        for block in self.blocks.values():
            yield from block.states.values()
