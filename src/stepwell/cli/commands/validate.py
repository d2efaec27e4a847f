"""``stepwell validate``: the same checks as CreateStateMachine, on files."""

from __future__ import annotations

from typing import Any, Literal, cast

import click

from stepwell.asl.check import check
from stepwell.asl.diagnostics import DefinitionError, Diagnostic, errors
from stepwell.asl.source import load_definition
from stepwell.cli.exits import Exit
from stepwell.cli.output import Output, read_text, with_output

MachineType = Literal["STANDARD", "EXPRESS"]


@click.command("validate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--type",
    "machine_type",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="Type of the state machine.",
)
@with_output
def command(files: tuple[str, ...], machine_type: str, out: Output) -> int:
    """Check definitions in JSON or YAML files (- is standard input) with the rules of CreateStateMachine.

    Exits with 3 if one has an error; warnings do not count.
    """
    found = {path: diagnose(read_text(path), cast(MachineType, machine_type.upper())) for path in files}
    out.result([_file(path, diagnostics) for path, diagnostics in found.items()], lambda: _text(found))
    return Exit.INVALID if any(errors(diagnostics) for diagnostics in found.values()) else Exit.OK


def diagnose(text: str, machine_type: MachineType = "STANDARD") -> list[Diagnostic]:
    try:
        return check(load_definition(text), type=machine_type)
    except DefinitionError as error:
        return list(error.diagnostics)


def _file(path: str, diagnostics: list[Diagnostic]) -> dict[str, Any]:
    return {
        "file": path,
        "result": "FAIL" if errors(diagnostics) else "OK",
        "diagnostics": [
            {"severity": d.severity, "code": d.code, "message": d.message, "location": d.location} for d in diagnostics
        ],
    }


def _text(found: dict[str, list[Diagnostic]]) -> str:
    lines = []
    for path, diagnostics in found.items():
        lines += [f"{path}: {d.location or '/'}: {d.severity} {d.code}: {d.message}" for d in diagnostics]
        if not errors(diagnostics):
            lines.append(f"{path}: ok")
    return "\n".join(lines)
