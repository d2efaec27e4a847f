"""A state's failure: Retry, then Catch, then the way up to the parent or the end of the execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.asl.matching import DATA_LIMIT_EXCEEDED, Failure, matches
from stepwell.asl.states import State
from stepwell.engine import forks
from stepwell.engine.state import Frame, TimerWait
from stepwell.kernel.jsontext import Json

if TYPE_CHECKING:
    from stepwell.engine.turn import Turn

FORKS = frozenset({"Parallel", "Map"})
RETRYABLE = frozenset({"Task", "Parallel", "Map"})  # state types that may have Retry and Catch


def handle(turn: Turn, frame: Frame, failure: Failure, *, ended: str | None = None) -> None:
    """A state has failed.

    ``ended`` is the event that ends a Parallel or Map which does not try again. A failure while such a state evaluates its
    own fields ends its children too.
    """
    state = turn.state_of(frame)
    if ended is None and (frame.children or (failure.evaluation and state.type in FORKS)):
        forks.end_children(turn, frame)
        if failure.error == DATA_LIMIT_EXCEEDED:  # a redrive runs all of the state again (see ``redrive``)
            forks.drop_children(turn, frame)
        ended = f"{state.type}StateFailed"
    frame.plan = None
    turn.touch(frame)
    turn.failing(failure)
    if _retry(turn, frame, state, failure):
        return
    if ended is not None:
        turn.emit(frame, ended)
    if not _catch(turn, frame, state, failure):
        leave_failed(turn, frame, failure)


def _retry(turn: Turn, frame: Frame, state: State, failure: Failure) -> bool:
    for number, retrier in enumerate(state.retry):
        if not matches(retrier.errors, failure):
            continue
        if not frame.retries:
            frame.retries = [0] * len(state.retry)
        used = frame.retries[number]
        if used >= retrier.attempts:
            return False
        frame.retries[number] += 1
        frame.attempts += 1
        forks.drop_children(turn, frame)
        due = turn.now + retrier.delay(used, turn.ids)
        frame.waiting = TimerWait("retry", due)
        turn.decision.start_timer(frame.id, "retry", due)
        return True
    return False


def _catch(turn: Turn, frame: Frame, state: State, failure: Failure) -> bool:
    catcher = next((catcher for catcher in state.catch if matches(catcher.errors, failure)), None)
    if catcher is None:
        return False
    forks.drop_children(turn, frame)
    turn.work_on(frame)
    error = Json({"Error": failure.error or "", "Cause": failure.cause or ""})  # recorded: test_invoke_timeout
    flow = catcher.flow

    def leave() -> None:
        assigned = None if flow.assign is None else flow.assign(frame.input, error, turn)
        turn.exit(flow.output(frame.input, error, turn), catcher.next, assigned)

    turn.guarded(frame, leave, leave_failed)
    return True


def leave_failed(turn: Turn, frame: Frame, failure: Failure) -> None:
    """Nobody in this frame handles the failure: it is the parent's, or the execution's. Children stay for a redrive."""
    if not frame.children:
        frame.waiting = None
    if frame.parent is not None:
        forks.child_failed(turn, frame, failure)
    else:
        turn.close("FAILED", error=failure.error, cause=failure.cause, previous=frame.last)
