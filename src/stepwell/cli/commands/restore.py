"""``stepwell restore``: a backup in the place of the database."""

from __future__ import annotations

from pathlib import Path

import click

from stepwell.cli.options import with_settings
from stepwell.cli.output import Output, with_output
from stepwell.kernel.settings import Loaded


@click.command("restore")
@click.argument("source", metavar="FILE")
@click.option("--replace", is_flag=True, help="Replace the database that is there.")
@with_settings("data", "store")
@with_output
def command(source: str, replace: bool, loaded: Loaded, out: Output) -> None:
    """Put the backup FILE in the database's place. The server must not be running.

    Executions that were running when the backup was taken go on from there when the server starts.
    """
    from stepwell.server.data import prepare
    from stepwell.storage.backup import restore

    url = loaded.settings.store_url
    prepare(loaded.settings)
    restore(Path(source), url, replace=replace)
    out.result({"file": source, "store": url}, f"{url}: restored from {source}")
