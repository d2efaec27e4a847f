"""A run that is steered: move its clock, send results of tasks, look at what it waits for."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from stepwell.engine.messages import Failed, Heartbeat, Stop, Succeeded
from stepwell.engine.state import Frame, TaskWait
from stepwell.engine.tasks import TaskFailed, TaskOutcome, TaskSucceeded
from stepwell.kernel.clock import ManualClock
from stepwell.local.answers import as_json
from stepwell.local.run import Run
from stepwell.local.session import Session
from stepwell.local.waiting import Waiting, task_frames, waiting


class LiveRun(Run):
    """Made by ``Workflow.start``; use it in ``async with``. Each method returns when the run is quiet or over.

    Every method raises what a mock raised, and MockError. The run is abandoned at the end of the block.
    """

    def __init__(self, session: Session, clock: ManualClock) -> None:
        super().__init__(session)
        self._clock = clock

    async def __aenter__(self) -> Self:
        self._session.start()
        self._clock.settlers.append(self._session.settle)
        try:
            await self._session.settle()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        self._clock.settlers.remove(self._session.settle)
        await self._session.close()

    # ------------------------------------------------------------------ looking
    @property
    def waiting(self) -> list[Waiting]:
        """What each position of the run waits for; ``str()`` of one says it in words."""
        return waiting(self._session.execution) if self.status == "RUNNING" else []

    # ------------------------------------------------------------------ steering
    async def advance(self, seconds: float) -> Self:
        """Move the clock on; what falls due happens in order."""
        if not seconds >= 0:
            raise ValueError(f"time does not go back: advance({seconds!r})")
        await self._clock.advance(seconds)
        return self

    async def finish(self) -> Self:
        """Move the clock on as far as it takes. Raises StuckError if that does not end the run."""
        await drive(self._session, self._clock)
        return self

    async def send_task_success(self, task: str, output: Any = None) -> Self:
        """The result of a task that waits: ``task`` is its state's name (the oldest call, if several) or its token.

        Raises LookupError if no such task waits, ValueError if the output is not JSON.
        """
        document = as_json(output, "the output")
        frame, wait = self._waiting_task(task)
        if not self._answered(wait, TaskSucceeded(output=document)):
            await self._session.tell(Succeeded(frame.id, wait.event, document, callback=True))
        await self._session.settle()
        return self

    async def send_task_failure(self, task: str, error: str | None = None, cause: str | None = None) -> Self:
        """The failure of a task that waits; see ``send_task_success``."""
        frame, wait = self._waiting_task(task)
        if not self._answered(wait, TaskFailed(error=error, cause=cause)):
            await self._session.tell(Failed(frame.id, wait.event, error, cause, callback=True))
        await self._session.settle()
        return self

    async def send_task_heartbeat(self, task: str) -> Self:
        """A sign of life of a task that waits; see ``send_task_success``."""
        frame, wait = self._waiting_task(task)
        await self._session.tell(Heartbeat(frame.id, wait.event))
        await self._session.settle()
        return self

    async def stop(self, error: str | None = None, cause: str | None = None) -> Self:
        """StopExecution; nothing happens if the run is over."""
        await self._session.tell(Stop(error, cause))
        await self._session.settle()
        return self

    # ------------------------------------------------------------------ inside
    def _waiting_task(self, task: str) -> tuple[Frame, TaskWait]:
        execution = self._session.execution
        frames = list(task_frames(execution)) if self.status == "RUNNING" else []
        token = self._session.tokens.read(task)
        for frame, wait in frames:
            if frame.state == task:
                return frame, wait
            if (
                token is not None
                and token.key == execution.key
                and (token.event, token.nonce) == (wait.event, wait.nonce)
            ):
                return frame, wait
        found = "; ".join(map(str, self.waiting)) or f"nothing: it is {self.status}"
        raise LookupError(f"no task {task!r} waits for a result; the run waits for {found}")

    def _answered(self, wait: TaskWait, outcome: TaskOutcome) -> bool:
        """Give the outcome to the call itself, if it is the call that is held."""
        call = self._session.tasks.held.get(self._session.execution.task_key(wait.event))
        if call is None or wait.activity:
            return False
        if not call.done():
            call.set_result(outcome)
        return True


async def drive(session: Session, clock: ManualClock) -> None:
    """Run to the end, skipping all time. Raises StuckError if time alone does not end it."""
    await session.settle()
    while not session.over:
        due = clock.next_due()
        if due is None:
            raise session.stuck()
        await clock.advance(_until(clock.now(), due))


def _until(now: float, due: float) -> float:
    """The seconds to ``due``; never so few that rounding stops short of it."""
    seconds = due - now
    while now + seconds < due:
        seconds += due - (now + seconds)
    return seconds
