"""What a command prints: plain lines for people and pipes, or one JSON value for programs (``--json``).

Results go to standard output, everything else to standard error, so that a pipe gets the result alone.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from stepwell.cli.exits import Exit


class CliError(Exception):
    """A command cannot do what was asked. ``hint`` says what to try next."""

    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.FAILED, kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.kind = kind or code.name


class Output:
    """Where a command's results go. ``json`` tells which form is wanted."""

    def __init__(self, as_json: bool) -> None:
        self.json = as_json

    def result(self, value: Any, text: str | Callable[[], str] = "") -> None:
        """The command's one result: ``value`` as JSON, or ``text`` (made only if wanted)."""
        if self.json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
            return
        words = text() if callable(text) else text
        if words:
            click.echo(words.rstrip("\n"))

    def event(self, value: Any, text: str) -> None:
        """One of several results on the way: one JSON object a line, or a line of text."""
        click.echo(json.dumps(value, ensure_ascii=False, default=str) if self.json else text)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something for people only; nothing with ``--json``."""
        if not self.json:
            click.echo(text, err=True)


def with_output(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command ``--json`` and passes it ``out``."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        context = click.get_current_context()
        context.find_root().meta["json"] = as_json
        return command(*args, out=Output(as_json), **kwargs)

    return wrapped


def show_error(error: CliError, as_json: bool) -> None:
    if as_json:
        body = {"error": {"code": error.kind, "message": error.message, "hint": error.hint or None}}
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
        return
    click.echo(f"stepwell: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, two spaces between them; the last one runs free."""
    cells = [list(map(_plain, row)) for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells)


def _plain(cell: str) -> str:
    """One line without control characters, whatever a workflow put into a name or an error."""
    return "".join(c if c.isprintable() else " " for c in cell)


def read_text(path: str) -> str:
    """A file's text; ``-`` is standard input."""
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8")
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise CliError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}", code=Exit.INVALID) from None
    except OSError as error:
        raise CliError(
            f"{path} cannot be read: {error.strerror}",
            hint="Check the path, or give - for standard input.",
            code=Exit.INVALID,
        ) from None
