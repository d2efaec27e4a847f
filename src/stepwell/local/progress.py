"""A run at a terminal: in real time (or not), told event by event. ``stepwell run`` is a face of this."""

from __future__ import annotations

from typing import Any

from stepwell.engine.tasks import TaskRunner
from stepwell.kernel.clock import ManualClock, SystemClock
from stepwell.kernel.ids import Ids, SystemIds
from stepwell.kernel.jsontext import EMPTY_OBJECT
from stepwell.local.answers import Mocks
from stepwell.local.live import drive
from stepwell.local.run import Run
from stepwell.local.session import OnEntry, Session
from stepwell.local.waiting import can_wait
from stepwell.local.workflow import Workflow


async def run_live(
    workflow: Workflow,
    input: Any = EMPTY_OBJECT,  # noqa: A002
    *,
    on_event: OnEntry | None = None,
    skip_waits: bool = False,
    mocks: Mocks | None = None,
    tasks: TaskRunner | None = None,
    name: str | None = None,
    ids: Ids | None = None,
) -> Run:
    """Run to the end by the system's clock, or without waiting for any time (``skip_waits``).

    ``on_event`` is called with each ``history.Entry`` as it happens; it has the state's name, the seconds since the start
    and a short note, and ``str()`` makes one line of it. With ``skip_waits`` the workflow starts now and its clock moves
    only where the run waits, so a slow task never times out. Cancelling abandons the run.

    Raises as ``Workflow.run`` does.
    """
    now = SystemClock()
    clock = ManualClock(now.now()) if skip_waits else now
    session = workflow.session(
        input, mocks=mocks, tasks=tasks, clock=clock, ids=ids or SystemIds(), name=name, on_entry=on_event
    )
    session.start()
    try:
        if isinstance(clock, ManualClock):
            clock.settlers.append(session.settle)
            await drive(session, clock)
        else:
            await _wait(session)
    finally:
        await session.close()
    return Run(session)


async def _wait(session: Session) -> None:
    """Let real time pass until the run is over."""
    await session.settle()
    while not session.over:
        if not can_wait(session.execution):
            raise session.stuck()
        await session.tasks.changed.wait()
        await session.settle()
