"""Programs that a command starts beside itself, and the line by which each says that it is ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Self

from stepwell.cli.output import CliError

READY_SECONDS = 30.0
STOP_SECONDS = 20.0


class Process:
    """A Python program. Used in a ``with`` block, which ends it; what it wrote to standard error is kept."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.first_line = ""
        self._arguments = [sys.executable, *arguments]
        self._environment = {**os.environ, **(environment or {})}
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the with block's end
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns when it has written its first line. Raises CliError if it ends before."""
        self._process = process = subprocess.Popen(
            self._arguments, stdout=subprocess.PIPE, stderr=self._errors, env=self._environment
        )
        alarm = threading.Timer(READY_SECONDS, process.kill)
        alarm.start()
        try:
            assert process.stdout is not None
            self.first_line = process.stdout.readline().decode().strip()
        finally:
            alarm.cancel()
        if not self.first_line:
            raise CliError(f"the {self.name} did not start:\n{self.errors()}")
        return self

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def errors(self) -> str:
        """What it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._errors.close()
