"""The state types. A new one is one file here and one row in ``STATE_TYPES``."""

from __future__ import annotations

from stepwell.asl.states.base import State
from stepwell.asl.states.choice import ChoiceState
from stepwell.asl.states.fail import FailState
from stepwell.asl.states.map_ import MapState
from stepwell.asl.states.parallel import ParallelState
from stepwell.asl.states.pass_ import PassState
from stepwell.asl.states.succeed import SucceedState
from stepwell.asl.states.task import TaskState
from stepwell.asl.states.wait import WaitState

STATE_TYPES: dict[str, type[State]] = {
    kind.type: kind
    for kind in (TaskState, WaitState, PassState, SucceedState, FailState, ChoiceState, ParallelState, MapState)
}

__all__ = ["STATE_TYPES", "State"]
