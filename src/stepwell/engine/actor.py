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
from stepwell.engine.journal import Append, Key, Stored, TaskRow
from stepwell.engine.messages import Continue, Failed, Message, Redrive, Start, Submitted, Succeeded
from stepwell.engine.parking import DIED, Record
from stepwell.engine.references import Resolve, resolver
from stepwell.engine.state import Execution
from stepwell.kernel.errors import CheckFailed, Fenced, StorageError, StorageUnavailable
from stepwell.kernel.jsontext import NULL, Json

if TYPE_CHECKING:
    from stepwell.engine.worker import Worker

RETRY_SECONDS = 0.5
STOP_SECONDS = 2.0  # for calls and commits to end when the server stops
log = logging.getLogger(__name__)

Answer = asyncio.Future[bool]
RESULTS = (Submitted, Succeeded, Failed)


class Letter(NamedTuple):
    message: Message
    answer: Answer | None


class Actor:
    """See above. ``execution`` is None while it is not loaded."""

    __slots__ = ("_driver", "_mailbox", "_worker", "calls", "execution", "gone", "held", "key", "record", "runnable")

    def __init__(self, worker: Worker, key: Key) -> None:
        self._worker = worker
        self._mailbox: list[Letter] = []
        self._driver: asyncio.Task[None] | None = None
        self.key = key
        self.execution: Execution | None = None
        self.calls = Calls()
        self.runnable = False
        self.held = False  # being started: messages wait
        self.gone = False  # the execution is another actor's or server's now
        self.record = Record()

    @property
    def idle(self) -> bool:
        """Nothing is going on here that needs it in memory."""
        return self._driver is None and not self._mailbox and not self.held and not len(self.calls)

    @property
    def working(self) -> bool:
        """Something is under way that will end by itself."""
        return self._driver is not None or len(self.calls) > 0

    def post(self, message: Message, answer: Answer | None = None) -> None:
        self._mailbox.append(Letter(message, answer))
        self.kick()

    def kick(self) -> None:
        """See to it that the loop runs."""
        if self._driver is None and not self.held and not self.gone:
            self._driver = asyncio.ensure_future(self._drive())

    def go_on(self) -> None:
        """Work if there is something to do, else rest."""
        if self._mailbox or self.runnable:
            self.kick()
        else:
            self._worker.rested(self)

    async def settle(self) -> None:
        """Until nothing is left to do here but wait."""
        while self.working:
            if self._driver is not None:
                await asyncio.wait([self._driver])
            await self.calls.settle()

    def forget(self) -> None:
        """Drop everything: the execution is another worker's now. What is being written has its outcome still."""
        self.gone = True
        self.execution = None
        self.runnable = False
        _refuse(self._mailbox, Fenced("the execution is owned by another server now; try again"))
        self._mailbox.clear()

    async def stop(self) -> None:
        """The server stops: end the loop and the calls where they are. The next start goes on from what is stored."""
        self.gone = True
        ending: list[asyncio.Task[None]] = self.calls.suspend()
        if self._driver is not None:
            self._driver.cancel()
            ending.append(self._driver)
        if ending:
            await asyncio.wait(ending, timeout=STOP_SECONDS)
        _refuse(self._mailbox, StorageUnavailable("the server is stopping; try again"))
        self._mailbox.clear()

    # ------------------------------------------------------------------ the loop
    async def _drive(self) -> None:
        try:
            look = True
            while self._has_work(look):
                look = await self._step(self._take())
                if self.runnable:
                    await asyncio.sleep(0)
        finally:
            self._driver = None
            self._worker.rested(self)

    def _has_work(self, look: bool) -> bool:
        if self.gone:
            return False
        if self._resting:
            return any(letter.answer is not None for letter in self._mailbox)
        runnable = self.runnable and not self._worker.stopping
        return bool(self._mailbox) or runnable or (look and self.execution is None)

    @property
    def _resting(self) -> bool:
        return self.record.rests(self._worker.clock.now())

    def _take(self) -> list[Letter]:
        """All letters; of a parked execution those that somebody waits for."""
        taken, self._mailbox = self._mailbox, []
        if self._resting:
            self._keep_results(taken)
            taken = [letter for letter in taken if letter.answer is not None]
        return taken

    def _keep_results(self, letters: list[Letter]) -> None:
        """Results are not to be asked for again; everything else that nobody waits for comes back with loading."""
        self._mailbox[:0] = [o for o in letters if o.answer is None and isinstance(o.message, RESULTS)]

    async def _step(self, taken: list[Letter]) -> bool:
        """One decision, whatever becomes of it. True: the execution is to be looked at again."""
        try:
            return await self._decide(taken)
        except Fenced as error:
            _refuse(taken, error)
            self._worker.lost(self)
        except (StorageUnavailable, CheckFailed) as error:
            await self._storage_failed(taken, error)
            return True  # what was written, if anything, may have work to do
        except Exception as error:  # our bug, or a decision that the database refuses
            log.exception("execution %s cannot go on and is parked", self.key.id.hex())
            await self._park(taken, f"{type(error).__name__}: {error}", error)
        except asyncio.CancelledError:
            _refuse(taken, StorageUnavailable("the server is stopping; the outcome is unknown"))
            raise
        return False

    async def _decide(self, taken: list[Letter]) -> bool:
        if self.execution is not None:
            await self._advance(self.execution, taken)
            return False
        stored = await self._worker.journal.load(self.key)
        if stored is None or (stored.row.status != "RUNNING" and not _redriven(taken)):
            _answer(taken, [False] * len(taken))
            return False
        self.record.read(stored.row)
        if self._resting:
            return await self._decide_resting(stored, taken)
        if not self.record.watched:
            await self._advance(await self._load(stored, taken), taken)
        elif self.record.faults == 0:
            await self._attempt(stored, taken)
        else:
            async with self._worker.probation:
                await self._attempt(stored, taken)
        return False

    async def _decide_resting(self, stored: Stored, taken: list[Letter]) -> bool:
        """A parked execution: hear whoever waits for an answer, and call nothing. A decision sets it free."""
        heard = [letter for letter in taken if letter.answer is not None]
        if not heard or len(heard) < len(taken):  # that it is parked was not known before it was read
            self._keep_results(taken)
            self._mailbox += heard
            return True
        execution, _ = await self._restore(stored)
        return await self._advance(execution, heard)

    async def _attempt(self, stored: Stored, taken: list[Letter]) -> None:
        """Advance an execution that may have ended the last process, or that failed before."""
        record, now = self.record, self._worker.clock.now()
        if record.condemned:
            log.error("execution %s is parked: %s", self.key.id.hex(), DIED)
            await self._park(taken, DIED, StorageUnavailable(f"the execution is parked: {DIED}"))
            return
        # Should it end the process now, its next owner finds the attempt counted, and leaves a parked one alone.
        await self._worker.journal.park(self.key, record.fault, *record.counting(now))
        record.count()
        wrote = await self._advance(await self._load(stored, taken), taken)
        more = len(self.calls) > 0 or any(timer.due <= now for timer in stored.timers)
        if not wrote and not self.gone and (record.fault in {None, DIED} or not more):
            record.wipe()
            await self._worker.journal.park(self.key, None, 0, None)

    async def _advance(self, execution: Execution, taken: list[Letter]) -> bool:
        """Make the decision, and see it through. True if there was something to write."""
        messages: list[Message] = [letter.message for letter in taken]
        before: Message | None = Continue() if self.runnable else None
        if not execution.last_event:
            before = Start()
        if before is not None:
            messages.insert(0, before)
        decision, counted = advance(execution, messages, self._worker.env())
        if before is not None:
            counted = counted[1:]
        if not decision.empty:
            append = codec.to_append(execution, decision, outbox=self._worker.outbox(execution, decision))
            await self._worker.journal.append(append)
            self.record.wipe()
            if not self.gone:
                self.runnable = decision.runnable
                self.committed(execution, decision, append)
        else:
            self.runnable = decision.runnable
        _answer(taken, counted)
        return not decision.empty

    def committed(self, execution: Execution, decision: Decision, append: Append) -> None:
        """The decision is durable: now it may be seen."""
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
    async def _restore(self, stored: Stored) -> tuple[Execution, Resolve]:
        """The execution as it is stored, without anything being set going."""
        worker = self._worker
        machine = await worker.machines.get(stored.row.definition)
        numbers = sorted(codec.referenced_payloads(stored))
        payloads = await worker.journal.payloads(self.key, numbers) if numbers else {}
        return codec.from_stored(stored, machine, payloads), resolver(stored.row, payloads)

    async def _load(self, stored: Stored, taken: list[Letter]) -> Execution:
        """Take the execution up: its calls, unless they run or their results are in hand, and its timers."""
        worker, row = self._worker, stored.row
        execution, resolve = await self._restore(stored)
        if self.gone:
            raise Fenced("the execution was given up while it was loaded")
        self.execution = execution
        self.runnable = row.runnable and row.seq > 0
        # A callback, which somebody waits for, may come before the call it answers is known to have been made.
        letters = [letter for letter in (*taken, *self._mailbox) if letter.answer is None]
        at_hand = {letter.message.event for letter in letters if isinstance(letter.message, RESULTS)}
        for task in stored.tasks:
            if task.kind == "call" and task.event not in self.calls and task.event not in at_hand:
                worker.call(self, execution, _scheduled(task, resolve))
        for timer in stored.timers:
            worker.timers.add(self.key, timer.frame, timer.kind, timer.due)
        return execution

    # ------------------------------------------------------------------ when things go wrong
    async def _storage_failed(self, taken: list[Letter], error: StorageError) -> None:
        """Callers are told; what nobody waits for is tried again after a pause, on the execution as it is stored."""
        self.execution = None
        self.runnable = False
        _refuse(taken, error)
        if self.gone:
            return
        self._mailbox[:0] = [letter for letter in taken if letter.answer is None]
        log.warning("execution %s: %s", self.key.id.hex(), error)
        await self._worker.pause(RETRY_SECONDS)

    async def _park(self, taken: list[Letter], fault: str, error: Exception) -> None:
        """The execution stays RUNNING and is tried again later, ever more rarely."""
        self.execution = None
        self.runnable = False
        _refuse(taken, error)
        if self.gone:
            return
        self._keep_results(taken)
        record = self.record
        record.park(fault, self._worker.clock.now())
        try:
            await self._worker.journal.park(self.key, fault, record.faults, record.retry_at)
        except StorageError as failed:
            log.warning("execution %s is parked in memory only: %s", self.key.id.hex(), failed)


def _redriven(taken: list[Letter]) -> bool:
    """Somebody asks that an execution which has ended goes on."""
    return any(isinstance(letter.message, Redrive) for letter in taken)


def _scheduled(row: TaskRow, resolve: Resolve) -> ScheduleTask:
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


def _refuse(taken: list[Letter], error: Exception) -> None:
    for letter in taken:
        if letter.answer is not None and not letter.answer.done():
            letter.answer.set_exception(error)
