"""``advance``: the heart. (execution, messages, env) -> Decision, without any I/O.

It changes the execution it is given and says what changed; the caller makes that durable before anything leaves the server, or
throws the execution away and loads it again. The same function serves the durable worker, the Express runner and the library.

A message that no longer fits what its frame waits for changes nothing. Whether a message counted is its answer: callers of
SendTaskSuccess and GetActivityTask need to know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepwell.asl.matching import TIMEOUT
from stepwell.engine import work
from stepwell.engine.association import associated
from stepwell.engine.decisions import Decision
from stepwell.engine.messages import (
    ActivityStarted,
    Continue,
    Failed,
    Heartbeat,
    Message,
    Redrive,
    Start,
    Stop,
    Submitted,
    Succeeded,
    TaskTimedOut,
    TimerFired,
)
from stepwell.engine.redrive import redrive
from stepwell.engine.state import TOP, Execution, Frame, TaskWait, TimerWait
from stepwell.engine.turn import Env, HistoryFull, MakeTurn, Turn


def advance(
    execution: Execution, messages: Sequence[Message], env: Env, make_turn: MakeTurn = Turn
) -> tuple[Decision, list[bool]]:
    """Take in messages in order and run on. Returns the decision and, for each message, whether it counted."""
    turn = make_turn(execution, env)
    counted = []
    for message in messages:
        if execution.status != "RUNNING" and type(message) is not Redrive:
            counted.append(False)
            continue
        did = True
        try:
            did = _HANDLERS[type(message)](turn, message)
            turn.run()
        except HistoryFull:
            turn.history_full()
        counted.append(did)
    return turn.decision, counted


def _start(turn: Turn, _message: Start) -> bool:
    execution = turn.execution
    if execution.last_event:
        return False
    details: dict[str, Any] = {"input": execution.input, "roleArn": execution.role_arn}
    details |= associated(execution.version)
    turn.note("ExecutionStarted", details, 0)
    block = execution.machine.block
    execution.last_frame = TOP
    # The first state's event follows event 0, not ExecutionStarted (recorded throughout).
    frame = Frame(TOP, None, block.pointer, block.start_at, execution.input, 0)
    execution.frames[TOP] = frame
    if execution.deadline is not None:
        turn.decision.start_timer(0, "execution", execution.deadline)
    turn.ready(frame, "enter")
    return True


def _continue(turn: Turn, _message: Continue) -> bool:
    waiting = [frame for frame in turn.execution.frames.values() if frame.ready not in {None, "redrive"}]
    # The agenda is worked off from its end: children first, the oldest first, then parents that may start further ones.
    turn.agenda += sorted(waiting, key=lambda frame: (frame.ready != "iterate", -frame.id))
    return bool(waiting)


def _stop(turn: Turn, message: Stop) -> bool:
    turn.close("ABORTED", error=message.error, cause=message.cause, previous=0)  # recorded: test_stop_execution
    return True


def _timer(turn: Turn, message: TimerFired) -> bool:
    execution = turn.execution
    # The time of a turn is rounded to milliseconds, so it may be a hair before what the ringing clock has seen.
    reached = max(turn.now, message.due)
    if message.kind == "execution":
        if execution.deadline is None or reached < execution.deadline:
            return False
        turn.close("TIMED_OUT", error=TIMEOUT, previous=0)
        return True
    frame = execution.frames.get(message.frame)
    if frame is None or not isinstance(frame.waiting, TimerWait):
        return False
    if frame.waiting.kind != message.kind or reached < frame.waiting.until:
        return False
    turn.decision.stop_timer(frame.id, frame.waiting.kind)
    if message.kind == "retry":
        frame.waiting = None
        turn.ready(frame, "again")
    else:
        turn.resume(frame)
    return True


def _task(handle: Callable[[Turn, Frame, TaskWait, Any], bool]) -> Callable[[Turn, Any], bool]:
    """A message about a task counts only if its frame still waits for that very task."""

    def handler(turn: Turn, message: Any) -> bool:
        frame = turn.execution.frames.get(message.frame)
        if frame is None or not isinstance(frame.waiting, TaskWait):
            return False
        if not isinstance(message, TaskTimedOut) and frame.waiting.event != message.event:
            return False
        if getattr(message, "callback", False) and frame.waiting.outcome is not None:
            return False
        counted = handle(turn, frame, frame.waiting, message)
        if counted and frame.id in turn.execution.frames:
            turn.touch(frame)
        return counted

    return handler


_HANDLERS: dict[type, Callable[[Turn, Any], bool]] = {
    Start: _start,
    Continue: _continue,
    Stop: _stop,
    Redrive: redrive,
    TimerFired: _timer,
    TaskTimedOut: _task(work.timed_out),
    ActivityStarted: _task(work.claimed),
    Submitted: _task(work.submitted),
    Succeeded: _task(work.succeeded),
    Failed: _task(work.failed),
    Heartbeat: _task(work.heartbeat),
}
