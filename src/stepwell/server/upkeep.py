"""What a server does by itself, now and then: take up work it gained, look for due timers, forget what is old.

Each round of a chore is on its own: a failure is logged and the next round comes anyway.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from stepwell.engine.express import Express
from stepwell.engine.timers import HORIZON
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import StorageError
from stepwell.kernel.limits import HISTORY_RETENTION_DAYS
from stepwell.services.logs import Retention
from stepwell.storage.retention import forget_finished
from stepwell.storage.units import Database

log = logging.getLogger("stepwell.server")

TIMER_SECONDS = HORIZON / 3
PARKED_SECONDS = 5.0
SWEEP_SECONDS = 60.0
RECOVER_SECONDS = 20.0  # for what another server started here and could not tell of
RETENTION_SECONDS = 600.0
RETRY_SECONDS = 1.0
DAY = 86_400.0
FORGET_BATCH = 100

Chore = Callable[[], Awaitable[object]]


class Upkeep:
    """``gained`` and ``lost`` are called by the membership; ``start`` and ``stop`` frame the server's life."""

    def __init__(self, worker: Worker, express: Express, database: Database, clock: Clock, logs: Retention) -> None:
        self._worker = worker
        self._express = express
        self._database = database
        self._clock = clock
        self._logs = logs
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def start(self) -> None:
        self._run(_every(TIMER_SECONDS, self._worker.scan_timers))
        self._run(_every(PARKED_SECONDS, self._worker.retry_parked))
        self._run(_every(SWEEP_SECONDS, self._express.sweep))
        self._run(_every(RECOVER_SECONDS, self._worker.recover))
        self._run(_every(RETENTION_SECONDS, self._forget))
        self._run(_every(RETENTION_SECONDS, self._logs.sweep))

    async def stop(self) -> None:
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def gained(self, pids: Sequence[int]) -> None:
        """Go on with everything in these partitions, as soon as the database can be read."""
        log.debug("partitions gained", extra={"fields": {"count": len(pids)}})
        self._run(_until_done(lambda: self._worker.recover(pids)))
        self._run(_until_done(lambda: self._express.recover(pids)))

    def lost(self, pids: Sequence[int]) -> None:
        log.log(
            logging.DEBUG if self._stopping else logging.WARNING,
            "partitions lost",
            extra={"fields": {"count": len(pids)}},
        )
        self._worker.release(pids)

    async def _forget(self) -> None:
        before = self._clock.now() - HISTORY_RETENTION_DAYS * DAY
        forgotten = FORGET_BATCH
        while forgotten == FORGET_BATCH:
            forgotten = await forget_finished(self._database, before, limit=FORGET_BATCH)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _every(seconds: float, chore: Chore) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _attempt(chore)


async def _until_done(chore: Chore) -> None:
    done = await _attempt(chore)
    while not done:
        await asyncio.sleep(RETRY_SECONDS)
        done = await _attempt(chore)


async def _attempt(chore: Chore) -> bool:
    """Whether the database let it be done; any other failure is a bug of ours and is not tried again at once."""
    try:
        await chore()
    except StorageError as error:
        log.warning("upkeep waits for the database", extra={"fields": {"error": str(error)}})
        return False
    except Exception:
        log.exception("upkeep failed")
    return True
