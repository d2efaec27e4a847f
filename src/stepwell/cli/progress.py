"""Progress of a run: a live view on a terminal, plain lines when piped, nothing when quiet.

The terminal shows finished events as coloured lines, and below them what goes on right now.
"""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

if TYPE_CHECKING:
    from stepwell.local.history import Entry

COLOURS = {"Succeeded": "green", "Failed": "red", "TimedOut": "red", "Aborted": "red", "Scheduled": "yellow"}
OUTCOME_COLOURS = {"SUCCEEDED": "bold green"}


class Progress(Protocol):
    """Used in a ``with`` block around the run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def event(self, entry: Entry) -> None: ...

    def end(self, status: str, seconds: float, error: str | None, cause: str | None) -> None: ...


def progress_for(stream: TextIO, *, quiet: bool) -> Progress:
    if quiet:
        return Silence()
    return Live(stream) if stream.isatty() else Lines(stream)


class Silence(contextlib.AbstractContextManager["Silence"]):
    """Nothing."""

    def __exit__(self, *_: object) -> None:
        return None

    def event(self, entry: Entry) -> None:
        del entry

    def end(self, status: str, seconds: float, error: str | None, cause: str | None) -> None:
        del status, seconds, error, cause


class Lines(contextlib.AbstractContextManager["Lines"]):
    """One line an event."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __exit__(self, *_: object) -> None:
        return None

    def event(self, entry: Entry) -> None:
        print(entry, file=self._stream, flush=True)

    def end(self, status: str, seconds: float, error: str | None, cause: str | None) -> None:
        print(outcome(status, seconds, error, cause), file=self._stream, flush=True)


class Live(contextlib.AbstractContextManager["Live"]):
    """Coloured lines, and a line that moves while a state is at work."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._status: Any = self._console.status("starting")

    def __enter__(self) -> Self:
        self._status.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.__exit__(None, None, None)

    def event(self, entry: Entry) -> None:
        from rich.markup import escape

        colour = next((c for ending, c in COLOURS.items() if entry.type.endswith(ending)), "")
        line = escape(str(entry))
        self._console.print(f"[{colour}]{line}[/]" if colour else line)
        if entry.state:
            self._status.update(escape(f"{entry.state} ({entry.type})"))

    def end(self, status: str, seconds: float, error: str | None, cause: str | None) -> None:
        from rich.markup import escape

        colour = OUTCOME_COLOURS.get(status, "bold red")
        self._console.print(f"[{colour}]{escape(outcome(status, seconds, error, cause))}[/]")


def outcome(status: str, seconds: float, error: str | None, cause: str | None) -> str:
    """``FAILED after 1.5 s: Busy: try later``"""
    why = ": ".join(filter(None, (error, cause)))
    return f"{status} after {seconds:g} s" + (f": {why}" if why else "")
