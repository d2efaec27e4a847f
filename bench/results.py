"""What a measurement says: rows of a table, with a budget where the design sets one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured number: the median over the turns. ``budget`` is a bound on it, ``at_least`` if it is a lower one."""

    path: str
    what: str
    unit: str
    values: Sequence[float]
    budget: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """``pass`` or ``miss``; empty for a number without a budget."""
        if self.budget is None:
            return ""
        return "pass" if (self.value >= self.budget if self.at_least else self.value <= self.budget) else "miss"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "values": list(self.values), "value": self.value, "verdict": self.verdict}


def table(rows: Sequence[Row]) -> str:
    """Markdown, columns aligned."""
    cells = [("path", "measured", "value", "range", "budget", "")]
    cells += [(row.path, row.what, _number(row.value, row.unit), _range(row), _bound(row), row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in cells]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    notes = [f"{row.path}, {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join(lines + (["", *notes] if notes else []))


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}".strip()


def _range(row: Row) -> str:
    return f"{_number(min(row.values), '')} to {_number(max(row.values), '')}" if len(row.values) > 1 else ""


def _bound(row: Row) -> str:
    if row.budget is None:
        return ""
    return f"{'>=' if row.at_least else '<='} {_number(row.budget, row.unit)}"
