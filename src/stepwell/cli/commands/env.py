"""``stepwell env``: what to tell the AWS tools, and all settings with their sources."""

from __future__ import annotations

import shlex

import click

from stepwell.cli.options import with_settings
from stepwell.cli.output import Output, table, with_output
from stepwell.kernel.settings import Loaded, Settings
from stepwell.server.address import url_of

CLI_V1_NOTE = "# AWS CLI version 1 ignores AWS_ENDPOINT_URL for `aws sqs`: give it --endpoint-url there."
PREFIX_NOTE = "# Other SDKs dial sync-localhost for StartSyncExecution unless told not to: see docs/cli.md."


@click.command("env")
@click.option(
    "--settings", "show_settings", is_flag=True, help="Print every setting with its value and source instead."
)
@with_settings("host", "port", "region", "account")
@with_output
def command(show_settings: bool, loaded: Loaded, out: Output) -> None:
    """Print the environment that points AWS tools at this server.

    In a shell: eval "$(stepwell env)"
    """
    if show_settings:
        rows = loaded.rows()
        out.result(
            [{"name": name, "value": value, "source": source} for name, value, source in rows],
            lambda: table(("NAME", "VALUE", "SOURCE"), rows),
        )
        return
    variables = exports(loaded.settings, url_of(loaded.settings.host, loaded.settings.port))
    out.result(variables, lambda: shell(loaded.settings, variables))


def exports(settings: Settings, url: str) -> dict[str, str]:
    """The variables; in keys mode without credentials, because secrets are not printed."""
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
    }
    if settings.access == "open":
        variables |= {"AWS_ACCESS_KEY_ID": settings.account, "AWS_SECRET_ACCESS_KEY": "stepwell"}
    return variables


def shell(settings: Settings, variables: dict[str, str]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    if settings.access == "keys":
        lines.append("# Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to one of the setting access-keys.")
    return "\n".join([*lines, CLI_V1_NOTE, PREFIX_NOTE])
