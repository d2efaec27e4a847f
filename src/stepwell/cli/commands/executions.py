"""``stepwell executions``: what runs on a server, and what ran."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click

from stepwell.cli.client import Client, client_for
from stepwell.cli.exits import Exit
from stepwell.cli.history import clock_time, event_line
from stepwell.cli.options import with_settings
from stepwell.cli.output import CliError, Output, table, with_output
from stepwell.kernel.settings import Loaded

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@click.group("executions")
def command() -> None:
    """List, show and stop executions of a running server.

    EXECUTION is an ARN, or MACHINE/NAME.
    """


def with_client(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command what it takes to find the server, and ``--json``; passes it ``client`` and ``out``."""

    @functools.wraps(function)
    def wrapped(*args: Any, loaded: Loaded, endpoint_url: str | None, **kwargs: Any) -> Any:
        client = client_for(loaded.settings, endpoint_url)
        try:
            return function(*args, client=client, **kwargs)
        finally:
            client.close()

    text = "Where the server is.  [default: AWS_ENDPOINT_URL, or the settings]"
    found = click.option("--endpoint-url", metavar="URL", help=text)(with_output(wrapped))
    return with_settings("host", "port", "region", "account")(found)


@command.command("ls")
@click.option("--machine", metavar="NAME|ARN", help="Executions of this state machine only.")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Executions with this status only.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--parked", is_flag=True, help="Those that could not go on, with the reason.")
@with_client
def ls(machine: str | None, status: str | None, limit: int, parked: bool, client: Client, out: Output) -> None:
    """List Standard executions, the newest of each state machine first."""
    if parked:
        _show_parked(client, out)
        return
    found = list(islice(_listed(client, machine, status.upper() if status else None), limit))
    rows = [(e["status"], clock_time(e["startDate"]), _ended(e), _short(e["executionArn"])) for e in found]
    out.result(found, lambda: table(("STATUS", "STARTED", "ENDED", "EXECUTION"), rows) if rows else "no executions")


def _listed(client: Client, machine: str | None, status: str | None) -> Iterator[dict[str, Any]]:
    arns = [machine_arn(client, machine)] if machine else [m["stateMachineArn"] for m in _standard(client)]
    for arn in arns:
        wanted = {"stateMachineArn": arn, **({"statusFilter": status} if status else {})}
        yield from client.pages("ListExecutions", wanted, "executions")


def _standard(client: Client) -> Iterator[dict[str, Any]]:
    machines = client.pages("ListStateMachines", {}, "stateMachines")
    return (machine for machine in machines if machine["type"] == "STANDARD")


def _show_parked(client: Client, out: Output) -> None:
    parked = client.health().get("parked", {})
    rows = [(p["executionArn"], str(p["faults"]), p["fault"]) for p in parked.get("executions", ())]
    out.result(parked, lambda: table(("EXECUTION", "TRIED", "FAULT"), rows) if rows else "no parked executions")


@command.command("show")
@click.argument("execution", metavar="EXECUTION")
@with_client
def show(execution: str, client: Client, out: Output) -> None:
    """Show one execution: status, times, input and output."""
    found = client.call("DescribeExecution", {"executionArn": execution_arn(client, execution)})
    out.result(found, lambda: _described(found))


def _described(found: dict[str, Any]) -> str:
    lines = [f"{'status':<14}{found['status']}", f"{'execution':<14}{found['executionArn']}"]
    lines.append(f"{'started':<14}{clock_time(found['startDate'])}")
    if "stopDate" in found:
        seconds = found["stopDate"] - found["startDate"]
        lines.append(f"{'ended':<14}{clock_time(found['stopDate'])} after {seconds:.3f} s")
    lines += [f"{name:<14}{_indented(found[name])}" for name in ("error", "cause") if name in found]
    lines += [f"{name:<14}{_indented(_pretty(found[name]))}" for name in ("input", "output") if name in found]
    return "\n".join(lines)


@command.command("history")
@click.argument("execution", metavar="EXECUTION")
@click.option("--reverse", is_flag=True, help="The newest event first.")
@with_client
def history(execution: str, reverse: bool, client: Client, out: Output) -> None:
    """Show what happened in an execution, event by event."""
    params = {"executionArn": execution_arn(client, execution), "reverseOrder": reverse}
    events = list(client.pages("GetExecutionHistory", params, "events"))
    out.result(events, lambda: "\n".join(map(event_line, events)))


@command.command("stop")
@click.argument("execution", metavar="EXECUTION")
@click.option("--error", metavar="NAME", help="Error to note.")
@click.option("--cause", metavar="TEXT", help="Cause to note.")
@with_client
def stop(execution: str, error: str | None, cause: str | None, client: Client, out: Output) -> None:
    """Stop a running execution; it ends ABORTED."""
    arn = execution_arn(client, execution)
    given = {"error": error, "cause": cause}
    answer = client.call("StopExecution", {"executionArn": arn, **{k: v for k, v in given.items() if v is not None}})
    out.result({"executionArn": arn, **answer}, f"stopped {_short(arn)} at {clock_time(answer['stopDate'])}")


# -------------------------------------------------------------------------------------------------------- names


def machine_arn(client: Client, name: str) -> str:
    """A state machine's ARN by ARN or name."""
    if name.startswith("arn:"):
        return name
    for machine in client.pages("ListStateMachines", {}, "stateMachines"):
        if machine["name"] == name:
            return str(machine["stateMachineArn"])
    raise CliError(
        f"there is no state machine called {name!r}",
        hint="Names are case-sensitive; region and account must be right too: see AWS_REGION and AWS_ACCESS_KEY_ID.",
        code=Exit.REFUSED,
        kind="StateMachineDoesNotExist",
    )


def execution_arn(client: Client, name: str) -> str:
    """An execution's ARN by ARN or MACHINE/NAME."""
    if name.startswith("arn:"):
        return name
    machine, slash, execution = name.partition("/")
    if not slash or not execution:
        raise CliError(
            f"{name!r} is no execution",
            hint="Give its ARN, or MACHINE/NAME as `stepwell executions ls` prints it.",
            code=Exit.USAGE,
        )
    return machine_arn(client, machine).replace(":stateMachine:", ":execution:", 1) + ":" + execution


def _short(arn: str) -> str:
    return "/".join(arn.split(":")[6:8])


def _ended(execution: dict[str, Any]) -> str:
    return clock_time(execution["stopDate"]) if "stopDate" in execution else ""


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 14)
