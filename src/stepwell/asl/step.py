"""What a state may see and do while it runs: the border between the language and the engine.

A state's code is pure. It gets a ``Step``, reads from it, and ends by calling exactly one of its outcomes. Whoever runs
states (durable engine, Express, the library) implements ``Step``; a state cannot tell them apart.

::

    enter(step) --- exit(output, next)      leave for the next state, or end the block
                 |- fail(error, cause)      the state failed
                 |- wait_until(time)        ... later finish(step, NULL)
                 |- call(request)           ... later finish(step, result)
                 |- fork(blocks, input)     ... later finish(step, array of outputs)
                 `- iterate(plan)           ... later finish(step, array of outputs)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stepwell.asl.resources import Resource
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import Json

if TYPE_CHECKING:
    from stepwell.asl.model import Block


class Scope(Protocol):
    """What an expression may refer to besides the value it is applied to."""

    @property
    def context(self) -> dict[str, Any]:
        """The context object: what ``$$`` is."""
        ...

    @property
    def ids(self) -> Ids: ...

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    @property
    def variables(self) -> Mapping[str, Any]:
        """Variables of this scope and its outer ones, by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What a Task state asks for. Times are seconds."""

    resource: Resource
    parameters: Json
    timeout: float | None = None
    heartbeat: float | None = None
    credentials: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLimits:
    """How many iterations run at once (0: any number), and how many may fail; None tolerates nothing of that kind."""

    concurrency: int
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPlan:
    """How a Map state iterates. ``select`` makes an iteration's input, with ``$$.Map.Item`` in its scope.

    ``limits`` is asked once the Map has started: what is wrong with them fails a started Map (recorded:
    test_map_state_tolerated_failure_count_path). May raise StateError.
    """

    items: Sequence[Any]
    select: Callable[[Scope, Any], Json]
    limits: Callable[[], MapLimits]


class Step(Scope, Protocol):
    """One state at work in one position of one execution."""

    @property
    def input(self) -> Json:
        """The state's input as it arrived."""
        ...

    def exit(self, output: Json, next_state: str | None, assigned: Mapping[str, Any] | None = None) -> None:
        """Leave with this output; ``next_state`` None ends the block; ``assigned`` are new values of variables.

        Raises StateError (States.DataLimitExceeded) when the output or the variables are over AWS's limits.
        """
        ...

    def fail(self, error: str | None, cause: str | None) -> None:
        """End the block in failure (the Fail state); never retried or caught by the state itself."""
        ...

    def wait_until(self, when: float) -> None: ...

    def call(self, request: TaskRequest) -> None: ...

    def fork(self, blocks: Sequence[Block], argument: Json) -> None: ...

    def iterate(self, plan: MapPlan) -> None: ...
