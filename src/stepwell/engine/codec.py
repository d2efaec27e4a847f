"""Executions as bytes: what a decision writes, frame by frame, with the head of the execution; and back.

Pages of events have a module of their own (``pages``), and so has how documents are named (``references``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from stepwell.asl.model import Machine
from stepwell.engine.decisions import Decision, ScheduleTask
from stepwell.engine.execution_log import LogPlan
from stepwell.engine.journal import (
    Append,
    Closed,
    ExecutionRow,
    FrameRow,
    NewExecution,
    Stored,
    TaskRow,
    TimerRow,
)
from stepwell.engine.pages import page_of
from stepwell.engine.references import FIRST_PAYLOAD, INPUT, OUTPUT, Payloads, Resolve, digest_of, resolver
from stepwell.engine.state import ChildrenWait, Execution, Frame, TaskWait, TimerWait, Waiting
from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import Json

_REDRIVES = 8  # where a head says how often the execution was redriven
_LOG = 11  # where it says what is logged, if anything is


# ---------------------------------------------------------------------------------------------- writing
def to_append(execution: Execution, decision: Decision, *, outbox: str | None = None) -> Append:
    """What the journal is to write; ``execution.seq`` is still the one the decision builds on."""
    payloads = Payloads(execution)
    page = page_of(decision.events, payloads)
    frames = [
        _frame_row(execution.frames[number], payloads)
        for number in sorted(decision.dirty)
        if number in execution.frames
    ]
    tasks = [task_row(task, payloads) for task in decision.tasks.values()]
    for event, kind in decision.tasks_marked.items():
        if event in execution.tasks:
            tasks.append(execution.tasks[event]._replace(kind=kind))
    append = Append(
        key=execution.key,
        expected=execution.seq,
        head=_head(execution),
        runnable=decision.runnable,
        reopened=decision.reopened and not decision.closed,
        page=page,
        frames=frames,
        children_dropped=sorted(decision.orphaned),
        payloads=payloads.rows,
        tasks=tasks,
        tasks_done=sorted(decision.tasks_done),
        timers=[TimerRow(frame, kind, due) for (frame, kind), due in decision.timers.items()],
        timers_done=sorted(decision.timers_done),
        closed=_closed(execution) if decision.closed else None,
        outbox=outbox,
    )
    payloads.forget_old()
    return append


def to_new(execution: Execution) -> NewExecution:
    return NewExecution(
        key=execution.key,
        arn=execution.arn,
        machine_arn=execution.machine_arn,
        name=execution.name,
        started=execution.started,
        definition=execution.definition,
        input=execution.input.text,
        head=_head(execution),
        version=execution.version,
        trace_header=execution.trace_header,
    )


def task_row(task: ScheduleTask, payloads: Payloads) -> TaskRow:
    request = task.request
    body = [
        task.state,
        task.attempt,
        task.token,
        request.timeout,
        payloads.inline(request.parameters),
        None if request.credentials is None else request.credentials.text,
    ]
    resource = request.resource
    activity = resource.kind == "activity"
    return TaskRow(
        event=task.event,
        frame=task.frame,
        kind="activity" if activity else "call",
        resource=str(resource.arn) if activity else resource.text,
        body=orjson.dumps(body),
    )


def _frame_row(frame: Frame, payloads: Payloads) -> FrameRow:
    body = (
        frame.index,
        frame.block,
        frame.state,
        payloads.inline(frame.input) if frame.output is None else "null",
        frame.last,
        frame.entered,
        frame.entered_at,
        frame.ready,
        frame.retries,
        frame.attempts,
        _waiting(frame.waiting),
        payloads.inline(frame.output),
        frame.failed,
        payloads.inline(frame.item) if frame.output is None else None,
        frame.before,
        None if not frame.variables else {name: payloads.inline(value) for name, value in frame.variables.items()},
    )
    return FrameRow(frame.id, frame.parent, orjson.dumps(body))


def _waiting(waiting: Waiting | None) -> list[Any] | None:
    if waiting is None:
        return None
    if isinstance(waiting, TimerWait):
        return ["timer", waiting.kind, waiting.until]
    if isinstance(waiting, ChildrenWait):
        return ["children", *(getattr(waiting, name) for name in ChildrenWait.__slots__)]
    fields = [getattr(waiting, name) for name in TaskWait.__slots__]
    fields[1] = waiting.nonce.hex()
    return ["task", *fields]


def _head(execution: Execution) -> bytes:
    head = (
        execution.last_event,
        execution.last_frame,
        execution.last_payload,
        execution.machine_name,
        execution.role_arn,
        execution.scope.partition,
        execution.scope.region,
        execution.scope.account,
        execution.redrives,
    )
    if execution.redriven is None and execution.log is None:
        return orjson.dumps(head)
    log = None if execution.log is None else tuple(execution.log)
    return orjson.dumps((*head, execution.redriven, execution.redrive_tokens, log))


def _closed(execution: Execution) -> Closed:
    assert execution.stopped is not None
    return Closed(
        status=execution.status,
        stopped=execution.stopped,
        output=None if execution.output is None else execution.output.text,
        error=execution.error,
        cause=execution.cause,
    )


# ---------------------------------------------------------------------------------------------- reading
class RedriveRecord(NamedTuple):
    """What the head of an execution says of its redrives."""

    times: int = 0
    last: float | None = None
    tokens: Sequence[tuple[str, float]] = ()  # the latest client tokens, and when each redrove it


def redrive_record(row: ExecutionRow) -> RedriveRecord:
    count, *more = orjson.loads(row.head)[_REDRIVES:]
    return RedriveRecord(count, more[0], [(token, when) for token, when in more[1]]) if more else RedriveRecord(count)


def _log_plan(row: ExecutionRow) -> LogPlan | None:
    plan = orjson.loads(row.head)[_LOG:]
    return LogPlan(*plan[0]) if plan and plan[0] is not None else None


def last_event(row: ExecutionRow) -> int:
    """The id of an execution's last event: how long its history is."""
    return int(orjson.loads(row.head)[0])


def referenced_payloads(stored: Stored) -> set[int]:
    """Numbers of the payload rows needed to go on with this execution."""
    numbers = set()
    for row in stored.frames:
        body = orjson.loads(row.body)
        numbers |= {
            FIRST_PAYLOAD - ref
            for ref in (body[3], body[11], body[13], *(body[15] or {}).values())
            if isinstance(ref, int) and ref <= FIRST_PAYLOAD
        }
    for task in stored.tasks:
        ref = orjson.loads(task.body)[4]
        if isinstance(ref, int) and ref <= FIRST_PAYLOAD:
            numbers.add(FIRST_PAYLOAD - ref)
    return numbers


def from_stored(stored: Stored, machine: Machine, payloads: Mapping[int, str]) -> Execution:
    """The execution as it stood after its last decision."""
    row = stored.row
    resolve = resolver(row, payloads)
    last_event, last_frame, last_payload, machine_name, role_arn, partition, region, account = orjson.loads(row.head)[
        :_REDRIVES
    ]
    redriven = redrive_record(row)
    start = resolve(INPUT)
    assert start is not None
    execution = Execution(
        key=row.key,
        arn=row.arn,
        name=row.name,
        machine=machine,
        machine_arn=row.machine_arn,
        machine_name=machine_name,
        role_arn=role_arn,
        scope=Scope(partition, region, account),
        definition=row.definition,
        started=row.started,
        input=start,
        version=row.version,
        trace_header=row.trace_header,
        log=_log_plan(row),
        redrives=redriven.times,
        redriven=redriven.last,
        redrive_tokens=list(redriven.tokens),
        seq=row.seq,
        last_event=last_event,
        last_frame=last_frame,
        last_payload=last_payload,
        status=row.status,
        output=resolve(OUTPUT) if row.output is not None else None,
        error=row.error,
        cause=row.cause,
        stopped=row.stopped,
        frames={},
        payloads={digest_of(text): number for number, text in payloads.items()},
        tasks={task.event: task for task in stored.tasks},
    )
    for frame_row in sorted(stored.frames):
        _adopt(execution, frame_row, resolve)
    return execution


def _adopt(execution: Execution, row: FrameRow, resolve: Resolve) -> None:
    (
        index,
        block,
        state,
        argument,
        last,
        entered,
        entered_at,
        ready,
        retries,
        attempts,
        waiting,
        output,
        failed,
        item,
        before,
        variables,
    ) = orjson.loads(row.body)
    frame = Frame(row.frame, row.parent, block, state, _known(resolve(argument)), last, index)
    frame.entered, frame.entered_at = entered, entered_at
    frame.ready, frame.retries, frame.attempts = ready, retries, attempts
    frame.waiting = _read_waiting(waiting)
    frame.output = resolve(output)
    frame.failed = None if failed is None else (failed[0], failed[1])
    frame.item = resolve(item)
    frame.before = before
    frame.variables = None if variables is None else {name: _known(resolve(ref)) for name, ref in variables.items()}
    execution.frames[frame.id] = frame
    if frame.parent is not None:
        execution.frames[frame.parent].children.append(frame.id)


def _known(document: Json | None) -> Json:
    assert document is not None
    return document


def _read_waiting(raw: list[Any] | None) -> Waiting | None:
    if raw is None:
        return None
    kind, *fields = raw
    if kind == "timer":
        return TimerWait(*fields)
    if kind == "children":
        return ChildrenWait(*fields)
    fields[1] = bytes.fromhex(fields[1])
    waiting = TaskWait(*fields)
    if waiting.outcome is not None:
        waiting.outcome = (waiting.outcome[0], waiting.outcome[1], waiting.outcome[2])
    return waiting
