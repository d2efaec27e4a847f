"""Tells a story as it happens: coloured with a moving line on a terminal, plain lines when piped, nothing when quiet."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any, Self


class Narrator(contextlib.AbstractContextManager["Narrator"]):
    """Writes to standard error; each line begins with the seconds since the start."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._started = time.monotonic()
        self._console: Any = None
        self._moving: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console

            self._console = Console(stderr=True, highlight=False, soft_wrap=True)
            self._moving = self._console.status("")

    def __enter__(self) -> Self:
        if self._moving is not None:
            self._moving.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._moving is not None:
            self._moving.__exit__(None, None, None)

    def say(self, text: str) -> None:
        self._line(text, "")

    def alarm(self, text: str) -> None:
        self._line(text, "bold red")

    def end(self, well: bool, text: str) -> None:
        self._line(text, "bold green" if well else "bold red")

    def now(self, text: str) -> None:
        """What goes on right now; only seen on a terminal."""
        if self._moving is not None:
            self._moving.update(text)

    def _line(self, text: str, style: str) -> None:
        if self._quiet:
            return
        line = f"{time.monotonic() - self._started:6.1f} s  " + text.replace("\n", "\n" + " " * 10)
        if self._console is not None:
            self._console.print(line, style=style or None, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)
