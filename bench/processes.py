"""Programs that run beside the benchmark, and what the kernel says a process tree has used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
REPOSITORY = Path(__file__).resolve().parent.parent
STOP_SECONDS = 20.0


class Program:
    """A running Python program; ``first`` is the first line it wrote, ``ready`` the seconds until then."""

    def __init__(self, *arguments: str) -> None:
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
        )
        assert self._process.stdout is not None
        self.first = self._process.stdout.readline().decode().strip()
        self.ready = time.perf_counter() - begun
        if not self.first:
            raise RuntimeError(f"{arguments} did not start: {self._process.communicate()[1].decode()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


@contextmanager
def running(*arguments: str) -> Iterator[Program]:
    program = Program(*arguments)
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def stepwell(folder: Path, *arguments: str) -> Iterator[tuple[Program, int]]:
    """A server of its own on a free port, with its port."""
    command = ("-m", "stepwell", "up", "--port", "0", "--data", str(folder), "--json", "--log-level", "error")
    with running(*command, *arguments) as program:
        yield program, int(json.loads(program.first)["url"].rpartition(":")[2])


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for thread in _listed(Path(f"/proc/{pid}/task")):
        for child in _text(thread / "children").split():
            found += tree(int(child))
    return found


def cpu_seconds(*pids: int) -> float:
    """User and system time of process trees. The kernel counts in ticks of 10 ms."""
    total = 0
    for pid in pids:
        for member in tree(pid):
            fields = _text(Path(f"/proc/{member}/stat")).rpartition(")")[2].split()
            if fields:
                total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of a process tree; what processes share is counted in each."""
    lines = (line for member in tree(pid) for line in _text(Path(f"/proc/{member}/status")).splitlines())
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def threads(pid: int) -> int:
    return sum(len(_listed(Path(f"/proc/{member}/task"))) for member in tree(pid))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
