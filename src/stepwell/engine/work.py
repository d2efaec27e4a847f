"""Tasks: scheduling them, and what their results do.

The three kinds of Resource differ only in the names and members of their events, which stand in one table. Recorded:
test_activity_task*, test_callback*, test_raise_exception_catch, test_heartbeat*, services__*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from stepwell.asl.matching import DATA_LIMIT_EXCEEDED, HEARTBEAT_TIMEOUT, RUNTIME, TIMEOUT, Failure
from stepwell.asl.resources import Resource
from stepwell.asl.states import State
from stepwell.asl.states.base import TooMuchData
from stepwell.asl.states.task import TaskState
from stepwell.asl.step import TaskRequest
from stepwell.engine import failures
from stepwell.engine.decisions import ScheduleTask
from stepwell.engine.events import failure as failure_details
from stepwell.engine.messages import ActivityStarted, Failed, Heartbeat, Submitted, Succeeded, TaskTimedOut
from stepwell.engine.state import Execution, Frame, TaskWait
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import DATA_BYTES

if TYPE_CHECKING:
    from stepwell.engine.turn import Turn

Details = dict[str, Any]


def _service(resource: Resource, _execution: Execution) -> Details:
    return {"resourceType": resource.resource_type, "resource": resource.resource}


def _service_scheduled(resource: Resource, execution: Execution) -> Details:
    return {**_service(resource, execution), "region": execution.scope.region}


def _arn(resource: Resource, _execution: Execution) -> Details:
    return {"resource": str(resource.arn)}


def _nothing(_resource: Resource, _execution: Execution) -> Details:
    return {}


class TaskEvents(NamedTuple):
    """How one kind of task appears in the history."""

    prefix: str  # of the event types
    parameters: str  # the member that holds what the task was given
    scheduled: Callable[[Resource, Execution], Details]
    later: Callable[[Resource, Execution], Details]  # members of the events after Scheduled
    names_data: Callable[[Resource], str]  # how AWS names the task when its result is too large


SERVICE = TaskEvents("Task", "parameters", _service_scheduled, _service, lambda resource: resource.service)
TASK_EVENTS: dict[str, TaskEvents] = {
    "activity": TaskEvents("Activity", "input", _arn, _nothing, lambda resource: str(resource.arn)),
    "function": TaskEvents("LambdaFunction", "input", _arn, _nothing, lambda resource: str(resource.arn)),
    "optimised": SERVICE,
    "sdk": SERVICE,
}


def wants_token(state: State) -> bool:
    """Does ``$$.Task.Token`` exist in this state? (recorded: test_sync_with_task_token)"""
    return isinstance(state, TaskState) and state.resource.pattern != "request"


def schedule(turn: Turn, frame: Frame, request: TaskRequest) -> None:
    """Note that a task is to be called and have that done once it is durable."""
    resource, form = request.resource, TASK_EVENTS[request.resource.kind]
    token = turn.token_for(frame) if wants_token(turn.state_of(frame)) or resource.kind == "activity" else None
    details = form.scheduled(resource, turn.execution)
    details[form.parameters] = request.parameters
    if request.timeout is not None:
        details["timeoutInSeconds"] = int(request.timeout)
    if request.heartbeat is not None:
        details["heartbeatInSeconds"] = int(request.heartbeat)
    if request.credentials is not None:
        details["taskCredentials"] = {"roleArn": request.credentials.value.get("RoleArn")}
    event = turn.emit(frame, f"{form.prefix}Scheduled", details)
    activity = resource.kind == "activity"
    if not activity:
        turn.emit(frame, f"{form.prefix}Started", form.later(resource, turn.execution) or None)
    frame.waiting = waiting = TaskWait(
        event=event,
        nonce=turn.nonce,
        deadline=None if request.timeout is None else turn.now + request.timeout,
        heartbeat=request.heartbeat,
        activity=activity,
    )
    turn.decision.schedule(
        ScheduleTask(
            frame=frame.id, event=event, state=frame.state, attempt=frame.attempts, request=request, token=token
        )
    )
    if waiting.deadline is not None:
        turn.decision.start_timer(frame.id, "timeout", waiting.deadline)
    if request.heartbeat is not None and not activity:
        _beat(turn, frame, waiting)


def _beat(turn: Turn, frame: Frame, waiting: TaskWait) -> None:
    if waiting.heartbeat is not None:
        waiting.heartbeat_due = turn.now + waiting.heartbeat
        turn.decision.start_timer(frame.id, "heartbeat", waiting.heartbeat_due)


def _form(turn: Turn, frame: Frame) -> tuple[Resource, TaskEvents]:
    state = turn.state_of(frame)
    assert isinstance(state, TaskState)
    return state.resource, TASK_EVENTS[state.resource.kind]


def claimed(turn: Turn, frame: Frame, waiting: TaskWait, message: ActivityStarted) -> bool:
    """A worker polled the activity task. False if another one has it already."""
    if not waiting.activity or waiting.claimed:
        return False
    waiting.claimed = True
    turn.emit(frame, "ActivityStarted", {"workerName": message.worker} if message.worker else {})
    turn.decision.mark(waiting.event, "worker")
    _beat(turn, frame, waiting)
    return True


def heartbeat(turn: Turn, frame: Frame, waiting: TaskWait, _message: Heartbeat) -> bool:
    """A sign of life moves the heartbeat's time."""
    _beat(turn, frame, waiting)
    return True


def submitted(turn: Turn, frame: Frame, waiting: TaskWait, message: Submitted) -> bool:
    """The call was accepted; the result is still to come, unless it came by token already."""
    if waiting.submitted:
        return False
    waiting.submitted = True
    resource, form = _form(turn, frame)
    turn.emit(frame, f"{form.prefix}Submitted", {**form.later(resource, turn.execution), "output": message.output})
    if resource.pattern == "waitForTaskToken":
        turn.decision.mark(waiting.event, "callback")
    if waiting.outcome is not None:
        succeeded_, first, second = waiting.outcome
        if succeeded_:
            _succeed(turn, frame, waiting, Json(text=first))
        else:
            _fail(turn, frame, waiting, Failure(error=first, cause=second))
    return True


def succeeded(turn: Turn, frame: Frame, waiting: TaskWait, message: Succeeded) -> bool:
    """The task's result. One that comes by token before the call was answered waits for that."""
    if message.callback and not waiting.activity and not waiting.submitted:
        waiting.outcome = (True, message.output.text, None)
    else:
        _succeed(turn, frame, waiting, message.output)
    return True


def failed(turn: Turn, frame: Frame, waiting: TaskWait, message: Failed) -> bool:
    """The task's failure. If the call fails although its result came by token, the result counts.

    A call that was to be submitted and was refused ends in TaskSubmitFailed (shown by AWS for batch:submitJob.sync:
    https://github.com/ASFHyP3/hyp3/pull/805).
    """
    if message.callback and not waiting.activity and not waiting.submitted:
        waiting.outcome = (False, message.error, message.cause)
    elif waiting.outcome is not None and not message.callback:
        kept, first, second = waiting.outcome
        if kept:
            _succeed(turn, frame, waiting, Json(text=first))
        else:
            _fail(turn, frame, waiting, Failure(error=first, cause=second))
    else:
        refused = not waiting.submitted and wants_token(turn.state_of(frame)) and not message.callback
        _fail(turn, frame, waiting, _failure(frame, message), what="SubmitFailed" if refused else "Failed")
    return True


def _failure(frame: Frame, message: Failed) -> Failure:
    """States.Runtime from the task's caller (parameters AWS refuses, say) ends the execution and names the state."""
    if message.error != RUNTIME or message.callback:
        return Failure(error=message.error, cause=message.cause)
    where = f"An error occurred while executing the state '{frame.state}' (entered at the event id #{frame.entered}). "
    return Failure(error=RUNTIME, cause=where + (message.cause or ""), fatal=True)


def timed_out(turn: Turn, frame: Frame, waiting: TaskWait, message: TaskTimedOut) -> bool:
    """TimeoutSeconds is over, or a heartbeat is missing: only if the time is still the one that was read."""
    if message.due != (waiting.heartbeat_due if message.kind == "heartbeat" else waiting.deadline):
        return False
    _end(turn, frame, waiting)
    resource, form = _form(turn, frame)
    turn.emit(frame, f"{form.prefix}TimedOut", {**form.later(resource, turn.execution), "error": TIMEOUT})
    missed = HEARTBEAT_TIMEOUT if message.kind == "heartbeat" else None
    failures.handle(turn, frame, Failure(error=TIMEOUT, also=missed))
    return True


def _succeed(turn: Turn, frame: Frame, waiting: TaskWait, output: Json) -> None:
    resource, form = _form(turn, frame)
    if output.size > DATA_BYTES:
        name = form.names_data(resource)
        _fail(turn, frame, waiting, Failure(error=DATA_LIMIT_EXCEEDED, cause=TooMuchData(name).cause))
        return
    _end(turn, frame, waiting)
    turn.emit(frame, f"{form.prefix}Succeeded", {**form.later(resource, turn.execution), "output": output})
    turn.resume(frame, output)


def _fail(turn: Turn, frame: Frame, waiting: TaskWait, failure: Failure, *, what: str = "Failed") -> None:
    _end(turn, frame, waiting)
    resource, form = _form(turn, frame)
    details = {**form.later(resource, turn.execution), **failure_details(failure.error, failure.cause)}
    turn.emit(frame, f"{form.prefix}{what}", details)
    failures.handle(turn, frame, failure)


def _end(turn: Turn, frame: Frame, waiting: TaskWait) -> None:
    """The task is over."""
    frame.waiting = None
    turn.touch(frame)
    release(turn, frame, waiting)


def release(turn: Turn, frame: Frame, waiting: TaskWait) -> None:
    """A task's row and timers go, its call is abandoned if it still runs."""
    turn.decision.cancel(waiting.event)
    if waiting.deadline is not None:
        turn.decision.stop_timer(frame.id, "timeout")
    if waiting.heartbeat is not None:
        turn.decision.stop_timer(frame.id, "heartbeat")
