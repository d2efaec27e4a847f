"""What ``/health`` and ``/metrics`` tell of the database, the engine and this server's place among others.

::

    status     ok, or why nothing can be acknowledged
    store      kind; ok, reason, since: can the database be written to?
    writer     process id of SQLite's writer (null while it is started again); only there on SQLite
    member     worker, address, how many partitions it owns, whether it may start side effects
    parked     executions that could not go on: how many, and the first of them with the reason
    executions loaded in memory, Express ones in flight
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell._version import __version__
from stepwell.engine.express import Express
from stepwell.engine.journal import ExecutionRow
from stepwell.engine.worker import Worker
from stepwell.kernel.clock import iso
from stepwell.kernel.errors import StorageError
from stepwell.server.metrics import Metrics, Reading
from stepwell.server.pages import HEALTHY
from stepwell.storage.bundle import Storage

PARKED_SHOWN = 100


class Report:
    """Asks everyone how they are."""

    def __init__(self, storage: Storage, worker: Worker, express: Express, kind: str) -> None:
        self._storage = storage
        self._worker = worker
        self._express = express
        self._kind = kind

    async def health(self) -> dict[str, Any]:
        """The body of ``/health``."""
        store, member = self._storage.database.health, self._storage.membership
        status = HEALTHY if store.ok else f"the database cannot be written to: {store.reason}"
        parked, fault = await self._parked()
        report: dict[str, Any] = {
            "status": status if fault is None else fault,
            "version": __version__,
            "store": {"kind": self._kind, "ok": store.ok, "reason": store.reason, "since": _time(store.since)},
            "member": {
                "worker": member.worker,
                "address": member.address,
                "partitions": len(member.owned),
                "mayStartEffects": member.may_start_effects,
            },
            "parked": parked,
            "executions": {"loaded": self._worker.loaded, "express": self._express.in_flight},
        }
        if hasattr(self._storage.database, "writer_pid"):
            report["writer"] = self._storage.database.writer_pid
        return report

    async def _parked(self) -> tuple[dict[str, Any], str | None]:
        try:
            rows = await self._storage.journal.parked(PARKED_SHOWN)
        except StorageError as error:
            return {"count": None, "executions": []}, f"the database cannot be read: {error}"
        return {"count": len(rows), "executions": [_shown(row) for row in rows]}, None

    def count_in(self, metrics: Metrics) -> None:
        """Register what is known of engine and database."""
        readings: dict[str, tuple[str, Callable[[], float]]] = {
            "stepwell_executions_loaded": ("Standard executions in memory.", lambda: self._worker.loaded),
            "stepwell_express_in_flight": ("Express executions that run now.", lambda: self._express.in_flight),
            "stepwell_store_ok": ("1 if the database can be written to.", lambda: self._storage.database.health.ok),
            "stepwell_partitions_owned": ("Partitions of this server.", lambda: len(self._storage.membership.owned)),
        }
        metrics.counter(
            "stepwell_executions",
            "Standard executions that took on a status on this server.",
            lambda: {(name,): float(count) for name, count in self._worker.counts.items()},
            labels=("status",),
        )
        for name, (text, read) in readings.items():
            metrics.gauge(name, text, _unlabelled(read))


def _unlabelled(read: Callable[[], float]) -> Callable[[], Reading]:
    return lambda: {(): float(read())}


def _shown(row: ExecutionRow) -> dict[str, Any]:
    return {"executionArn": row.arn, "fault": row.fault, "faults": row.faults, "retryAt": _time(row.retry_at)}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)
