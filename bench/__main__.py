"""``python -m bench``: run the workloads, print the table.

::

    python -m bench                      all of them, three turns of two seconds
    python -m bench --quick              one short turn, under a minute
    python -m bench express map          only workloads whose name holds one of these words
    python -m bench --peers --json       with the peers that are installed; JSON instead of the table
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench import engine_paths, server_paths
from bench.options import QUICK, Options
from bench.peers import peers
from bench.results import Row, table

Workload = Callable[[Options, Path], Awaitable[list[Row]]]

WORKLOADS: dict[str, Workload] = {
    "disk": engine_paths.durable_limits,
    "express": engine_paths.express_ten,
    "jsonata": engine_paths.jsonata_ten,
    "sync-http": server_paths.sync_express,
    "standard": engine_paths.standard_ten,
    "tasks": engine_paths.ten_tasks,
    "http-tasks": engine_paths.http_tasks,
    "flood": engine_paths.under_flood,
    "standard-http": server_paths.standard_over_http,
    "map": engine_paths.maps,
    "waiting": server_paths.many_waiting,
    "idle": server_paths.idle_server,
}


async def run(chosen: dict[str, Workload], options: Options, parent: Path | None) -> list[Row]:
    """Each workload in a folder of its own, one after the other."""
    rows: list[Row] = []
    for name, workload in chosen.items():
        folder = Path(tempfile.mkdtemp(prefix="stepwell-bench-", dir=parent))
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += await workload(options, folder)
        finally:
            shutil.rmtree(folder)
    return rows


def main() -> int:
    """Exit code 1 when a budget is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help=f"of the names {', '.join(WORKLOADS)}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--turns", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--peers", action="store_true", help="measure moto and ministack too, where installed")
    parser.add_argument("--folder", type=Path, help="where databases go: a folder on the disk that is meant")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    base = QUICK if given.quick else Options()
    options = Options(given.turns or base.turns, given.seconds or base.seconds, base.waiting)
    chosen = {name: work for name, work in WORKLOADS.items() if _meant(name, given.words)}
    if given.peers:
        chosen["peers"] = peers
    rows = uvloop.run(run(chosen, options, given.folder))
    machine = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors"
    if given.json:
        print(json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=2))
    else:
        print(f"{machine}\n\n{table(rows)}")
    return int(any(row.verdict == "miss" for row in rows))


def _meant(name: str, words: list[str]) -> bool:
    return not words or any(word in name for word in words)


if __name__ == "__main__":
    sys.exit(main())
