"""Redrive: an execution that ended unsuccessfully goes on from where it stood.

Theory of operation
    Frames of an execution that ended without success stay as they were (see ``forks.end_children``). A redrive walks down
    from the top frame: a state that was not left runs again, under the entering it already had; a Parallel or Map takes up
    only those children that did not succeed, no more at once than MaxConcurrency allows, and then starts what it had not
    started. Retries count from 0, timeouts begin anew. All of that is one decision like any other.

    A state that failed because its own data was over the limit has no children any more, so all of it runs again.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html and API_RedriveExecution. Assumed: the
ExecutionRedriven event follows the last event of the attempt before; what goes on follows ExecutionRedriven, without another
StateEntered, ParallelStateStarted or MapIterationStarted. Only Fail enters again: that is the documentation's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepwell.asl.states.fail import FailState
from stepwell.engine.state import TOP, ChildrenWait, Frame
from stepwell.kernel.limits import HISTORY_EVENTS

if TYPE_CHECKING:
    from stepwell.engine.messages import Redrive
    from stepwell.engine.state import Execution
    from stepwell.engine.turn import Turn

TOKENS = 10  # client tokens remembered
TOKEN_SECONDS = 900.0  # and for how long
MOST_EVENTS = HISTORY_EVENTS - 2  # a history longer than that has no room for ExecutionRedriven and an event after it


def redriven_at(tokens: Sequence[tuple[str, float]], token: str, now: float) -> float | None:
    """When a request with this client token redrove the execution; None if none did within 15 minutes."""
    return next((when for known, when in tokens if known == token and now <= when + TOKEN_SECONDS), None)


def redrive(turn: Turn, message: Redrive) -> bool:
    """Handles the message. A repeated one counts and changes nothing.

    False: the execution is not one to redrive, or it ended only in this very decision (the caller looks again then).
    """
    execution = turn.execution
    if redriven_at(execution.redrive_tokens, message.token, turn.now) is not None:
        return True
    if execution.status in {"RUNNING", "SUCCEEDED"} or turn.decision.closed or execution.last_event > MOST_EVENTS:
        return False
    _reopen(execution, message.token, turn.now)
    turn.decision.reopened = True
    event = turn.note("ExecutionRedriven", {"redriveCount": execution.redrives}, execution.last_event)
    if execution.deadline is not None:
        turn.decision.start_timer(0, "execution", execution.deadline)
    _take_up(turn, execution.frames[TOP], event)
    return True


def _reopen(execution: Execution, token: str, now: float) -> None:
    execution.status = "RUNNING"
    execution.error = execution.cause = execution.stopped = None
    execution.redrives += 1
    execution.redriven = now
    fresh = [(known, when) for known, when in execution.redrive_tokens if now <= when + TOKEN_SECONDS]
    execution.redrive_tokens = [*fresh, (token, now)][-TOKENS:]


def take_up_next(turn: Turn, frame: Frame, waiting: ChildrenWait) -> None:
    """Let the next child that a redrive has to go on with do so; called while there is one and room for it."""
    frames = turn.execution.frames
    child = next(frames[number] for number in frame.children if frames[number].ready == "redrive")
    waiting.pending -= 1
    waiting.running += 1
    turn.ready(frame, "iterate")  # below the child on the agenda: the child runs first, then the next one
    _take_up(turn, child, child.last)


def _take_up(turn: Turn, frame: Frame, event: int) -> None:
    """Go on in a frame that did not end in success. ``event`` is what its next event follows."""
    turn.touch(frame)
    frame.last = event
    frame.retries, frame.attempts = [], 0
    frame.failed = None
    if frame.children and isinstance(frame.waiting, ChildrenWait):
        _take_up_children(turn, frame, frame.waiting, event)
        return
    frame.waiting = None
    entered = frame.entered and frame.ready != "enter" and not isinstance(turn.state_of(frame), FailState)
    turn.ready(frame, "again" if entered else "enter")


def _take_up_children(turn: Turn, frame: Frame, waiting: ChildrenWait, event: int) -> None:
    waiting.running = waiting.failed = waiting.pending = 0
    for number in frame.children:
        child = turn.execution.frames[number]
        if child.output is not None:
            continue
        if child.ready == "enter":
            child.entered = 0
        child.ready, child.failed, child.last = "redrive", None, event
        waiting.pending += 1
        turn.touch(child)
    turn.ready(frame, "iterate")
