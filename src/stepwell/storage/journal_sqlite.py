"""A start or a decision as one unit of statements for SQLite.

The guard is the unit's first statement: a unit whose guard fails has changed nothing and costs its neighbours nothing.
"""

from __future__ import annotations

from stepwell.engine.journal import Append
from stepwell.kernel.errors import CheckFailed
from stepwell.storage.envelope import seal, seal_optional, seal_text
from stepwell.storage.journal_rows import Fence, Write, execution_params, progress_params
from stepwell.storage.units import Database, Statement, Unit

GUARDS = frozenset({"start", "start_fenced", "append", "append_quiet"})


class SqliteJournalWriter:
    """Writes starts and decisions; see ``journal.JournalWriter``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, write: Write) -> bool:
        try:
            await self._database.submit(unit_of(write))
        except CheckFailed as failed:
            if failed.statement not in GUARDS:
                raise
            return False
        return True


def unit_of(write: Write) -> Unit:
    """Everything one ``start`` or ``append`` writes."""
    new, append, fence = write
    statements: list[Statement] = []
    if new is not None:
        params = execution_params(new, append)
        if append is None or fence is None:
            statements.append(Statement("start", params, 1))
        else:
            statements.append(Statement("start_fenced", (*params, *fence), 1))
        statements.append(Statement("start_progress", progress_params(new, append)))
    elif append is not None and fence is not None:
        statements.append(_guard(append, fence))
    if append is not None:
        if new is None:
            statements += _dropped(append)
        statements += _added(append)
        if append.reopened:
            statements.append(Statement("reopen", (append.key.id,), 1))
        if append.closed is not None and new is None:
            statements += _closed(append)
    return Unit(tuple(statements), "journal")


def _guard(append: Append, fence: Fence) -> Statement:
    pid, execution = append.key
    head = seal(append.head)
    if append.page is None:
        return Statement("append_quiet", (execution, append.expected, head, append.runnable, pid, *fence), 1)
    page = append.page
    params = (execution, append.expected, head, append.runnable, page.first - 1, page.last, pid, *fence)
    return Statement("append", params, 1)


def _dropped(append: Append) -> list[Statement]:
    execution = append.key.id
    statements = [Statement("drop_children", (execution, frame)) for frame in append.children_dropped]
    if append.closed is None:
        statements += [Statement("drop_task", (execution, event)) for event in append.tasks_done]
        statements += [Statement("drop_timer", (execution, frame, kind)) for frame, kind in append.timers_done]
    return statements


def _added(append: Append) -> list[Statement]:
    """New and changed rows; of what the closing deletes, a closing decision adds nothing."""
    pid, execution = append.key
    statements: list[Statement] = []
    if append.page is not None:
        first, last, body = append.page
        statements.append(Statement("put_page", (execution, first, last, seal(body))))
    statements += [Statement("put_payload", (execution, p.number, seal_text(p.body))) for p in append.payloads]
    closed = append.closed
    if closed is None or closed.status != "SUCCEEDED":
        statements += [Statement("put_frame", (execution, f.frame, f.parent, seal(f.body))) for f in append.frames]
    if closed is None:
        statements += [
            Statement("put_task", (execution, pid, t.event, t.frame, t.kind, t.resource, seal(t.body)))
            for t in append.tasks
        ]
        statements += [Statement("put_timer", (execution, pid, t.frame, t.kind, t.due)) for t in append.timers]
    if append.outbox is not None:
        statements.append(Statement("put_outbox", (pid, seal_text(append.outbox))))
    return statements


def _closed(append: Append) -> list[Statement]:
    closed, execution = append.closed, append.key.id
    if closed is None:
        return []
    ending = (seal_optional(closed.output), seal_optional(closed.error), seal_optional(closed.cause))
    statements = [
        Statement("finish", (execution, closed.status, closed.stopped, *ending), 1),
        Statement("drop_all_tasks", (execution,)),
        Statement("drop_all_timers", (execution,)),
    ]
    if closed.status == "SUCCEEDED":
        statements.append(Statement("drop_all_frames", (execution,)))
    return statements
