"""Flags for settings, made from the table of settings, and the settings they lead to."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stepwell.kernel import settings as table
from stepwell.kernel.errors import SettingError
from stepwell.kernel.settings import TABLE, Loaded


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command ``--config`` and flags for these settings (for all, if none is named), and passes it ``loaded``.

    Secrets have no flag: a command line can be read by every user of the machine. They come from the environment or a file.
    """
    wanted = [name for name in names or TABLE if not TABLE[name].metadata["secret"]]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(*args: Any, config: str | None, **kwargs: Any) -> Any:
            given = {name: kwargs.pop(_parameter(name)) for name in wanted}
            return command(*args, loaded=find(given, config), **kwargs)

        made: Callable[..., Any] = wrapped
        for name in reversed(wanted):
            made = _option(name)(made)
        text = f"Settings file instead of {table.CONFIG_FILE} in the working directory."
        return click.option("--config", metavar="FILE", help=text)(made)

    return decorate


def find(given: dict[str, Any], config: str | None) -> Loaded:
    """The settings; raises SettingError."""
    flags = {name: value for name, value in given.items() if value not in (None, ())}
    if "endpoints" in flags:
        flags["endpoints"] = dict(map(_pair, flags["endpoints"]))
    return table.load(flags, os.environ, Path.cwd(), Path(config) if config else None)


def _pair(text: str) -> tuple[str, str]:
    service, mark, url = text.partition("=")
    if not mark:
        raise SettingError(f"setting endpoints cannot be {text!r}: give --endpoint SERVICE=URL")
    return service, url


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    row = TABLE[name]
    text = row.metadata["help"].replace("`", "")
    if name == "endpoints":
        return click.option("--endpoint", _parameter(name), metavar="SERVICE=URL", multiple=True, help=text)
    default = "" if row.default in (None, (), "") else f"  [default: {_shown(row.default)}]"
    return click.option(f"--{name}", _parameter(name), metavar=_metavar(row.default), help=text + default)


def _parameter(name: str) -> str:
    return "set_" + name.replace("-", "_")


def _metavar(default: Any) -> str:
    return "N" if isinstance(default, int | float) and not isinstance(default, bool) else "TEXT"


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)
