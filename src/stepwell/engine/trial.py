"""A trial: one state run alone, by the same ``advance`` as every execution; what TestState needs besides.

Theory of operation
    The machine of a trial has one state, and its execution is a synchronous Express one, so it ends after five minutes with
    States.Timeout. ``TrialTurn`` is the ordinary turn with four differences: the execution ends where the state is left,
    also where it would be tried again; a mocked result or failure stands in for the work of a Task, Map or Parallel; the
    state finds the variables, retries and context object it was given; and ``Trial`` is told what happened.

::

    make_turn = Trial(...).turn   --> Express.sync(execution, make_turn) --> trial.failure, trial.next_state, ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stepwell.asl.matching import Failure, matches
from stepwell.asl.step import MapLimits, MapPlan, TaskRequest
from stepwell.engine import failures
from stepwell.engine.forks import THRESHOLD
from stepwell.engine.state import TOP, ChildrenWait, Execution, Frame, TimerWait
from stepwell.engine.turn import Env, Turn
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import DATA_BYTES

if TYPE_CHECKING:
    from stepwell.asl.model import Block

Outcome = Json | Failure


@dataclass(slots=True, kw_only=True)
class Trial:
    """What a state is given, and what became of it. ``retries`` counts those that were made before."""

    mocked: Outcome | None = None  # instead of the state's work
    variables: Mapping[str, Json] = field(default_factory=dict)
    retries: int = 0
    item: Json | None = None  # of the Map iteration the state is in
    context: dict[str, Any] | None = None  # the whole context object
    failed_iterations: int | None = None  # of the Map under test
    on_inputs: Callable[[list[Any], Turn], None] | None = (
        None  # told of a Map's iterations, if a document could hold them
    )
    # what became of it
    failure: Failure | None = None
    retry_index: int | None = None
    retry_seconds: float | None = None  # until it would be tried again
    catch_index: int | None = None
    next_state: str | None = None
    plan: MapPlan | None = None
    limits: MapLimits | None = None
    begun: bool = False

    def turn(self, execution: Execution, env: Env) -> Turn:
        return TrialTurn(execution, env, self)

    @property
    def retriable(self) -> bool:
        return self.retry_seconds is not None


class TrialTurn(Turn):
    """See the module's docstring."""

    def __init__(self, execution: Execution, env: Env, trial: Trial) -> None:
        super().__init__(execution, env)
        self._trial = trial
        self._due: Outcome | None = None  # the mocked outcome of work that the state has asked for

    # ------------------------------------------------------------------ what the state finds
    def ready(self, frame: Frame, todo: str) -> None:
        trial = self._trial
        if not trial.begun:
            trial.begun = True
            frame.variables = dict(trial.variables)
            frame.item = trial.item
            frame.retries = [trial.retries] * len(self.state_of(frame).retry)
        super().ready(frame, todo)

    def _make_context(self) -> dict[str, Any]:
        if self._trial.context is not None:
            return dict(self._trial.context)
        context = super()._make_context()
        context["Execution"]["RoleArn"] = self.execution.role_arn or None  # recorded: test_state_with_variables
        if "RetryCount" in context["State"]:
            context["State"]["RetryCount"] = self._trial.retries
        return context

    def token_for(self, frame: Frame) -> str:
        """Nobody waits for a trial's token."""
        del frame
        return self.ids.uuid()

    # ------------------------------------------------------------------ what the state does
    def exit(self, output: Json, next_state: str | None, assigned: Mapping[str, Any] | None = None) -> None:
        super().exit(output, None, assigned)
        self._trial.next_state = next_state

    def call(self, request: TaskRequest) -> None:
        if self._trial.mocked is None:
            super().call(request)
        else:
            self._due = self._trial.mocked

    def fork(self, blocks: Sequence[Block], argument: Json) -> None:
        if self._trial.mocked is None:
            super().fork(blocks, argument)
        else:
            self._due = self._trial.mocked

    def iterate(self, plan: MapPlan) -> None:
        trial = self._trial
        if trial.mocked is None:
            super().iterate(plan)
            return
        trial.plan, trial.limits = plan, plan.limits()
        inputs = self._inputs(plan)
        if inputs is not None and trial.on_inputs is not None:
            trial.on_inputs(inputs, self)
        self._due = (
            THRESHOLD if _too_many(len(plan.items), trial.limits, trial.failed_iterations or 0) else trial.mocked
        )

    def _inputs(self, plan: MapPlan) -> list[Any] | None:
        inputs, size = [], 0
        for index, item in enumerate(plan.items):
            self.context["Map"] = {"Item": {"Index": index, "Value": item}}
            chosen = plan.select(self, item)
            size += chosen.size
            if size > DATA_BYTES:
                return None
            inputs.append(chosen.value)
        self._context = None
        return inputs

    # ------------------------------------------------------------------ what becomes of it
    def run(self) -> None:
        super().run()
        frame = self.execution.frames[TOP]
        due, self._due = self._due, None
        if isinstance(due, Json):
            self.resume(frame, due)
        elif due is not None:
            self.work_on(frame)
            failures.handle(self, frame, due)
        waiting, failure = frame.waiting, self._trial.failure
        if isinstance(waiting, TimerWait) and waiting.kind == "retry" and failure is not None:
            self._trial.retry_seconds = waiting.until - self.now
            self.close("FAILED", error=failure.error, cause=failure.cause, previous=frame.last)

    def failing(self, failure: Failure) -> None:
        trial, state = self._trial, self.state_of(self.execution.frames[TOP])
        trial.failure = failure
        trial.retry_index = _first(failure, [retrier.errors for retrier in state.retry])
        trial.catch_index = _first(failure, [catcher.errors for catcher in state.catch])


def _first(failure: Failure, handlers: Sequence[Sequence[str]]) -> int | None:
    return next((index for index, names in enumerate(handlers) if matches(names, failure)), None)


def _too_many(total: int, limits: MapLimits, failed: int) -> bool:
    """A Map that says nothing of tolerance does not mind (recorded: test_map_state_failure_count[BASE_MAP_STATE])."""
    count, percentage = limits.tolerated_count, limits.tolerated_percentage
    if count is None and percentage is None:
        return False
    return not ChildrenWait(total=total, tolerated_count=count, tolerated_percentage=percentage).tolerates(failed)
