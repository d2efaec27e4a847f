"""Other servers that speak the Step Functions API, for comparison; each only if it is installed.

They keep nothing on disk, so their numbers are of work without durability. What a peer answers wrongly is its row's note.
"""

from __future__ import annotations

import importlib.util
import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import machines
from bench.http_client import Connection
from bench.load import under_load
from bench.options import Options
from bench.processes import STOP_SECONDS, running
from bench.results import Row
from bench.server_paths import CLIENTS, create, until_succeeded

MOTO = "import sys; from moto.server import main; main(['-p', sys.argv[1]])"
MINISTACK = """
import os, sys
from importlib.metadata import entry_points
os.environ['GATEWAY_PORT'] = sys.argv.pop()
(command,) = entry_points(group='console_scripts', name='ministack')
command.load()()
"""
PEERS = {"moto": MOTO, "ministack": MINISTACK}  # how each is started: a program that gets a port


async def peers(options: Options, folder: Path) -> list[Row]:
    """Standard, ten states, over HTTP, on each peer that is installed."""
    del folder
    rows: list[Row] = []
    for name, code in PEERS.items():
        if importlib.util.find_spec(name) is not None:
            rows += await _measure(name, code, options)
    return rows


async def _measure(name: str, code: str, options: Options) -> list[Row]:
    path = f"Peer {name}: Standard, 10 states, HTTP"
    with _served(code) as (pid, port):
        if name == "moto":
            _execute_machines(port)
        try:
            clients = [await Connection.connect(port) for _ in range(CLIENTS)]
            machine = await create(clients[0], "ten", machines.ten_states(), "STANDARD")
            work = [until_succeeded(connection, machine) for connection in clients]
            one = await under_load(work[:1], options.seconds, ())
            many = await under_load(work, options.seconds, (pid,))
        except (RuntimeError, OSError) as error:
            return [Row(path=path, what="refused", unit="", values=[0.0], note=str(error)[:200])]
    return [
        Row(path=path, what="1 client, p50", unit="ms", values=[one.p50 * 1e3]),
        Row(path=path, what=f"{CLIENTS} clients, executions a second", unit="", values=[many.rate]),
        Row(path=path, what=f"{CLIENTS} clients, server CPU", unit="ms", values=[many.cpu * 1e3]),
    ]


@contextmanager
def _served(code: str) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with running("-c", f"print('starting', flush=True)\n{code}", str(port)) as program:
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                break
        yield program.pid, port


def _execute_machines(port: int) -> None:
    """moto only pretends to run machines unless told otherwise."""
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/config", body, STOP_SECONDS) as answer:
        answer.read()
