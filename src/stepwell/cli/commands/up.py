"""``stepwell up``: the server."""

from __future__ import annotations

import logging
import os

import click

from stepwell._version import __version__
from stepwell.cli.commands.env import exports, shell
from stepwell.cli.exits import Exit
from stepwell.cli.options import with_settings
from stepwell.cli.output import CliError, Output, with_output
from stepwell.kernel.errors import StorageUnavailable
from stepwell.kernel.settings import Loaded, check_server, mask_url

log = logging.getLogger("stepwell.server")


@click.command("up")
@with_settings()
@with_output
def command(loaded: Loaded, out: Output) -> None:
    """Run the server until it is stopped (Ctrl-C, SIGTERM).

    Every setting can be given as a flag, as STEPWELL_NAME in the environment, or in stepwell.toml.
    """
    settings = loaded.settings
    check_server(settings)
    import uvloop

    from stepwell.server import logs
    from stepwell.server.app import assemble
    from stepwell.server.run import serve

    logs.set_up(settings.log_level, settings.log_format)
    for name in loaded.unknown:
        log.warning("%s is no setting and was passed over", name)

    def ready(url: str) -> None:
        store = mask_url(settings.store_url)
        out.event(
            {
                "url": url,
                "store": store,
                "pid": os.getpid(),
                "version": __version__,
                "environment": exports(settings, url),
            },
            f"Stepwell {__version__} listens on {url}, database {store}\n\n"
            f"To point the AWS CLI and SDKs at it:\n\n{_indented(shell(settings, exports(settings, url)))}\n\n"
            "Ctrl-C stops it; what was started goes on with the next start.",
        )

    try:
        uvloop.run(serve(settings, assemble, ready))
    except StorageUnavailable as error:
        raise CliError(
            f"the database {mask_url(settings.store_url)} cannot be used: {error}", code=Exit.SETTING
        ) from None


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
