"""Children: the branches of a Parallel and the iterations of a Map.

The parent waits in ``ChildrenWait`` and counts; each child is a frame of its own. A finished child keeps its output on its own
frame until the parent closes, so finishing one child writes that child and the parent's counters, never its siblings.

What follows what (recorded: test_map_state*, test_parallel_state_order): a Map's first iterations follow MapStateStarted, each
later one follows the last state event of the iteration that made room for it. MapStateSucceeded and MapStateExited both follow
the last MapIterationSucceeded, ParallelStateSucceeded and ParallelStateExited both the last branch's last event; after a
failure the parent goes on from the failed child's last state event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepwell.asl.matching import Failure
from stepwell.asl.states.map_ import MapState
from stepwell.asl.step import MapPlan
from stepwell.engine import failures, redrive, work
from stepwell.engine.state import ChildrenWait, Frame, TaskWait, TimerWait
from stepwell.kernel.jsontext import Json

if TYPE_CHECKING:
    from stepwell.asl.model import Block
    from stepwell.engine.turn import Turn

THRESHOLD = Failure(
    error="States.ExceedToleratedFailureThreshold", cause="The specified tolerated failure threshold was exceeded"
)


def fork(turn: Turn, frame: Frame, blocks: Sequence[Block], argument: Json) -> None:
    """Start a Parallel's branches."""
    started = turn.emit(frame, "ParallelStateStarted")
    frame.waiting = ChildrenWait(total=len(blocks), started=len(blocks), running=len(blocks))
    children = [
        _child(turn, frame, block, argument, previous=started, index=index) for index, block in enumerate(blocks)
    ]
    for child in reversed(children):
        turn.ready(child, "enter")


def iterate(turn: Turn, frame: Frame, plan: MapPlan) -> None:
    """Start a Map."""
    started = turn.emit(frame, "MapStateStarted", {"length": len(plan.items)})
    limits = plan.limits()
    frame.waiting = ChildrenWait(
        total=len(plan.items),
        limit=limits.concurrency,
        tolerated_count=limits.tolerated_count,
        tolerated_percentage=limits.tolerated_percentage,
    )
    frame.plan = plan
    if plan.items:
        turn.ready(frame, "iterate")
    else:
        _close(turn, frame, started)


def go_on(turn: Turn, frame: Frame) -> None:
    """Start the next iteration, or take up the next child of a redrive, if there is one and room for it."""
    waiting = frame.waiting
    if not isinstance(waiting, ChildrenWait) or (waiting.limit and waiting.running >= waiting.limit):
        return
    if waiting.pending:
        redrive.take_up_next(turn, frame, waiting)
    elif waiting.started < waiting.total:
        turn.guarded(frame, lambda: _start_iteration(turn, frame, waiting))


def _start_iteration(turn: Turn, frame: Frame, waiting: ChildrenWait) -> None:
    state = turn.work_on(frame)
    assert isinstance(state, MapState)
    assert state.processor is not None
    if frame.plan is None:
        frame.plan = state.plan(turn)
    index = waiting.started
    item = frame.plan.items[index]
    turn.context["Map"] = {"Item": {"Index": index, "Value": item}}
    argument = frame.plan.select(turn, item)
    child = _child(turn, frame, state.processor, argument, previous=frame.last, index=index)
    child.item = Json(item)
    waiting.started += 1
    waiting.running += 1
    turn.emit(child, "MapIterationStarted", {"name": state.name, "index": index})
    turn.ready(frame, "iterate")  # below the child on the agenda: the child runs first, then the next one starts
    turn.ready(child, "enter")


def _child(turn: Turn, frame: Frame, block: Block, argument: Json, *, previous: int, index: int) -> Frame:
    execution = turn.execution
    execution.last_frame += 1
    child = Frame(execution.last_frame, frame.id, block.pointer, block.start_at, argument, previous, index)
    execution.frames[child.id] = child
    frame.children.append(child.id)
    turn.touch(child)
    return child


def child_succeeded(turn: Turn, child: Frame, output: Json) -> None:
    """A branch or iteration has ended in success."""
    frame, waiting = _parent(turn, child)
    child.output = output
    turn.touch(child)
    waiting.running -= 1
    ended = child.last
    state = turn.state_of(frame)
    if isinstance(state, MapState):
        ended = turn.note("MapIterationSucceeded", {"name": state.name, "index": child.index}, child.last)
    _one_less(turn, frame, waiting, last_state_event=child.last, ended=ended)


def child_failed(turn: Turn, child: Frame, failure: Failure) -> None:
    """A branch or iteration has ended in failure: tolerated, or the parent's failure."""
    frame, waiting = _parent(turn, child)
    waiting.running -= 1
    waiting.failed += 1
    child.failed = (failure.error, failure.cause)
    turn.touch(child)
    state = turn.state_of(frame)
    if isinstance(state, MapState):
        turn.note("MapIterationFailed", {"name": state.name, "index": child.index}, child.last)
    if waiting.tolerates(waiting.failed) and not failure.fatal:
        _one_less(turn, frame, waiting, last_state_event=child.last, ended=child.last)
        return
    tolerant = waiting.tolerated_count is not None or waiting.tolerated_percentage is not None
    frame.last = child.last
    end_children(turn, frame)
    failures.handle(
        turn, frame, THRESHOLD if tolerant and not failure.fatal else failure, ended=f"{state.type}StateFailed"
    )


def _parent(turn: Turn, child: Frame) -> tuple[Frame, ChildrenWait]:
    assert child.parent is not None
    frame = turn.execution.frames[child.parent]
    assert isinstance(frame.waiting, ChildrenWait)
    turn.touch(frame)
    return frame, frame.waiting


def _one_less(turn: Turn, frame: Frame, waiting: ChildrenWait, *, last_state_event: int, ended: int) -> None:
    """Go on with the next iteration in the place of one that ended, or close the parent after the last."""
    if waiting.started < waiting.total or waiting.pending:
        frame.last = last_state_event
        if frame.ready != "iterate":
            turn.ready(frame, "iterate")
    elif waiting.running == 0:
        _close(turn, frame, ended)


def _close(turn: Turn, frame: Frame, ended: int) -> None:
    """All children have ended: gather their outputs, in order of their index."""
    state = turn.state_of(frame)
    turn.note(f"{state.type}StateSucceeded", None, ended)
    frame.last = ended
    children = (turn.execution.frames[number] for number in frame.children)
    outputs = [child.output for child in sorted(children, key=lambda c: c.index) if child.output is not None]
    result = Json(text="[" + ",".join(output.text for output in outputs) + "]")
    _leave_agenda(turn, frame)
    drop_children(turn, frame)
    frame.plan = None
    turn.resume(frame, result)


def end_children(turn: Turn, frame: Frame) -> None:
    """The state has failed: children still at work are aborted and noted as such.

    All children stay, at rest, for a redrive; whoever handles the failure drops them.
    """
    map_name = frame.state if isinstance(turn.state_of(frame), MapState) else None
    for number in frame.children:
        child = turn.execution.frames[number]
        if child.finished or child.ready == "redrive":
            continue
        release(turn, child)
        _note_aborted(turn, child)
        if map_name is not None:
            turn.note("MapIterationAborted", {"name": map_name, "index": child.index}, child.last)
        _rest(turn, child)
    _leave_agenda(turn, frame)


def _leave_agenda(turn: Turn, frame: Frame) -> None:
    """The frame may be on the agenda, to start a further child: that is over. So it is with children at rest."""
    if frame.ready == "iterate":
        frame.ready = None
    turn.agenda[:] = [other for other in turn.agenda if other is not frame and other.ready is not None]


def _rest(turn: Turn, child: Frame) -> None:
    """Nothing happens in an aborted frame any more. One that had not entered its state says so by ``entered``."""
    if child.ready == "enter":
        child.entered = 0
    child.ready = None
    if not child.children:
        child.waiting = None
    turn.touch(child)


def drop_children(turn: Turn, frame: Frame) -> None:
    """The children have ended, and nobody will ask for them again."""
    if not frame.children:
        return
    for number in frame.children:
        child = turn.execution.frames.pop(number)
        drop_children(turn, child)
        turn.decision.dirty.discard(number)
    turn.decision.orphaned.add(frame.id)
    frame.children = []


def _note_aborted(turn: Turn, child: Frame) -> None:
    """The state a child was in ends with it (event types of the API reference; order assumed)."""
    if child.waiting is None:
        return
    state = turn.state_of(child)
    if state.type in {"Task", "Wait", "Parallel", "Map"}:
        turn.emit(child, f"{state.type}StateAborted")


def release(turn: Turn, frame: Frame) -> None:
    """Give up what a frame waits for, its children's too."""
    waiting = frame.waiting
    if isinstance(waiting, TaskWait):
        work.release(turn, frame, waiting)
    elif isinstance(waiting, TimerWait):
        turn.decision.stop_timer(frame.id, waiting.kind)
    elif isinstance(waiting, ChildrenWait):
        end_children(turn, frame)
