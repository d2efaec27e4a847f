"""``stepwell backup``: a copy of the SQLite database, whole and consistent, taken while the server goes on."""

from __future__ import annotations

from pathlib import Path

import click

from stepwell.cli.options import with_settings
from stepwell.cli.output import Output, with_output
from stepwell.kernel.settings import KEYS_FILE, Loaded


@click.command("backup")
@click.argument("target", metavar="FILE")
@with_settings("data", "store")
@with_output
def command(target: str, loaded: Loaded, out: Output) -> None:
    """Copy the database to FILE, which must not exist. A running server goes on working.

    The keys that decrypt stored secrets are not in the copy: keep the key file too, in another place.
    """
    from stepwell.storage.backup import backup

    url = loaded.settings.store_url
    size = backup(url, Path(target))
    keys = "" if loaded.settings.directory is None else str(loaded.settings.directory / KEYS_FILE)
    out.result({"file": target, "bytes": size, "keys": keys}, f"{target}: {size} bytes")
    out.note(f"Stored secrets need {keys} too; it is not part of the copy.")
