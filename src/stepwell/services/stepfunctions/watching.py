"""Waiting for an execution's end, for tasks that started one (``integrations.optimised.executions.ChildWatcher``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.engine.journal import partition_of
from stepwell.engine.worker import Worker

OWN_SECONDS = 30.0  # between looks at an execution of this server, which says itself when it ends
FIRST_SECONDS, LONGEST_SECONDS = 0.25, 5.0  # between looks at another server's, ever more rarely

Describe = Callable[[str], Awaitable[dict[str, Any]]]


class Watcher:
    """Implements ``ChildWatcher``; ``describe`` is ``StepFunctions.describe``."""

    def __init__(self, worker: Worker, describe: Describe) -> None:
        self._worker = worker
        self._describe = describe

    async def wait(self, execution_arn: str) -> dict[str, Any]:
        """DescribeExecution's answer once the execution has ended. Raises ServiceError, StorageError."""
        pause = FIRST_SECONDS
        described = await self._describe(execution_arn)
        pid = partition_of(execution_arn)
        while described["status"] == "RUNNING":
            seconds = OWN_SECONDS if self._worker.ownership.owns(pid) else pause
            pause = min(pause * 2, LONGEST_SECONDS)
            # Listen first, then look: an end in between is not missed.
            ended = asyncio.ensure_future(self._worker.wait_closed(execution_arn, seconds))
            try:
                await asyncio.sleep(0)
                described = await self._describe(execution_arn)
                if described["status"] == "RUNNING":
                    await ended
                    described = await self._describe(execution_arn)
            finally:
                ended.cancel()
        return described
