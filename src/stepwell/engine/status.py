"""Status changes of Standard executions, for services that subscribe (the event bus, later metrics).

A change is written with the decision that makes it, in the journal's outbox, and only while somebody subscribes. A pump reads
the outbox in order, hands each change to the subscriber, and forgets it when the subscriber has it: at least once, also across
a crash.

Source of the detail's members: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.engine.association import ALIAS_ARN, VERSION_ARN, associated
from stepwell.engine.journal import Journal
from stepwell.engine.state import Execution
from stepwell.kernel.errors import StorageError
from stepwell.kernel.jsontext import dumps, loads

BATCH = 100
PAUSE_SECONDS = 1.0
log = logging.getLogger(__name__)

Subscriber = Callable[[dict[str, Any]], Awaitable[None]]
_SHOWN = {"included": True}


def changes(execution: Execution, *, started: bool, ended: bool) -> str:
    """The changes one decision makes, as the text of one outbox row: an execution may start and end in the same."""
    found = []
    if started:
        found.append(_detail(execution, "RUNNING"))
    if ended:
        found.append(_detail(execution, execution.status))
    return dumps(found)


def _detail(execution: Execution, status: str) -> dict[str, Any]:
    """The ``detail`` of AWS's event; dates are milliseconds."""
    over = status != "RUNNING"
    output = execution.output.text if over and execution.output is not None else None
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": round(execution.started * 1000),
        "stopDate": round(execution.stopped * 1000) if over and execution.stopped is not None else None,
        "input": execution.input.text,
        "output": output,
        "inputDetails": _SHOWN,
        "outputDetails": None if output is None else _SHOWN,
        "error": execution.error if over else None,
        "cause": execution.cause if over else None,
        VERSION_ARN: None,
        ALIAS_ARN: None,
        **associated(execution.version),
        "redriveCount": execution.redrives,
    }


class StatusPort:
    """Where status changes leave the engine."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._subscriber: Subscriber | None = None
        self._news = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        return self._subscriber is not None

    def subscribe(self, subscriber: Subscriber) -> None:
        """One subscriber; it returns when the change is its own to keep. Starts the pump."""
        self._subscriber = subscriber
        self._pump = asyncio.ensure_future(self._run(subscriber))
        self._news.set()

    def nudge(self) -> None:
        self._news.set()

    async def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def _run(self, subscriber: Subscriber) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                while rows := await self._journal.outbox(BATCH):
                    for row in rows:
                        for change in loads(row.body):
                            await subscriber(change)
                        await self._journal.forget_outbox([row.number])
            except StorageError as error:
                log.warning("status changes wait: %s", error)
                await self._pause()
            except Exception:  # of the subscriber: a change is not forgotten because of it
                log.exception("status changes wait for their subscriber")
                await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        self._news.set()
