"""What a mock is, and what it answers to each call.

::

    {"ok": True}                     the same result for every call
    [Throw("Busy"), {"id": 7}]       one answer for each call, in order; a call too many is a MockError
    Return([1, 2])                   a result that is itself a list
    Throw("Busy", "try later")       the task fails
    PENDING                          the task does not answer until ``send_task_success`` or a timeout
    lambda parameters: ...           called with the parameters (or with parameters and Call); may be async, may return
                                     or raise any of the above
"""

from __future__ import annotations

import enum
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepwell.asl.model import Machine
from stepwell.kernel.jsontext import Json
from stepwell.local.errors import MockError, nearest

Mocks = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Return:
    """The task succeeds with this result. Needed only for a result that is a list, or is callable."""

    value: Any


class Throw(Exception):
    """The task fails with this error and cause: give it as a mock, or return or raise it from a function."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Throw) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


class Pending(enum.Enum):
    """The type of ``PENDING``."""

    PENDING = "PENDING"

    def __repr__(self) -> str:
        return "stepwell.PENDING"


PENDING: Final = Pending.PENDING
Answer = Return | Throw | Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a task.

    ``number`` counts the calls of this state from 0, over retries, loops and Map iterations; ``attempt`` is 0 for a first
    call and counts retries. ``token`` is the task token where the resource has one.
    """

    state: str
    parameters: Any
    number: int
    attempt: int
    resource: str
    token: str | None


class Answers:
    """The mock of one state."""

    def __init__(self, state: str, mock: Any) -> None:
        self._state = state
        self._mock = mock

    async def next(self, call: Call) -> Answer:
        """What is answered to this call. Raises MockError; what a function raises besides Throw is passed on."""
        mock = self._mock
        if isinstance(mock, list | tuple):
            if call.number >= len(mock):
                raise MockError(
                    f"state {self._state!r} is called for the {_ordinal(call.number + 1)} time, but its mock has "
                    f"{_answers(len(mock))}: add one, or give one that is not a list to answer every call alike"
                )
            mock = mock[call.number]
        if callable(mock):
            mock = await self._asked(mock, call)
        return mock if isinstance(mock, Answer) else Return(mock)

    async def _asked(self, function: Callable[..., Any], call: Call) -> Any:
        try:
            answer = function(call.parameters, call) if _takes_call(function) else function(call.parameters)
            return await answer if inspect.isawaitable(answer) else answer
        except Throw as thrown:
            return thrown
        except Exception as error:
            error.add_note(f"raised by the mock of state {self._state!r}, call {call.number}")
            raise


def compile_mocks(mocks: Mocks | None, machine: Machine) -> dict[str, Answers]:
    """Mocks by state, checked against the states there are. Raises MockError."""
    types = {state.name: state.type for state in machine.states()}
    tasks = [name for name, kind in types.items() if kind == "Task"]
    for name in mocks or ():
        if name not in types:
            raise MockError(f"a mock is given for state {name!r}, which the workflow has not; {nearest(name, tasks)}")
        if types[name] != "Task":
            raise MockError(f"a mock is given for state {name!r}, which is a {types[name]}: only a Task can be mocked")
    return {name: Answers(name, mock) for name, mock in (mocks or {}).items()}


def as_json(value: Any, what: str) -> Json:
    """A value of the caller's as a document that later changes of it cannot reach. Raises ValueError."""
    if isinstance(value, Json):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON: {error}") from None
    return Json.parse(text)


def _takes_call(function: Callable[..., Any]) -> bool:
    """Does it ask for a second argument? ``*args`` and defaults do not ask, so a ``unittest.mock.Mock`` gets one."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters) >= 2


def _answers(count: int) -> str:
    return "one answer" if count == 1 else f"{count} answers"


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
