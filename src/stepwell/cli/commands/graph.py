"""``stepwell graph``: a definition as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from stepwell.asl.diagnostics import DefinitionError
from stepwell.asl.source import load_definition
from stepwell.cli.exits import Exit
from stepwell.cli.output import CliError, Output, read_text, with_output
from stepwell.local.graph import mermaid, model


@click.command("graph")
@click.argument("file", metavar="FILE")
@click.option("--svg", is_flag=True, help="Draw SVG instead of writing Mermaid text.")
@click.option("-o", "--output", metavar="FILE", help="Write to this file instead of standard output.")
@with_output
def command(file: str, svg: bool, output: str | None, out: Output) -> None:
    """Draw the definition in FILE (JSON or YAML; - is standard input) as a Mermaid flowchart, or as SVG."""
    try:
        graph = model.read(load_definition(read_text(file)))
    except DefinitionError as error:
        raise CliError(f"{file}: {error.diagnostics[0].message}", code=Exit.INVALID) from None
    except ValueError as error:
        hint = f"`stepwell validate {file}` says more."
        raise CliError(f"{file} cannot be drawn: {error}", hint=hint, code=Exit.INVALID) from None
    text = _svg(graph, file) if svg else mermaid.write(graph)
    form = "svg" if svg else "mermaid"
    if output and output != "-":
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CliError(f"{output} cannot be written: {error.strerror}", hint="Give another file with -o.") from None
        out.result({"format": form, "file": output}, f"{output}: {form}")
        return
    out.result({"format": form, "text": text}, text)


def _svg(graph: model.Graph, title: str) -> str:
    try:
        from stepwell.local.graph import layout, svg
    except ModuleNotFoundError as missing:
        if missing.name != "fast_sugiyama":
            raise
        raise CliError(
            "drawing SVG needs the layout library fast-sugiyama",
            hint="pip install 'stepwell[graph]', or leave out --svg for Mermaid text.",
        ) from None
    return svg.write(layout.place(graph), title)
