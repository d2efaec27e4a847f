"""The durable worker: runs the Standard executions of the partitions this server owns.

Who wants something of an execution posts a message to it; the execution is loaded if need be, decides, and the answer comes
after the decision is durable. Executions that only wait are dropped from memory, the least recently used first. Recovery is the
ordinary path: whatever has something to do is loaded and goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable
from typing import Protocol

from stepwell.engine import codec, status
from stepwell.engine.activities import ActivityDesk
from stepwell.engine.actor import Actor
from stepwell.engine.advance import advance
from stepwell.engine.calls import Calls, Slot, call_of, perform
from stepwell.engine.decisions import Decision, ScheduleTask
from stepwell.engine.execution_log import EventLog
from stepwell.engine.journal import ExecutionRow, Journal, Key, TimerKind
from stepwell.engine.machines import Machines
from stepwell.engine.messages import Message, Start, TaskTimedOut, TimerFired
from stepwell.engine.state import Execution
from stepwell.engine.tasks import TaskRunner
from stepwell.engine.timers import HORIZON, NearTimers
from stepwell.engine.tokens import Tokens
from stepwell.engine.turn import Env
from stepwell.kernel.clock import Clock, wait_until
from stepwell.kernel.errors import ServiceError, StorageError, StorageUnavailable
from stepwell.kernel.ids import Ids

LOADED = 1_000  # idle executions kept in memory
BUSY = 20_000  # executions at work at once; more are refused
CALLS = 1_000  # task calls in flight at once; more wait
SCAN = 1_000  # rows read at a time when looking for work
TIMERS = 20_000  # near ones held at a time
SCAN_PAUSE = 1.0  # seconds between two looks while more are due
AT_ONCE = 100  # executions taken up before the event loop may turn to others
log = logging.getLogger(__name__)


class Ownership(Protocol):
    """Which partitions are this server's, and whether it may act on them now."""

    def owns(self, pid: int) -> bool: ...

    def certain(self) -> bool:
        """Whether what is in memory counts: False while the lease is nearly over, so that another server may be ahead."""
        ...

    async def may_act(self) -> None:
        """Returns once side effects may be started: at once, unless the lease is nearly over."""
        ...


class Peers(Protocol):
    """The other servers on the same database."""

    async def deliver(self, key: Key, message: Message) -> bool:
        """Have the owner of the key's partition take in a message; whether it counted."""
        ...

    async def wake(self, key: Key) -> None:
        """Tell the owner that an execution has something to do."""
        ...


class Sole:
    """Ownership of everything, for ever: the only server there is."""

    def owns(self, pid: int) -> bool:
        return pid >= 0

    def certain(self) -> bool:
        return True

    async def may_act(self) -> None:
        return None


class Worker:
    """See above. ``start_up`` before use, ``shut_down`` at the end."""

    def __init__(
        self,
        journal: Journal,
        machines: Machines,
        runner: TaskRunner,
        clock: Clock,
        ids: Ids,
        tokens: Tokens,
        *,
        ownership: Ownership | None = None,
        peers: Peers | None = None,
        loaded: int = LOADED,
        events: EventLog | None = None,
    ) -> None:
        self.journal = journal
        self.machines = machines
        self.clock = clock
        self.tokens = tokens
        self.status = status.StatusPort(journal)
        self.timers = NearTimers(clock, self._ring)
        self.activities = ActivityDesk(self)
        self.ownership = ownership or Sole()
        self.peers = peers
        self._runner = runner
        self._ids = ids
        self._loaded = loaded
        self._events = events
        self._actors: OrderedDict[Key, Actor] = OrderedDict()
        self._resting: OrderedDict[Key, Actor] = OrderedDict()
        self.counts: Counter[str] = Counter()  # status changes of this server since it started
        self._closing: defaultdict[str, list[asyncio.Future[None]]] = defaultdict(list)
        self._slots = asyncio.Semaphore(CALLS)
        self._strays: list[Calls] = []  # of executions that other servers took over
        self.probation = asyncio.Lock()  # whoever failed before is advanced alone
        self.stopping = False

    # ------------------------------------------------------------------ what others ask
    async def start(self, execution: Execution) -> ExecutionRow | None:
        """Start an execution durably, its first decision included. Returns the row that has the ARN, if one has.

        Raises ServiceError (ThrottlingException) when too many executions are at work, StorageError.
        """
        if len(self._actors) - len(self._resting) >= BUSY:
            raise ServiceError("ThrottlingException", "Rate exceeded", status=400)
        if not self.ownership.owns(execution.key.pid) or self.stopping:
            return await self._start_elsewhere(execution)
        return await asyncio.shield(self._start_here(execution))  # once it may be written it is seen through

    async def _start_here(self, execution: Execution) -> ExecutionRow | None:
        new = codec.to_new(execution)
        decision, _ = advance(execution, [Start()], self.env())
        append = codec.to_append(execution, decision, outbox=self.outbox(execution, decision))
        actor = Actor(self, execution.key)
        actor.held = True
        self._actors[execution.key] = actor
        try:
            taken = await self.journal.start(new, append)
        except StorageUnavailable:  # it may be there: then it goes on, though its caller was told to try again
            actor.held = False
            actor.kick()
            raise
        except BaseException:
            self.lost(actor)
            raise
        actor.held = False
        if taken is not None:
            self.lost(actor)
            return taken
        if not actor.gone:
            actor.execution = execution
            actor.runnable = decision.runnable
            actor.committed(execution, decision, append)
            actor.go_on()
        return None

    async def _start_elsewhere(self, execution: Execution) -> ExecutionRow | None:
        taken = await self.journal.start(codec.to_new(execution), None)
        if taken is None and self.peers is not None:
            await self.peers.wake(execution.key)
        return taken

    async def tell(self, key: Key, message: Message) -> bool:
        """Post a message and wait until its effect is durable; whether it counted. Raises StorageError."""
        if not self.ownership.owns(key.pid) and self.peers is not None:
            return await self.peers.deliver(key, message)
        if not self.ownership.certain():
            raise StorageUnavailable(
                "this server has not heard from the database for so long that another may be ahead"
            )
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._actor(key).post(message, answer)
        return await answer

    async def wait_closed(self, arn: str, seconds: float) -> None:
        """Until an execution of this server ends, or for so many seconds."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing[arn].append(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            waiting = self._closing[arn]
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                del self._closing[arn]

    def wake(self, key: Key, *, suspect: bool = False) -> None:
        """The execution may have something to do: look. ``suspect``: its last owner may have died of it."""
        actor = self._actors.get(key)
        if self.ownership.owns(key.pid) and (actor is None or actor.execution is None):
            actor = self._actor(key)
            actor.record.suspect |= suspect
            actor.kick()

    def execution(self, key: Key) -> Execution | None:
        """The execution, if it is in memory."""
        actor = self._actors.get(key)
        return None if actor is None else actor.execution

    @property
    def loaded(self) -> int:
        return len(self._actors)

    # ------------------------------------------------------------------ life
    async def recover(self, pids: Iterable[int] | None = None) -> None:
        """Take up everything that has something to do in owned partitions.

        ``pids`` are those just gained: what was at work there may have been what their last owner died of.
        """
        gained = frozenset(pids or ())
        after: Key | None = None
        while keys := await self.journal.runnable(after, AT_ONCE):
            for key in keys:
                self.wake(key, suspect=key.pid in gained)
            after = keys[-1]
            await asyncio.sleep(0)
        await self.scan_timers(gained)
        await self.retry_parked()
        self.status.nudge()

    async def scan_timers(self, gained: Collection[int] = ()) -> None:
        """Bring near timers into the heap; to be called more often than every ``HORIZON`` seconds."""
        while True:
            now = self.clock.now()
            found = await self.journal.due(now + HORIZON, TIMERS)
            for timer in found:
                if timer.key.pid in gained and timer.due <= now:
                    self._actor(timer.key).record.suspect = True  # it rings at once
                self.timers.add(timer.key, timer.frame, timer.kind, timer.due)
            if len(found) < TIMERS:
                return
            await self.pause(max(SCAN_PAUSE, found[-1].due - now))  # more are due than are held at a time

    async def retry_parked(self) -> None:
        for row in await self.journal.parked(SCAN):
            if row.retry_at is None or row.retry_at <= self.clock.now():
                self.wake(row.key)

    async def shut_down(self, seconds: float) -> None:
        """Finish what is in flight, for so many seconds; the rest goes on when the server is back."""
        self.stopping = True
        self.timers.clear()
        self.activities.close()
        busy = [asyncio.ensure_future(actor.settle()) for actor in self._actors.values() if actor.working]
        if busy:
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
        await asyncio.gather(*(actor.stop() for actor in list(self._actors.values()) if actor.working))
        for calls in self._strays:
            calls.suspend()
        await self.status.close()

    async def settle(self) -> None:
        """Until no execution has anything left to do but wait (for tests with a manual clock)."""
        while busy := [actor for actor in self._actors.values() if actor.working]:
            for actor in busy:
                await actor.settle()

    def release(self, pids: Iterable[int]) -> None:
        """These partitions are another server's now."""
        gone = set(pids)
        self._strays = [calls for calls in self._strays if len(calls)]
        for actor in [actor for key, actor in self._actors.items() if key.pid in gone]:
            self._strays.append(actor.calls)
            self.lost(actor)

    # ------------------------------------------------------------------ what actors ask
    def env(self) -> Env:
        return Env(now=round(self.clock.now(), 3), ids=self._ids, tokens=self.tokens, stopwatch=time.perf_counter)

    def outbox(self, execution: Execution, decision: Decision) -> str | None:
        """The status change a decision makes, if somebody wants to know."""
        if not self.status.active:
            return None
        started = decision.reopened or (bool(decision.events) and decision.events[0][0] == 1)
        if not started and not decision.closed:
            return None
        return status.changes(execution, started=started, ended=decision.closed)

    def dispatch(self, actor: Actor, execution: Execution, decision: Decision) -> None:
        """A decision is durable: log it, call its tasks, set its timers, tell who waits."""
        key = actor.key
        if self._events is not None and execution.log is not None:
            self._events.take(execution, decision.events)
        for frame, kind in decision.timers_done:
            self.timers.remove(key, frame, kind)
        for (frame, kind), due in decision.timers.items():
            self.timers.add(key, frame, kind, due)
        for task in decision.tasks.values():
            if task.request.resource.kind == "activity":
                self.activities.offer(str(task.request.resource.arn), key, task.frame, task.event)
            else:
                self.call(actor, execution, task)
        if decision.events and decision.events[0][0] == 1:
            self.counts["RUNNING"] += 1
        if decision.closed:
            self.counts[execution.status] += 1
            for future in self._closing.get(execution.arn, ()):
                if not future.done():
                    future.set_result(None)
        if self.status.active:
            self.status.nudge()

    def call(self, actor: Actor, execution: Execution, task: ScheduleTask) -> None:
        """Have a task called, now or when there is room."""
        call = call_of(execution, task)

        async def work() -> None:
            # A job that was accepted is waited for without a slot: it may be an execution whose tasks need one.
            async with Slot(self._slots) as slot:

                async def deliver(message: Message) -> None:
                    slot.leave()
                    await self._deliver(actor.key, message)

                await self.ownership.may_act()
                if self.ownership.owns(actor.key.pid) and not actor.gone:
                    await perform(self._runner, call, task.frame, task.event, deliver, self.clock)

        if not self.stopping:  # else it is called when the server is back
            actor.calls.start(task.event, work(), lambda: self.rested(actor))

    async def _deliver(self, key: Key, message: Message) -> None:
        """A task's outcome; after a takeover it goes to the new owner, which else calls the task again."""
        if self.ownership.owns(key.pid):
            self._actor(key).post(message)
        elif self.peers is not None:
            try:
                await self.peers.deliver(key, message)
            except StorageError as error:
                log.warning("a result for execution %s is lost with its old owner: %s", key.id.hex(), error)

    def rested(self, actor: Actor) -> None:
        """The actor has nothing to do; the least recently used ones leave the memory."""
        if not actor.idle or self._actors.get(actor.key) is not actor:
            return
        execution = actor.execution
        if execution is None or execution.status != "RUNNING":
            self._remove(actor)
            return
        self._resting[actor.key] = actor
        self._resting.move_to_end(actor.key)
        while len(self._resting) > self._loaded:
            key, old = self._resting.popitem(last=False)
            if old.idle:
                self._actors.pop(key, None)

    def lost(self, actor: Actor) -> None:
        """The execution is not this actor's, or not any more."""
        actor.forget()
        self._remove(actor)

    async def pause(self, seconds: float) -> None:
        """Wait on this server's clock."""
        await wait_until(self.clock, self.clock.now() + seconds)

    # ------------------------------------------------------------------ inside
    def _actor(self, key: Key) -> Actor:
        actor = self._actors.get(key)
        if actor is None:
            actor = self._actors[key] = Actor(self, key)
        self._resting.pop(key, None)
        return actor

    def _remove(self, actor: Actor) -> None:
        if self._actors.get(actor.key) is actor:
            del self._actors[actor.key]
            self._resting.pop(actor.key, None)

    def _ring(self, key: Key, frame: int, kind: TimerKind, due: float) -> None:
        if self.stopping or not self.ownership.owns(key.pid):
            return
        task = kind in {"timeout", "heartbeat"}
        self._actor(key).post(TaskTimedOut(frame, kind, due) if task else TimerFired(frame, kind, due))
