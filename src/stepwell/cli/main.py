"""The entry point: finds the command, runs it, and turns whatever goes wrong into words and an exit code.

Commands are imported when they are called, so that ``stepwell --help`` does not wait for a server's imports.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from stepwell._version import __version__
from stepwell.cli.exits import Exit
from stepwell.cli.output import CliError, show_error
from stepwell.kernel.errors import ServiceError, SettingError, StepwellError

# Name, and what `stepwell --help` says of it. The command is `command` in stepwell.cli.commands.NAME.
COMMANDS = {
    "up": "Run the server.",
    "run": "Run one workflow here and now, without a server.",
    "validate": "Check definitions.",
    "graph": "Draw a definition.",
    "executions": "List, show and stop executions of a running server.",
    "backup": "Copy the database to a file, while the server runs or not.",
    "restore": "Put a copy in the database's place.",
    "env": "Print how to point AWS tools at the server, or all settings.",
    "demo": "Watch a workflow survive the death of its server.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"stepwell.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="stepwell %(version)s")
def group() -> None:
    """Durable workflows that speak AWS Step Functions, on your own machine."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Never returns; the exit code says how it went (see ``exits``)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    as_json = "--json" in arguments
    try:
        code = group.main(list(arguments), prog_name="stepwell", standalone_mode=False)
        return int(code) if isinstance(code, int) else Exit.OK
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except CliError as error:
        show_error(error, as_json)
        return error.code
    except StepwellError as error:
        show_error(worded(error), as_json)
        return worded(error).code
    except (KeyboardInterrupt, click.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Keep the interpreter from complaining while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def worded(error: StepwellError) -> CliError:
    """An error of a lower layer for people."""
    if isinstance(error, SettingError):
        return CliError(
            str(error), hint="`stepwell env --settings` shows where each value comes from.", code=Exit.SETTING
        )
    if isinstance(error, ServiceError):
        return CliError(error.message or error.code, code=Exit.REFUSED, kind=error.code)
    return CliError(str(error), code=Exit.FAILED, kind=type(error).__name__)
