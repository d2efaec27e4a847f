"""Settings: every one that exists, in one table, and the way a value is found.

A value is taken from the first place that has it::

    command line flag      --log-level debug
    environment            STEPWELL_LOG_LEVEL=debug
    stepwell.toml          log-level = "debug"      (the working directory's, or the file given with --config)
    default

The table is the ``Settings`` class: one field is one setting; its kind, help and secrecy stand beside it. ``endpoints``
is a map: ``STEPWELL_ENDPOINT_SQS=URL``, ``--endpoint sqs=URL`` or ``[endpoints]`` in the file, one service at a time.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from stepwell.kernel import setting_kinds as kinds
from stepwell.kernel.errors import SettingError
from stepwell.kernel.setting_kinds import AccessKey, Parser

PREFIX = "STEPWELL_"
ENDPOINT_PREFIX = "STEPWELL_ENDPOINT_"
CONFIG_FILE = "stepwell.toml"
MASK = "********"
DATABASE_FILE = "stepwell.db"
KEYS_FILE = "keys.json"


def _row(default: Any, parse: Parser, text: str, *, secret: bool = False) -> Any:
    metadata = {"parse": parse, "help": text, "secret": secret}
    return (
        field(default_factory=dict, metadata=metadata) if default is dict else field(default=default, metadata=metadata)
    )


# ------------------------------------------------------------------------------------------------------ the table


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings with their values. Names have a dash on the outside where the field has an underscore."""

    host: str = _row("127.0.0.1", kinds.text, "Address to listen on. Other than loopback only with `access = keys`.")
    port: int = _row(4566, kinds.integer(0, 65535), "Port to listen on; 0 takes any free one.")
    data: str = _row(
        ".stepwell", kinds.text, "Directory for the SQLite database and the keys. Made if it is not there."
    )
    store: str | None = _row(
        None,
        kinds.store,
        f"Database: `sqlite:PATH` or `postgresql://...`. Unset: `{DATABASE_FILE}` in the data directory.",
    )
    access: str = _row(
        "open",
        kinds.choice("open", "keys"),
        "Who may call: `open` takes any key, on loopback only; `keys` takes requests signed with `access-keys`.",
    )
    access_keys: tuple[AccessKey, ...] = _row(
        (),
        kinds.access_keys,
        "Keys for `access = keys`: `ID:SECRET` or `ID:SECRET:ACCOUNT`, separated by commas.",
        secret=True,
    )
    allowed_hosts: tuple[str, ...] = _row(
        (), kinds.names, "Further host names by which clients reach this server in `open` mode, separated by commas."
    )
    region: str = _row("us-east-1", kinds.text, "Region of requests that name none.")
    account: str = _row("000000000000", kinds.account, "Account of requests whose access key is not an account id.")
    endpoints: Mapping[str, str] = _row(
        dict,
        kinds.endpoints,
        "Where other AWS services are: a URL, or `aws` for the real one with your credentials.",
    )
    keys: str | None = _row(
        None,
        kinds.optional,
        f'Key ring that encrypts secrets: a file, or JSON like `{{"1": "64 hex digits"}}`. Unset: `{KEYS_FILE}` beside '
        "the SQLite database, made on first use. Must be given on PostgreSQL.",
        secret=True,
    )
    advertise: str | None = _row(
        None,
        kinds.optional,
        "Address that other servers on the same PostgreSQL reach this one by. Unset: host and port.",
    )
    lease_seconds: float = _row(
        10.0, kinds.seconds(1, 300), "How long a server that stopped answering keeps its executions (PostgreSQL)."
    )
    pooler: bool = _row(
        False, kinds.switch, "Whether a transaction pooler such as PgBouncer stands before PostgreSQL: true or false."
    )
    drain_seconds: float = _row(
        10.0, kinds.seconds(0, 3600), "How long a stopping server lets requests in flight finish."
    )
    idle_executions: int = _row(
        1_000,
        kinds.integer(1, 10_000_000),
        "Waiting executions kept in memory; the others are read again when something happens to them.",
    )
    max_requests: int = _row(
        4_096, kinds.integer(1, 1_000_000), "Requests in flight; beyond, callers get ThrottlingException."
    )
    log_level: str = _row("info", kinds.choice("debug", "info", "warning", "error"), "Least severe log lines to write.")
    log_format: str = _row("text", kinds.choice("text", "json"), "Log lines for people, or one JSON object a line.")

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:{Path(self.data) / DATABASE_FILE}"

    @property
    def directory(self) -> Path | None:
        """The directory of the SQLite database and its keys; None for a database that is no file."""
        scheme, _, path = self.store_url.partition(":")
        return Path(path.removeprefix("//")).parent if scheme == "sqlite" and path != ":memory:" else None

    @property
    def on_postgresql(self) -> bool:
        return self.store_url.startswith(("postgresql://", "postgres://"))

    @property
    def loopback(self) -> bool:
        """Whether ``host`` can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def outer(name: str) -> str:
    """A field's name as flags and files spell it: ``log_level`` is ``log-level``."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """A setting's environment variable: ``log-level`` is ``STEPWELL_LOG_LEVEL``."""
    return PREFIX + name.replace("-", "_").upper()


TABLE: dict[str, Field[Any]] = {outer(f.name): f for f in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value came from: ``--port``, ``STEPWELL_PORT``, a file's path, or ``default``."""

    settings: Settings
    sources: Mapping[str, str]
    unknown: tuple[str, ...] = ()  # STEPWELL_* variables that are no setting; worth a warning, not a failure

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value as text (secrets masked) and source of every setting, in the table's order."""
        return [(name, shown(name, self.settings), self.sources[name]) for name in TABLE]


def shown(name: str, settings: Settings) -> str:
    """A setting's value for people; secrets and passwords in URLs are masked."""
    value = getattr(settings, TABLE[name].name)
    if TABLE[name].metadata["secret"]:
        return MASK if value else ""
    if name == "store":
        return mask_url(settings.store_url)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={mask_url(v)}" for k, v in sorted(value.items()))
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def mask_url(url: str) -> str:
    """``postgresql://user:secret@host/db`` without the secret."""
    scheme, mark, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not mark or not at or ":" not in credentials:
        return url
    return f"{scheme}://{credentials.split(':', 1)[0]}:{MASK}@{place}"


# ------------------------------------------------------------------------------------------------- finding values


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], directory: Path, config: Path | None = None
) -> Loaded:
    """Find every setting's value. ``flags`` holds only what was given, by outer name.

    Raises SettingError for a value that cannot be, an unknown name in the file, or a ``config`` that is not there.
    """
    path = config if config is not None else directory / CONFIG_FILE
    in_file = _read_file(path, required=config is not None)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, row in TABLE.items():
        if name == "endpoints":
            continue
        found = _first(name, flags, environ, in_file, path)
        if found is None:
            values[row.name], sources[name] = row.default, "default"
        else:
            raw, source = found
            values[row.name], sources[name] = _parsed(name, raw, source), source
    values["endpoints"], sources["endpoints"] = _all_endpoints(flags, environ, in_file, path)
    return Loaded(Settings(**values), sources, _unknown_variables(environ))


def _first(
    name: str, flags: Mapping[str, object], environ: Mapping[str, str], in_file: Mapping[str, object], path: Path
) -> tuple[object, str] | None:
    if flags.get(name) is not None:
        return flags[name], f"--{name}"
    in_environment = environ.get(variable(name))
    if in_environment is not None and not _set_by_kubernetes(name, in_environment):
        return in_environment, variable(name)
    if name in in_file:
        return in_file[name], str(path)
    return None


def _set_by_kubernetes(name: str, value: str) -> bool:
    """A Kubernetes service called ``stepwell`` puts ``STEPWELL_PORT=tcp://...`` into every pod beside it.

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    return name == "port" and value.startswith(("tcp://", "udp://"))


def _parsed(name: str, raw: object, source: str) -> Any:
    try:
        return TABLE[name].metadata["parse"](raw)
    except ValueError as error:
        value = MASK if TABLE[name].metadata["secret"] else repr(raw)
        raise SettingError(f"setting {name} cannot be {value} (from {source}): give {error}") from None


def _all_endpoints(
    flags: Mapping[str, object], environ: Mapping[str, str], in_file: Mapping[str, object], path: Path
) -> tuple[dict[str, str], str]:
    """File, then environment, then flags, each adding to or replacing the services of the one before."""
    from_environment = {
        k[len(ENDPOINT_PREFIX) :].lower(): v for k, v in environ.items() if k.startswith(ENDPOINT_PREFIX)
    }
    merged: dict[str, str] = {}
    sources = []
    layers = (
        (in_file.get("endpoints", {}), str(path)),
        ({k: v for k, v in from_environment.items() if v}, f"{ENDPOINT_PREFIX}*"),
        (flags.get("endpoints") or {}, "--endpoint"),
    )
    for layer, source in layers:
        if layer:
            merged |= _parsed("endpoints", layer, source)
            sources.append(source)
    return merged, ", ".join(reversed(sources)) or "default"


def _read_file(path: Path, *, required: bool) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise SettingError(
                f"setting config cannot be {str(path)!r}: there is no such file; check the path"
            ) from None
        return {}
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read as TOML: {error}; mend the file") from None
    for name in values:
        if name not in TABLE:
            raise SettingError(f"{path} has {name!r}, which is no setting; {_nearest(name)}")
    return values


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, TABLE, n=1)
    return f"did you mean {near[0]!r}?" if near else "`stepwell env --settings` lists them all"


def _unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = {variable(name) for name in TABLE} - {variable("endpoints")}
    return tuple(
        sorted(k for k in environ if k.startswith(PREFIX) and k not in known and not k.startswith(ENDPOINT_PREFIX))
    )


def check_server(settings: Settings) -> None:
    """Rules over more than one setting that a server must meet before it starts. Raises SettingError."""
    if settings.access == "open" and not settings.loopback:
        raise SettingError(
            f"setting host cannot be {settings.host!r} while access is 'open': anyone who reaches the port could run "
            "workflows; set access = keys and access-keys, or listen on 127.0.0.1"
        )
    if settings.access == "keys" and not settings.access_keys:
        raise SettingError("setting access cannot be 'keys' without access-keys: set STEPWELL_ACCESS_KEYS=ID:SECRET")
    if settings.on_postgresql and not settings.keys:
        raise SettingError(
            "setting keys must be given on PostgreSQL, the same for every server: set STEPWELL_KEYS to a file or to "
            'JSON like {"1": "<64 hex digits>"}'
        )
