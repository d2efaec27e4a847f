"""A compiled expression: evaluated in a state's surroundings, its result handed back as plain JSON.

Results follow AWS's number model (measured: floci-io/floci pull 2783): ``1.0`` is ``1``, whole numbers stay exact while
64 bits hold them, infinite numbers and NaN become texts. A function is no result (recorded:
test_map_state_items_eval_jsonata_fail); an object or list that holds one is refused the same way (assumed).
"""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import Any

from stepwell.kernel.ids import Ids
from stepwell.lang.jsonata import calls, operators, paths  # noqa: F401 - they enter their compilers into the table
from stepwell.lang.jsonata.compiling import Closure, compile_node
from stepwell.lang.jsonata.errors import DEPTH, MEMORY, EvaluationError, JsonataFailure, LimitReached
from stepwell.lang.jsonata.library import collections, formatnumber, numbers, steps  # noqa: F401 - the same
from stepwell.lang.jsonata.library.registry import LIBRARY
from stepwell.lang.jsonata.runtime import MAX_SECONDS, Frame, Runtime
from stepwell.lang.jsonata.tree import parse_tree
from stepwell.lang.jsonata.values import LONG_LIMIT, UNDEFINED, Function


class Expression:
    """Immutable; may be shared by threads. ``text`` is what was compiled."""

    __slots__ = ("_names", "_run", "text")

    def __init__(self, text: str, run: Closure, names: tuple[str, ...] = ()) -> None:
        self.text = text
        self._run = run
        self._names = names  # of ``$states.input.name`` and its like: a variable and members, nothing else

    def evaluate(
        self, states: Any, variables: dict[str, Any], *, ids: Ids, now: float, seconds: float = MAX_SECONDS
    ) -> Any:
        """The value, or UNDEFINED for none. The arguments are not changed, and may be shared with the result.

        ``states`` is bound to ``$states``, ``now`` is in seconds since the epoch. Raises JsonataFailure.
        """
        if self._names:
            value = self._walked(states, variables)
            if value is not UNDEFINED:
                return value
        runtime = Runtime(ids, now, seconds)
        library = Frame(None, LIBRARY, runtime)
        frame = Frame(library, {**variables, "states": states}, runtime)
        try:
            return exported(self._run(UNDEFINED, frame), runtime)
        except EvaluationError as error:
            raise error.failure() from None
        except LimitReached as limit:
            raise limit.failure() from None
        except RecursionError:
            raise JsonataFailure("depth", "", DEPTH) from None
        except MemoryError:
            raise JsonataFailure("memory", "", MEMORY) from None

    def _walked(self, states: Any, variables: dict[str, Any]) -> Any:
        """What the names lead to through objects alone; UNDEFINED where an evaluation has to say more."""
        root, *names = self._names
        value = states if root == "states" else variables.get(root, UNDEFINED)
        for name in names:
            if type(value) is not dict:
                return UNDEFINED
            value = value.get(name, UNDEFINED)
        return _exported_scalar(value) if type(value) in _WALKED else UNDEFINED


_CACHED_CHARACTERS = 1_000  # longer texts are not kept: a cache full of them would be large


def compile_expression(text: str) -> Expression:
    """Raises JsonataSyntaxError. An expression nested too deeply for any evaluation compiles, and fails when it runs."""
    return _cached(text) if len(text) <= _CACHED_CHARACTERS else _compile(text)


@lru_cache(maxsize=1024)
def _cached(text: str) -> Expression:
    return _compile(text)


def _compile(text: str) -> Expression:
    try:
        tree = parse_tree(text)
        return Expression(text, compile_node(tree), paths.plain_names(tree))
    except RecursionError:
        return Expression(text, _too_deep)


def _too_deep(_value: Any, _frame: Frame) -> Any:
    raise JsonataFailure("depth", "", DEPTH)


_PLAIN = {str, bool, type(None)}
_WALKED = {str, bool, type(None), int, float}  # containers may be too deep to export without an evaluation's care


def exported(value: Any, runtime: Runtime) -> Any:
    """JSON of an evaluation's value. Containers that need no change are handed on as they are."""
    kind = type(value)
    if kind in _WALKED:
        return _exported_scalar(value)
    runtime.tick()
    if kind is dict:
        return _exported_object(value, runtime)
    if isinstance(value, list):
        return _exported_array(value, runtime)
    if isinstance(value, Function):
        raise JsonataFailure("unsupported", "", "The result is a function")
    return value


def _exported_scalar(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return value if -LONG_LIMIT < value < LONG_LIMIT else _exported_number(float(value))
    return _exported_number(value) if kind is float else value


def _exported_number(value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and -LONG_LIMIT < value < LONG_LIMIT else value


def _exported_object(value: dict[str, Any], runtime: Runtime) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, item in value.items():
        kind = type(item)
        if kind in _PLAIN or (kind is int and -LONG_LIMIT < item < LONG_LIMIT):
            continue
        made = exported(item, runtime)
        if made is not item:
            changed[key] = made
    if not changed:
        return value
    made = {**value, **changed}
    return {key: item for key, item in made.items() if item is not UNDEFINED}


def _exported_array(value: list[Any], runtime: Runtime) -> list[Any]:
    made = [item if type(item) in _PLAIN else exported(item, runtime) for item in value]
    if UNDEFINED in made:
        return [None if item is UNDEFINED else item for item in made]
    return value if type(value) is list and all(map(operator.is_, made, value)) else made
