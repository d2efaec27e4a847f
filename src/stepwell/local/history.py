"""The events of one run, and who they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stepwell.engine.events import Event, wire_form
from stepwell.kernel.jsontext import Json

TAIL = 12  # events shown in a failed expectation
SHOWN = 120  # characters of an input, output or cause in one line


@dataclass(frozen=True)
class Entry:
    """One event, the state it belongs to (None for the execution's own) and the seconds since the start."""

    event: Event
    state: str | None
    seconds: float

    @property
    def type(self) -> str:
        return self.event.type

    @cached_property
    def wire(self) -> dict[str, Any]:
        """As GetExecutionHistory shows it."""
        return wire_form(self.event)

    @property
    def note(self) -> str:
        """What the event says beside its type, short: error and cause, an output, or nothing."""
        details = self.event.details or {}
        if "error" in details or "cause" in details:
            return _cut(": ".join(str(details[name]) for name in ("error", "cause") if details.get(name)))
        for name in ("output", "parameters", "input"):
            if isinstance(details.get(name), Json):
                return _cut(details[name].text)
        return ""

    def __str__(self) -> str:
        parts = [f"{self.event.id:>5}", f"{'+' + plain(self.seconds):>10}s", f"{self.type:<24}"]
        parts += [part for part in (self.state and repr(self.state), self.note) if part]
        return " ".join(parts).rstrip()


class History:
    """Grows as the run goes on."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._state_of: dict[int, str | None] = {0: None}
        self.entries: list[Entry] = []

    def add(self, events: Sequence[Event]) -> list[Entry]:
        """Take in further events; returns them with their states."""
        fresh = [self._entry(event) for event in events]
        self.entries += fresh
        return fresh

    def _entry(self, event: Event) -> Entry:
        named = (event.details or {}).get("name")  # of the events that enter and exit, and of Map iterations
        state = named if isinstance(named, str) else self._state_of.get(event.previous)
        if event.type.startswith("Execution"):
            state = None
        # What follows an exit is not the state's own: the next state says its name, a Parallel's end has none.
        self._state_of[event.id] = None if event.type.endswith("StateExited") else state
        return Entry(event, state, round(event.time - self._started, 3))

    def of_type(self, *types: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.type in types]

    def tail(self, count: int = TAIL) -> str:
        """The last events, a line each."""
        left_out = len(self.entries) - count
        lines = [f"  ... {left_out} earlier events"] if left_out > 0 else []
        return "\n".join(lines + [str(entry) for entry in self.entries[-count:]])


def plain(seconds: float) -> str:
    """Seconds to the millisecond, without needless digits: ``31536005``, ``0.5``."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
