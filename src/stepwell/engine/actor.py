"""One loaded execution: its mailbox, its running calls, and the loop that turns messages into durable decisions.

Theory of operation
    Messages gather in the mailbox while the last decision is on its way to the disk; then all of them are taken together
    into the next decision. Nothing of a decision is visible before it is durable: answers are given, tasks called and timers
    set only after ``journal.append`` has returned. If it raises, the execution in memory is thrown away and loaded again;
    callers get the error, and messages nobody waits for (results of tasks, timers) are taken up again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

import orjson

from stepwell.asl.resources import parse_resource
from stepwell.asl.step import TaskRequest
from stepwell.engine import codec
from stepwell.engine.advance import advance
from stepwell.engine.calls import Calls
from stepwell.engine.decisions import Decision, ScheduleTask
from stepwell.engine.journal import Append, Key, TaskRow
from stepwell.engine.messages import Continue, Message
from stepwell.engine.state import Execution
from stepwell.kernel.errors import Fenced, StorageError
from stepwell.kernel.jsontext import NULL, Json

if TYPE_CHECKING:
    from stepwell.engine.worker import Worker

RETRY_SECONDS = 0.5
MANY_FAULTS = 3
LONGEST_PAUSE = 300.0
log = logging.getLogger(__name__)

Answer = asyncio.Future[bool]


class Letter(NamedTuple):
    message: Message
    answer: Answer | None


class Actor:
    """See above. ``execution`` is None while it is not loaded."""

    __slots__ = ("_driver", "_mailbox", "_worker", "calls", "execution", "faults", "held", "key", "runnable")

    def __init__(self, worker: Worker, key: Key) -> None:
        self._worker = worker
        self._mailbox: list[Letter] = []
        self._driver: asyncio.Task[None] | None = None
        self.key = key
        self.execution: Execution | None = None
        self.calls = Calls()
        self.runnable = False
        self.held = False  # being started: messages wait
        self.faults = 0

    @property
    def idle(self) -> bool:
        """Nothing is going on here that needs it in memory."""
        return self._driver is None and not self._mailbox and not self.held and not len(self.calls)

    def post(self, message: Message, answer: Answer | None = None) -> None:
        self._mailbox.append(Letter(message, answer))
        self.kick()

    def kick(self) -> None:
        """See to it that the loop runs."""
        if self._driver is None and not self.held:
            self._driver = asyncio.ensure_future(self._drive())

    async def settle(self) -> None:
        """Until nothing is left to do here but wait."""
        while self._driver is not None or len(self.calls):
            if self._driver is not None:
                await asyncio.wait([self._driver])
            await self.calls.settle()

    def forget(self) -> None:
        """Drop everything: the execution is another worker's now."""
        self.execution = None
        self.runnable = False
        for letter in self._mailbox:
            if letter.answer is not None and not letter.answer.done():
                letter.answer.set_exception(Fenced("the execution is owned by another server now; try again"))
        self._mailbox.clear()

    # ------------------------------------------------------------------ the loop
    async def _drive(self) -> None:
        try:
            look = True
            while self._mailbox or self.runnable or (look and self.execution is None):
                look = False
                taken, self._mailbox = self._mailbox, []
                try:
                    await self._decide(taken)
                except Fenced as error:
                    self._refuse(taken, error)
                    self._worker.lost(self)
                    return
                except StorageError as error:
                    await self._storage_failed(taken, error)
                    look = True  # what was written, if anything, may have work to do
                if self.runnable:
                    await asyncio.sleep(0)
        finally:
            self._driver = None
            self._worker.rested(self)

    async def _decide(self, taken: list[Letter]) -> None:
        execution = self.execution or await self._load()
        if execution is None:
            _answer(taken, [False] * len(taken))
            return
        messages = [letter.message for letter in taken]
        if self.runnable:
            messages.insert(0, Continue())
        try:
            decision, counted = advance(execution, messages, self._worker.env())
        except Exception as error:
            await self._park(taken, error)
            return
        if self.runnable:
            counted = counted[1:]
        self.runnable = decision.runnable
        if not decision.empty:
            append = codec.to_append(execution, decision, outbox=self._worker.outbox(execution, decision))
            await self._worker.journal.append(append)
            self.committed(decision, append)
        _answer(taken, counted)
        if self.faults:
            self.faults = 0
            await self._worker.journal.park(self.key, None, 0, None)

    def committed(self, decision: Decision, append: Append) -> None:
        """The decision is durable: now it may be seen."""
        execution = self.execution
        assert execution is not None
        execution.seq += 1
        for event in append.tasks_done:
            execution.tasks.pop(event, None)
        for row in append.tasks:
            execution.tasks[row.event] = row
        if decision.closed:
            execution.tasks.clear()
            self.calls.abandon_all()
        for event in decision.tasks_done:
            self.calls.abandon(event)
        self._worker.dispatch(self, execution, decision)

    # ------------------------------------------------------------------ loading
    async def _load(self) -> Execution | None:
        worker = self._worker
        stored = await worker.journal.load(self.key)
        if stored is None or stored.row.status != "RUNNING":
            return None
        row = stored.row
        machine = await worker.machines.get(row.definition)
        numbers = sorted(codec.referenced_payloads(stored))
        payloads = await worker.journal.payloads(self.key, numbers) if numbers else {}
        self.faults = row.faults
        self.execution = execution = codec.from_stored(stored, machine, payloads)
        self.runnable = row.runnable
        if row.seq == 0:
            self._mailbox.insert(0, worker.start_letter())
            self.runnable = False
        resolve = codec.resolver(row, payloads)
        for task in stored.tasks:
            if task.kind == "call" and task.event not in self.calls:
                worker.call(self, execution, _scheduled(task, resolve))
        for timer in stored.timers:
            worker.timers.add(self.key, timer.frame, timer.kind, timer.due)
        return execution

    # ------------------------------------------------------------------ when things go wrong
    async def _storage_failed(self, taken: list[Letter], error: StorageError) -> None:
        """Callers are told; what nobody waits for is tried again after a pause, on the execution as it is stored."""
        self.execution = None
        self.runnable = False
        self._refuse(taken, error)
        kept = [letter for letter in taken if letter.answer is None]
        self._mailbox[:0] = kept
        log.warning("execution %s: %s", self.key.id.hex(), error)
        await self._worker.pause(RETRY_SECONDS)

    @staticmethod
    def _refuse(taken: list[Letter], error: StorageError) -> None:
        for letter in taken:
            if letter.answer is not None and not letter.answer.done():
                letter.answer.set_exception(error)

    async def _park(self, taken: list[Letter], error: Exception) -> None:
        """``advance`` raised: our bug. The execution stays RUNNING and is tried again later, ever more rarely."""
        log.exception("execution %s cannot go on and is parked", self.key.id.hex(), exc_info=error)
        self.execution = None
        self.runnable = False
        self.faults += 1
        for letter in taken:
            if letter.answer is not None and not letter.answer.done():
                letter.answer.set_exception(error)
        pause = min(LONGEST_PAUSE, 2.0**self.faults)
        fault = f"{type(error).__name__}: {error}"
        await self._worker.journal.park(self.key, fault, self.faults, self._worker.clock.now() + pause)


def _scheduled(row: TaskRow, resolve: codec.Resolve) -> ScheduleTask:
    """The task of a row, to be called again."""
    state, attempt, token, timeout, parameters, credentials = orjson.loads(row.body)
    request = TaskRequest(
        resource=parse_resource(row.resource),
        parameters=resolve(parameters) or NULL,
        timeout=timeout,
        credentials=None if credentials is None else Json(text=credentials),
    )
    return ScheduleTask(frame=row.frame, event=row.event, state=state, attempt=attempt, request=request, token=token)


def _answer(taken: list[Letter], counted: list[bool]) -> None:
    for letter, did in zip(taken, counted, strict=True):
        if letter.answer is not None and not letter.answer.done():
            letter.answer.set_result(did)
