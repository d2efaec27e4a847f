"""How long and how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``turns`` of ``seconds`` each; ``waiting`` executions in the workload that only waits."""

    turns: int = 3
    seconds: float = 2.0
    waiting: int = 10_000


QUICK = Options(turns=1, seconds=0.7, waiting=10_000)
