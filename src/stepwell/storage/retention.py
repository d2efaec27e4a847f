"""Deleting finished executions whose retention is over, in small units of the background lane.

An execution goes in steps, history first and its own row last, so that a stop in between leaves something the next
run finds and finishes. No unit touches more than UNIT_ROWS rows of one table.
"""

from __future__ import annotations

from stepwell.storage.units import Database, Statement, Unit

UNIT_ROWS = 500


async def forget_finished(database: Database, before: float, *, limit: int = 100) -> int:
    """Delete at most ``limit`` executions that ended before a time; returns how many. Call again while that is ``limit``.

    Raises StorageUnavailable; what was deleted until then stays deleted.
    """
    rows = await database.read("finished_before", (before, limit))
    for (execution,) in rows:
        await _forget(database, execution)
    return len(rows)


async def _forget(database: Database, execution: bytes) -> None:
    for count, forget in (
        ("page_count", "forget_pages"),
        ("frame_count", "forget_frames"),
        ("payload_count", "forget_payloads"),
    ):
        while (await database.read(count, (execution, UNIT_ROWS)))[0][0]:
            await database.submit(Unit((Statement(forget, (execution, UNIT_ROWS)),), "background"))
    last = (Statement("forget_execution", (execution,), 1), Statement("forget_progress", (execution,)))
    await database.submit(Unit(last, "background"))
