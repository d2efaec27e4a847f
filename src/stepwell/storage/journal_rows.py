"""Rows of the database as records of the engine, and what both databases write for a new execution."""

from __future__ import annotations

from typing import NamedTuple

from stepwell.engine.journal import (
    Append,
    ExecutionRow,
    FrameRow,
    Key,
    NewExecution,
    Page,
    PayloadRow,
    TaskRow,
    TimerRow,
)
from stepwell.kernel.errors import StorageError
from stepwell.storage.envelope import seal, seal_optional, seal_text, unseal, unseal_optional, unseal_text
from stepwell.storage.units import Params, Row


class Fence(NamedTuple):
    """In whose name, and at which epoch, a partition is written."""

    worker: str
    epoch: int


class Write(NamedTuple):
    """A start, a decision, or a start with its first decision. ``fence`` is missing only for a bare start."""

    new: NewExecution | None
    append: Append | None
    fence: Fence | None

    @property
    def key(self) -> Key:
        if self.new is not None:
            return self.new.key
        assert self.append is not None
        return self.append.key


def check_page(append: Append, *, first: bool) -> None:
    """The half of "event ids are dense" that needs no database: raises StorageError for a page that cannot be right."""
    page = append.page
    if page is None:
        return
    if page.last < page.first or page.first < 1 or (first and page.first != 1):
        raise StorageError(f"a page of events {page.first} to {page.last} cannot be the next of its execution")


def execution_params(new: NewExecution, first: Append | None) -> Params:
    """The columns of a new row of ``execution``, in the order of its INSERT."""
    closed = first.closed if first is not None else None
    return (
        new.key.id,
        new.key.pid,
        new.arn,
        new.machine_arn,
        new.name,
        closed.status if closed else "RUNNING",
        new.started,
        closed.stopped if closed else None,
        new.definition,
        new.version,
        seal_optional(new.trace_header),
        seal_text(new.input),
        seal_optional(closed.output) if closed else None,
        seal_optional(closed.error) if closed else None,
        seal_optional(closed.cause) if closed else None,
    )


def progress_params(new: NewExecution, first: Append | None) -> Params:
    """The columns of a new row of ``progress``, in the order of its INSERT."""
    if first is None:
        return (new.key.id, new.key.pid, 0, 0, True, seal(new.head))
    last = first.page.last if first.page is not None else 0
    return (new.key.id, new.key.pid, 1, last, first.runnable, seal(first.head))


def execution_row(row: Row) -> ExecutionRow:
    """Reads what the fragment ``execution_row`` selects."""
    return ExecutionRow(
        key=Key(row[0], row[1]),
        arn=row[2],
        machine_arn=row[3],
        name=row[4],
        status=row[5],
        seq=row[6],
        started=row[7],
        stopped=row[8],
        definition=row[9],
        input=unseal_text(row[10]),
        output=unseal_optional(row[11]),
        error=unseal_optional(row[12]),
        cause=unseal_optional(row[13]),
        head=unseal(row[14]),
        runnable=bool(row[15]),
        fault=unseal_optional(row[16]),
        faults=row[17],
        retry_at=row[18],
        version=row[19],
        trace_header=unseal_optional(row[20]),
    )


def frame_row(row: Row) -> FrameRow:
    return FrameRow(row[0], row[1], unseal(row[2]))


def task_row(row: Row) -> TaskRow:
    return TaskRow(row[0], row[1], row[2], row[3], unseal(row[4]))


def timer_row(row: Row) -> TimerRow:
    return TimerRow(row[0], row[1], row[2])


def payload_row(row: Row) -> PayloadRow:
    return PayloadRow(row[0], unseal_text(row[1]))


def page_row(row: Row) -> Page:
    return Page(row[0], row[1], unseal(row[2]))
