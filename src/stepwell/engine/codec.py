"""Executions as bytes: pages of events, frames, the head of the execution; and back.

Documents are written once. Inside a page they are numbered; a text of more than 4 KiB has a row of its own (a payload) which
pages and frames refer to, so an unchanged document is not written again; the execution's input and output are on its row.

::

    reference to a document in a page:   n >= 0  the page's own table     -1 input   -2 output   <= -10 payload -(n) - 10
    reference to a document in a frame:  text (a string), or a negative number as above
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from stepwell.asl.model import Machine
from stepwell.engine.decisions import Decision, ScheduleTask
from stepwell.engine.events import DOCUMENTS, Event, PlainEvent
from stepwell.engine.journal import (
    PAYLOAD_BYTES,
    Append,
    Closed,
    ExecutionRow,
    FrameRow,
    NewExecution,
    Page,
    PayloadRow,
    Stored,
    TaskRow,
    TimerRow,
)
from stepwell.engine.state import ChildrenWait, Execution, Frame, TaskWait, TimerWait, Waiting
from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import Json

INPUT, OUTPUT, FIRST_PAYLOAD = -1, -2, -10
REMEMBERED_PAYLOADS = 64
Reference = int | str


# ---------------------------------------------------------------------------------------------- writing
class _Payloads:
    """Turns documents into references, collecting the payload rows that are new."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.rows: list[PayloadRow] = []

    def shared(self, document: Json) -> int | None:
        """A reference that needs no place in the page or frame, or None."""
        execution = self.execution
        if document is execution.input:
            return INPUT
        if document is execution.output:
            return OUTPUT
        if document.size <= PAYLOAD_BYTES:
            return None
        text = document.text
        digest = digest_of(text)
        number = execution.payloads.get(digest)
        if number is None:
            execution.last_payload = number = execution.last_payload + 1
            execution.payloads[digest] = number
            self.rows.append(PayloadRow(number, text))
        return FIRST_PAYLOAD - number

    def inline(self, document: Json | None) -> Reference | None:
        if document is None:
            return None
        shared = self.shared(document)
        return document.text if shared is None else shared

    def forget_old(self) -> None:
        known = self.execution.payloads
        for digest in list(known)[: max(0, len(known) - REMEMBERED_PAYLOADS)]:
            del known[digest]


def digest_of(text: str) -> bytes:
    """What an execution remembers of a large text: the texts themselves would fill the memory."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def to_append(execution: Execution, decision: Decision, *, outbox: str | None = None) -> Append:
    """What the journal is to write; ``execution.seq`` is still the one the decision builds on."""
    payloads = _Payloads(execution)
    page = _page(decision.events, payloads)
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


def task_row(task: ScheduleTask, payloads: _Payloads) -> TaskRow:
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


def _page(events: list[PlainEvent], payloads: _Payloads) -> Page | None:
    if not events:
        return None
    texts: dict[str, int] = {}
    rows = []
    for number, previous, time, kind, details in events:
        written = details
        if details and (documents := DOCUMENTS[kind]):
            written = dict(details)
            for name in documents:
                document = details.get(name)
                if document is not None:
                    shared = payloads.shared(document)
                    written[name] = texts.setdefault(document.text, len(texts)) if shared is None else shared
        rows.append((number, previous, time, kind, written))
    return Page(events[0][0], events[-1][0], orjson.dumps((list(texts), rows)))


def _frame_row(frame: Frame, payloads: _Payloads) -> FrameRow:
    body = (
        frame.index,
        frame.block,
        frame.state,
        payloads.inline(frame.input) if not frame.finished else "null",
        frame.last,
        frame.entered,
        frame.entered_at,
        frame.ready,
        frame.retries,
        frame.attempts,
        _waiting(frame.waiting),
        payloads.inline(frame.output),
        frame.failed,
        payloads.inline(frame.item) if not frame.finished else None,
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
    return orjson.dumps(
        (
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
    )


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
Resolve = Callable[[Reference | None], Json | None]


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


def resolver(row: ExecutionRow, payloads: Mapping[int, str]) -> Resolve:
    """Document of a frame's or task's reference."""
    start = Json(text=row.input)
    end = None if row.output is None else Json(text=row.output)

    def resolve(reference: Reference | None) -> Json | None:
        if reference is None:
            return None
        if isinstance(reference, str):
            return Json(text=reference)
        if reference == INPUT:
            return start
        return end if reference == OUTPUT else Json(text=payloads[FIRST_PAYLOAD - reference])

    return resolve


def from_stored(stored: Stored, machine: Machine, payloads: Mapping[int, str]) -> Execution:
    """The execution as it stood after its last decision."""
    row = stored.row
    resolve = resolver(row, payloads)
    last_event, last_frame, last_payload, machine_name, role_arn, partition, region, account, redrives = orjson.loads(
        row.head
    )
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
        redrives=redrives,
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


def payloads_of_page(page: Page) -> set[int]:
    """Numbers of the payload rows that a page's events refer to."""
    _, rows = orjson.loads(page.body)
    return {
        FIRST_PAYLOAD - details[name]
        for _, _, _, kind, details in rows
        if details
        for name in DOCUMENTS[kind]
        if isinstance(details.get(name), int) and details[name] <= FIRST_PAYLOAD
    }


def events_of_page(page: Page, row: ExecutionRow, payloads: Mapping[int, str]) -> Iterable[Event]:
    """The events of a page with their documents."""
    texts, rows = orjson.loads(page.body)
    resolve = resolver(row, payloads)
    table = [Json(text=text) for text in texts]
    for number, previous, time, kind, details in rows:
        for name in DOCUMENTS[kind] if details else ():
            reference = details.get(name)
            if reference is not None:
                details[name] = table[reference] if reference >= 0 else resolve(reference)
        yield Event(number, previous, time, kind, details)
