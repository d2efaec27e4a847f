"""Remembers whether a database can be written to; while it cannot, tries a small write now and then."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from stepwell.kernel.errors import StorageError
from stepwell.storage.units import Health, Statement, Unit

PROBE_SECONDS = 1.0
PROBE = Unit((Statement("probe", (), 1),), "background")


class HealthWatch:
    """``note`` what happened; ``health`` says how things stand."""

    def __init__(self, submit: Callable[[Unit], Awaitable[None]]) -> None:
        self._submit = submit
        self._prober: asyncio.Task[None] | None = None
        self._closed = False
        self.health = Health()

    def note(self, reason: str | None) -> None:
        """``None``: a write succeeded. A text: why one could not be made."""
        if reason is None:
            if not self.health.ok:
                self.health = Health()
            return
        self.health = Health(False, reason, self.health.since or time.time())
        if self._prober is None and not self._closed:
            self._prober = asyncio.get_running_loop().create_task(self._probe())

    async def close(self) -> None:
        self._closed = True
        if self._prober is not None:
            self._prober.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._prober

    async def _probe(self) -> None:
        try:
            while not self.health.ok:
                await asyncio.sleep(PROBE_SECONDS)
                with contextlib.suppress(StorageError):
                    await self._submit(PROBE)
                    self.note(None)
        finally:
            self._prober = None
