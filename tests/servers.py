"""A Stepwell server of its own process, for tests that speak to one over the wire."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

START_SECONDS, STOP_SECONDS = 30.0, 30.0


class LiveServer:
    """``stepwell up`` on a free port. ``kill`` and ``start`` again go on with the same data and port."""

    def __init__(self, data: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.url = ""
        self.log: list[str] = []
        self._arguments = arguments
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STEPWELL_"))}
        self._environment |= environment or {}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> LiveServer:
        """Returns when requests are answered."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "stepwell", "up", "--json", "--data", str(self.data), "--port", port]
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self._process = process = subprocess.Popen(
            [*command, *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
            cwd=self.data.parent,
        )
        assert process.stdout is not None
        threading.Thread(target=self._read_log, args=(process.stderr,), daemon=True).start()
        alarm = threading.Timer(START_SECONDS, process.kill)
        alarm.start()
        line = process.stdout.readline()
        alarm.cancel()
        if not line:
            code = process.wait()
            raise RuntimeError(f"the server ended with {code}:\n" + "".join(self.log))
        self.url = str(json.loads(line)["url"])
        return self

    def _read_log(self, stream: Any) -> None:
        self.log += stream
        stream.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self, service: str = "stepfunctions", **options: Any) -> Any:
        """A boto3 client for this server."""
        config = Config(
            inject_host_prefix=False, retries={"max_attempts": 0}, read_timeout=70, **options.pop("config", {})
        )
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=options.pop("region_name", "us-east-1"),
            aws_access_key_id=options.pop("aws_access_key_id", "000000000000"),
            aws_secret_access_key=options.pop("aws_secret_access_key", "test"),
            config=config,
            **options,
        )

    def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(STOP_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
        return code
