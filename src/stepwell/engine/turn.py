"""One turn of an execution: frames run on until each waits for something or the execution is over.

Theory of operation
    A turn keeps an agenda of frames that have something to do, the latest first. It takes one, lets its state run, and the
    state ends by saying one thing through the ``Step`` protocol, which this class implements: exit, fail, wait, call, fork
    or iterate. What that means for frames stands in the neighbours: ``forks`` (children), ``work`` (tasks), ``failures``
    (Retry, Catch, and the way up). This module knows how to run a state and how to make an event.

    A turn is long enough after 500 events, 1 MiB of documents or 10 ms. What is still on the agenda then stays marked on its
    frame (``ready``), the decision is ``runnable``, and a Continue message takes it up again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepwell.asl.matching import DATA_LIMIT_EXCEEDED, RUNTIME, Failure
from stepwell.asl.states import State
from stepwell.asl.states.base import TooMuchData
from stepwell.asl.step import MapPlan, TaskRequest
from stepwell.engine import failures, forks, variables, work
from stepwell.engine.decisions import Decision
from stepwell.engine.events import failure
from stepwell.engine.journal import Status
from stepwell.engine.state import TOP, Execution, Frame, TimerWait
from stepwell.engine.tokens import NONCE_BYTES, Token, Tokens
from stepwell.kernel.clock import iso
from stepwell.kernel.errors import EvaluationFault, FatalStateError, StateError
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import NULL, Json
from stepwell.kernel.limits import DATA_BYTES, HISTORY_EVENTS

if TYPE_CHECKING:
    from stepwell.asl.model import Block

TURN_EVENTS = 500
TURN_BYTES = 1_048_576
TURN_SECONDS = 0.010
EVENTS_PER_LOOK = 8  # events between two looks at the stopwatch
TERMINAL = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"})


OnFailure = Callable[["Turn", Frame, Failure], None]


@dataclass(slots=True, kw_only=True)  # made for each decision; frozen would take twice as long
class Env:
    """What ``advance`` needs from outside: the time, ids, the maker of task tokens, and a stopwatch for long turns."""

    now: float
    ids: Ids
    tokens: Tokens | None = None
    stopwatch: Callable[[], float] = lambda: 0.0


class HistoryFull(Exception):
    """The next event would be the 25,000th."""


class Turn:
    """Implements ``asl.step.Step`` for whichever frame is at work."""

    def __init__(self, execution: Execution, env: Env) -> None:
        self.execution = execution
        self.env = env
        self.ids = env.ids
        self.now = env.now
        self.decision = Decision()
        self.agenda: list[Frame] = []
        self._note = self.decision.events.append
        self._blocks = execution.machine.blocks
        self.frame: Frame = execution.frames.get(TOP, _NOBODY)
        self.nonce = b""  # of the task token the state at work has been shown
        self._state: State | None = None
        self._context: dict[str, Any] | None = None
        self._variables: dict[str, Any] | None = None
        self._bytes = 0
        self._deadline = env.stopwatch() + TURN_SECONDS
        self._last_event = HISTORY_EVENTS - 1 if not execution.express else sys.maxsize

    # ------------------------------------------------------------------ what expressions see
    @property
    def input(self) -> Json:
        return self.frame.input

    @property
    def variables(self) -> Mapping[str, Any]:
        """What the frame's block and the blocks around it have assigned; no inner name is an outer one's (checked)."""
        if self._variables is None:
            self._variables = {}
            at: Frame | None = self.frame
            while at is not None:
                for name, value in (at.variables or {}).items():
                    self._variables.setdefault(name, value.value)
                at = None if at.parent is None else self.execution.frames[at.parent]
        return self._variables

    @property
    def context(self) -> dict[str, Any]:
        """The context object of the frame at work.

        Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html; which members
        there are is recorded: test_query_context_object_values, test_lambda_invoke_with_retry_extended_input.
        """
        if self._context is None:
            self._context = self._make_context()
        return self._context

    def _make_context(self) -> dict[str, Any]:
        execution, frame = self.execution, self.frame
        state = self.state_of(frame)
        context: dict[str, Any] = {
            "Execution": {
                "Id": execution.arn,
                "Input": execution.input.value,
                "StartTime": iso(execution.started),
                "Name": execution.name,
                "RoleArn": execution.role_arn,
            },
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine_name},
            "State": {"Name": state.name, "EnteredTime": iso(frame.entered_at)},
        }
        if not execution.sync:  # recorded: express sync test_query_runtime_memory
            context["Execution"]["RedriveCount"] = execution.redrives
        if execution.redriven is not None:
            context["Execution"]["RedriveTime"] = iso(execution.redriven)
        if state.type in failures.RETRYABLE:
            context["State"]["RetryCount"] = frame.attempts
        item = self._iteration(frame)
        if item is not None:
            context["Map"] = {"Item": {"Index": item.index, "Value": item.item.value if item.item else None}}
        if work.wants_token(state):
            context["Task"] = {"Token": self.token_for(frame)}
        return context

    def _iteration(self, frame: Frame) -> Frame | None:
        """The nearest Map iteration this frame is, or is part of."""
        at: Frame | None = frame
        while at is not None and at.item is None:
            at = self.execution.frames[at.parent] if at.parent is not None else None
        return at

    def token_for(self, frame: Frame) -> str:
        """The token of the task this frame is about to call: its Scheduled event will be the next event."""
        if self.env.tokens is None:
            return ""
        if not self.nonce:
            self.nonce = self.ids.token(NONCE_BYTES)
        return self.env.tokens.make(Token(self.execution.key, frame.id, self.execution.last_event + 1, self.nonce))

    # ------------------------------------------------------------------ what states do
    def exit(self, output: Json, next_state: str | None, assigned: Mapping[str, Any] | None = None) -> None:
        frame, state = self.frame, self._state
        assert state is not None
        size = output.size
        if size > DATA_BYTES:
            raise TooMuchData(state.name)
        self._bytes += size
        details: dict[str, Any] = {"name": state.name, "output": output}
        if assigned:
            details |= variables.assign(self.execution, frame, assigned)
            self._bytes += sum(map(len, details["assignedVariables"].values()))
        frame.last = self.note(state.exited_event, details, frame.last)
        frame.waiting = None
        if next_state is None:
            self.finish(frame, output)
        else:
            frame.state = next_state
            frame.input = output
            frame.ready = "enter"
            self.agenda.append(frame)

    def fail(self, error: str | None, cause: str | None) -> None:
        failures.leave_failed(self, self.frame, Failure(error=error, cause=cause))

    def wait_until(self, when: float) -> None:
        self.frame.waiting = TimerWait("wait", when)
        self.decision.start_timer(self.frame.id, "wait", when)

    def call(self, request: TaskRequest) -> None:
        work.schedule(self, self.frame, request)

    def fork(self, blocks: Sequence[Block], argument: Json) -> None:
        forks.fork(self, self.frame, blocks, argument)

    def iterate(self, plan: MapPlan) -> None:
        forks.iterate(self, self.frame, plan)

    # ------------------------------------------------------------------ running
    def run(self) -> None:
        """Work off the agenda, or as much of it as one decision may hold."""
        agenda, events, dirty = self.agenda, self.decision.events, self.decision.dirty
        look_again = len(events) + EVENTS_PER_LOOK
        while agenda:
            if len(events) >= look_again or self._bytes >= TURN_BYTES:
                if self._long_enough():
                    self.decision.runnable = True
                    dirty.update(frame.id for frame in agenda)
                    return
                look_again = len(events) + EVENTS_PER_LOOK
            frame = agenda.pop()
            todo, frame.ready = frame.ready, None
            dirty.add(frame.id)
            if todo == "iterate":
                forks.go_on(self, frame)
            else:
                self._run_state(frame, todo)

    def _long_enough(self) -> bool:
        return (
            len(self.decision.events) >= TURN_EVENTS
            or self._bytes >= TURN_BYTES
            or self.env.stopwatch() > self._deadline
        )

    def history_full(self) -> None:
        """The execution ends with its 25,000th event."""
        cause = f"The execution reached the maximum number of history events ({HISTORY_EVENTS})."
        self.close("FAILED", error=RUNTIME, cause=cause, previous=self.execution.last_event)

    def _run_state(self, frame: Frame, todo: str | None) -> None:
        """Let the frame's state begin: for the first time (``enter``), or once more after a failure."""
        state = self.work_on(frame)
        if todo == "enter":
            details = {"name": state.name, "input": frame.input}
            frame.entered_at = self.now
            frame.before = frame.last
            frame.entered = frame.last = self.note(state.entered_event, details, frame.last)
            if frame.attempts:
                frame.retries = []
                frame.attempts = 0
        try:
            state.enter(self)
        except StateError as error:
            failures.handle(self, frame, self._failure(frame, error))

    def failing(self, failure: Failure) -> None:
        """A state has failed, and neither Retry nor Catch has looked at it yet. Nothing to do; see ``trial``."""

    def guarded(self, frame: Frame, action: Callable[[], None], on_failure: OnFailure = failures.handle) -> None:
        """Run a state's code; what it raises is the state's failure."""
        try:
            action()
        except StateError as error:
            on_failure(self, frame, self._failure(frame, error))

    def _failure(self, frame: Frame, error: StateError) -> Failure:
        """What a state's code raised, as its failure; an expression's has an event of its own.

        The event follows what entering the state followed, or the entering itself if the expression was evaluated and its
        value could not be used (recorded: test_undefined_reference, test_wait_timestamp_jsonata).
        """
        failed = _failure(frame, error)
        if isinstance(error, EvaluationFault):
            details = {"error": failed.error, "cause": failed.cause, "location": error.location, "state": frame.state}
            frame.last = self.note("EvaluationFailed", details, frame.last if error.late else frame.before)
        return failed

    def resume(self, frame: Frame, result: Json = NULL) -> None:
        """What the frame's state waited for is there."""
        frame.waiting = None
        state = self.work_on(frame)
        self.touch(frame)
        self.guarded(frame, lambda: state.finish(self, result))

    def work_on(self, frame: Frame) -> State:
        """Make this the frame at work; returns the state it stands in."""
        self.frame = frame
        self.nonce = b""
        self._context = self._variables = None
        self._state = state = self._blocks[frame.block].states[frame.state]
        return state

    def ready(self, frame: Frame, todo: str) -> None:
        """Put the frame on the agenda."""
        frame.ready = todo
        self.agenda.append(frame)

    def finish(self, frame: Frame, output: Json) -> None:
        """The frame's block has ended in success."""
        if frame.parent is None:
            self.close("SUCCEEDED", output=output, previous=frame.last)
        else:
            forks.child_succeeded(self, frame, output)

    # ------------------------------------------------------------------ bookkeeping
    def state_of(self, frame: Frame) -> State:
        return self.execution.machine.blocks[frame.block].states[frame.state]

    def touch(self, frame: Frame) -> None:
        self.decision.dirty.add(frame.id)

    def emit(self, frame: Frame, kind: str, details: dict[str, Any] | None = None) -> int:
        """Note an event that follows the frame's last one, and becomes its last one."""
        frame.last = self.note(kind, details, frame.last)
        return frame.last

    def note(self, kind: str, details: dict[str, Any] | None, previous: int) -> int:
        """Note an event; returns its id."""
        execution = self.execution
        number = execution.last_event + 1
        if number > self._last_event and kind not in TERMINAL:
            raise HistoryFull
        execution.last_event = number
        self._note((number, previous, self.now, kind, details))
        return number

    def close(
        self,
        status: Status,
        *,
        previous: int,
        output: Json | None = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        """End the execution."""
        execution = self.execution
        execution.status, execution.output, execution.stopped = status, output, self.env.now
        execution.error, execution.cause = error, cause
        kind = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "ABORTED": "Aborted", "TIMED_OUT": "TimedOut"}[status]
        self.note(f"Execution{kind}", {"output": output} if output is not None else failure(error, cause), previous)
        self.decision.end()
        self.agenda.clear()


def _failure(frame: Frame, error: StateError) -> Failure:
    """What a state's code raised, as its failure; the cause says which state it was."""
    if isinstance(error, TooMuchData):
        return Failure(error=DATA_LIMIT_EXCEEDED, cause=error.cause, shy=True)
    where = f"An error occurred while executing the state '{frame.state}' (entered at the event id #{frame.entered}). "
    return Failure(
        error=error.error,
        cause=where + (error.cause or ""),
        also=error.only_as,
        fatal=isinstance(error, FatalStateError),
        shy=error.only_as is not None,
        evaluation=isinstance(error, EvaluationFault),
    )


MakeTurn = Callable[[Execution, Env], Turn]

_NOBODY = Frame(0, None, "", "", NULL, 0)
