"""Executions that live in memory alone: Express workflows, and whatever the library runs.

One ``MemoryRun`` is one execution from Start to its end. On the way of a workflow without tasks and waits there is no task
group, no lock, no copy and no I/O: ``advance`` once, and the answer is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from stepwell.engine.advance import advance
from stepwell.engine.calls import Calls, call_of, perform
from stepwell.engine.decisions import Decision
from stepwell.engine.events import Event
from stepwell.engine.execution_log import EventLog
from stepwell.engine.messages import Continue, Message, Start, Stop, TaskTimedOut, TimerFired
from stepwell.engine.state import Execution
from stepwell.engine.tasks import TaskRunner
from stepwell.engine.tokens import Tokens
from stepwell.engine.turn import Env, MakeTurn, Turn
from stepwell.kernel.clock import Clock, Timer
from stepwell.kernel.ids import Ids

OnEvents = Callable[[Sequence[Event]], None]


class MemoryRun:
    """Runs one execution. ``on_events`` is told of events as they happen; ``events`` is where they are logged."""

    def __init__(
        self,
        execution: Execution,
        runner: TaskRunner,
        clock: Clock,
        ids: Ids,
        *,
        tokens: Tokens | None = None,
        on_events: OnEvents | None = None,
        stopwatch: Callable[[], float] = lambda: 0.0,
        make_turn: MakeTurn = Turn,
        events: EventLog | None = None,
    ) -> None:
        self.execution = execution
        self._runner = runner
        self._clock = clock
        self._ids = ids
        self._tokens = tokens
        self._on_events = on_events
        self._stopwatch = stopwatch
        self._make_turn = make_turn
        self._log = events if execution.log is not None else None
        self._mailbox: list[tuple[Message, asyncio.Future[bool] | None]] = []
        self._news: asyncio.Event | None = None
        self._calls = Calls()
        self._timers: dict[tuple[int, str], Timer] = {}
        self._idle = False

    async def run(self) -> Execution:
        """From Start to the end; cancelling abandons the execution and its tasks."""
        decision = self._advance([Start()])[0]
        if decision.closed:
            return self.execution
        self._news = asyncio.Event()
        try:
            while self.execution.status == "RUNNING":
                self._dispatch(decision)
                if decision.runnable:
                    await asyncio.sleep(0)
                    decision = self._advance([Continue()])[0]
                else:
                    decision = await self._next()
        finally:
            self._give_up()
        return self.execution

    def post(self, message: Message) -> asyncio.Future[bool]:
        """Tell the execution something; the future says whether it counted."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self.execution.status != "RUNNING":
            answer.set_result(False)
        else:
            self._put(message, answer)
        return answer

    def stop(self, error: str | None = None, cause: str | None = None) -> asyncio.Future[bool]:
        return self.post(Stop(error, cause))

    async def settle(self) -> None:
        """Until nothing is left to do but wait for a timer, a token or the end."""
        while self.execution.status == "RUNNING":
            await self._calls.settle()
            if self._idle and not self._mailbox and not len(self._calls):
                return
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ inside
    def _advance(self, messages: Sequence[Message]) -> tuple[Decision, list[bool]]:
        env = Env(now=self._clock.now(), ids=self._ids, tokens=self._tokens, stopwatch=self._stopwatch)
        decision, counted = advance(self.execution, messages, env, self._make_turn)
        if self._on_events is not None and decision.events:
            self._on_events([Event(*event) for event in decision.events])
        if self._log is not None:
            self._log.take(self.execution, decision.events)
        return decision, counted

    async def _next(self) -> Decision:
        assert self._news is not None
        while not self._mailbox:
            self._idle = True
            await self._news.wait()
            self._news.clear()
        self._idle = False
        taken, self._mailbox = self._mailbox, []
        try:
            decision, counted = self._advance([message for message, _ in taken])
        except Exception:
            self._mailbox[:0] = taken  # whoever asked is answered at the end, which is now
            raise
        for (_, answer), did in zip(taken, counted, strict=True):
            if answer is not None and not answer.done():
                answer.set_result(did)
        return decision

    def _put(self, message: Message, answer: asyncio.Future[bool] | None = None) -> None:
        self._mailbox.append((message, answer))
        if self._news is not None:
            self._news.set()

    async def _deliver(self, message: Message) -> None:
        self._put(message)

    def _dispatch(self, decision: Decision) -> None:
        for event in decision.tasks_done:
            self._calls.abandon(event)
        for task in decision.tasks.values():
            call = call_of(self.execution, task)
            work = perform(self._runner, call, task.frame, task.event, self._deliver, self._clock)
            self._calls.start(task.event, work)
        for key in decision.timers_done:
            timer = self._timers.pop(key, None)
            if timer is not None:
                timer.cancel()
        for (frame, kind), due in decision.timers.items():
            old = self._timers.pop((frame, kind), None)
            if old is not None:
                old.cancel()
            self._timers[frame, kind] = self._clock.at(due, self._ring(frame, kind, due))

    def _ring(self, frame: int, kind: str, due: float) -> Callable[[], None]:
        message: Message
        message = TaskTimedOut(frame, kind, due) if kind in {"timeout", "heartbeat"} else TimerFired(frame, kind, due)

        def ring() -> None:
            if self._clock.now() < due:  # event loops fire timers a little early
                self._timers[frame, kind] = self._clock.at(due, ring)
            else:
                self._put(message)

        return ring

    def _give_up(self) -> None:
        self._calls.abandon_all()
        for timer in self._timers.values():
            timer.cancel()
        for _, answer in self._mailbox:
            if answer is not None and not answer.done():
                answer.set_result(False)
        self._mailbox.clear()
