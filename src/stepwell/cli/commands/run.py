"""``stepwell run``: one workflow, here and now."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from typing import TYPE_CHECKING, Any, cast

import click

from stepwell.asl.diagnostics import DefinitionError
from stepwell.asl.source import load_definition
from stepwell.cli.commands.validate import MachineType
from stepwell.cli.exits import OUTCOMES, Exit
from stepwell.cli.options import with_settings
from stepwell.cli.output import CliError, Output, read_text, with_output
from stepwell.cli.progress import progress_for
from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.jsontext import dumps, loads
from stepwell.kernel.settings import Loaded, Settings
from stepwell.local.errors import MockFileError
from stepwell.local.mockfile import parse_mock_file
from stepwell.local.progress import run_live
from stepwell.local.workflow import Workflow

if TYPE_CHECKING:
    from stepwell.engine.tasks import Submitted, TaskCall, TaskOutcome
    from stepwell.local.run import Run
    from stepwell.server.app import App


@click.command("run")
@click.argument("file", metavar="FILE")
@click.option(
    "--input", "input_file", metavar="FILE", help="File with the input as JSON; - is standard input.  [default: {}]"
)
@click.option(
    "--type",
    "machine_type",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="Type of the state machine.",
)
@click.option("--skip-waits", is_flag=True, help="Let no time pass in Wait states and between retries.")
@click.option("--mock", metavar="FILE", help="Mock configuration in the format of Step Functions Local.")
@click.option("--test-case", metavar="MACHINE/CASE", help="The test case of the mock configuration.")
@click.option("--quiet", "-q", is_flag=True, help="No progress, the output only.")
@with_settings("endpoints", "region", "account")
@with_output
def command(
    file: str,
    input_file: str | None,
    machine_type: str,
    skip_waits: bool,
    mock: str | None,
    test_case: str | None,
    quiet: bool,
    loaded: Loaded,
    out: Output,
) -> int:
    """Run the definition in FILE (JSON or YAML; - is standard input) in this process, without a server.

    Progress goes to standard error, the output to standard output. The exit code is 0 if the workflow succeeded, 1 if it
    failed, 7 if it timed out. Tasks are called for real unless they are mocked.
    """
    workflow = _workflow(file, cast(MachineType, machine_type.upper()))
    argument = _input(input_file)
    mocks = _mocks(mock, test_case, workflow.name)
    run = asyncio.run(_run(workflow, argument, mocks, skip_waits, quiet or out.json, loaded.settings))
    out.result(
        {
            "status": run.status,
            "output": run.output,
            "error": run.error,
            "cause": run.cause,
            "seconds": run.elapsed,
            "visited": run.visited,
            "events": run.history,
        },
        lambda: dumps(run.output) if run.status == "SUCCEEDED" else "",
    )
    return OUTCOMES[run.status]


def _workflow(file: str, machine_type: MachineType) -> Workflow:
    try:
        name = "workflow" if file == "-" else file.replace("\\", "/").rpartition("/")[2].split(".", 1)[0]
        return Workflow(load_definition(read_text(file)), type=machine_type, name=name or "workflow")
    except DefinitionError as error:
        faults = "\n".join(f"  {found}" for found in error.diagnostics)
        raise CliError(f"{file} is no valid definition:\n{faults}", code=Exit.INVALID) from None


def _input(file: str | None) -> Any:
    if file is None:
        return {}
    try:
        return loads(read_text(file))
    except JsonSyntaxError as error:
        place = f"line {error.line}, column {error.column}"
        raise CliError(f"{file} is not JSON: {error.message} ({place})", code=Exit.INVALID) from None


def _mocks(file: str | None, test_case: str | None, machine: str) -> Any:
    if file is None:
        if test_case is not None:
            raise click.UsageError("--test-case needs --mock FILE")
        return None
    try:
        return parse_mock_file(read_text(file), source=file).select(test_case, machine=machine)
    except MockFileError as error:
        raise CliError(str(error), hint="--test-case MACHINE/CASE chooses a test case.", code=Exit.INVALID) from None


async def _run(workflow: Workflow, argument: Any, mocks: Any, skip_waits: bool, quiet: bool, settings: Settings) -> Run:
    tasks = RealTasks(settings)
    progress = progress_for(sys.stderr, quiet=quiet)
    try:
        with progress:
            run = await run_live(
                workflow, argument, on_event=progress.event, skip_waits=skip_waits, mocks=mocks, tasks=tasks
            )
            progress.end(run.status, run.elapsed, run.error, run.cause)
            return run
    except ValueError as error:
        raise CliError(str(error), code=Exit.INVALID) from None
    finally:
        await tasks.close()


class RealTasks:
    """Tasks that are not mocked: a server's own integrations over a database in memory, made when the first is called."""

    def __init__(self, settings: Settings) -> None:
        self._settings = dataclasses.replace(settings, store="sqlite::memory:", keys=None, access="open")
        self._app: App | None = None

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        if self._app is None:
            from stepwell.server.app import assemble

            self._app = await assemble(self._settings, "")
            await self._app.start()
        return await self._app.runner.run(call, submitted)

    async def close(self) -> None:
        if self._app is not None:
            await self._app.stop()
