"""Compiles steps: each becomes a function from the values so far to the values it leads to.

``run(values, root) -> values``; a path is its steps one after the other, so neither a long path nor a deep
document needs recursion. A step that fails says so only while the path up to it is definite; behind a wildcard,
filter, slice or scan what does not fit is left out. With ``require`` (the existence tests of filters, Jayway's
REQUIRE_PROPERTIES) a missing name always fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepwell.lang.javavalues import java_text
from stepwell.lang.jsonpath.errors import PathMismatch, PathNotFound
from stepwell.lang.jsonpath.functions import FUNCTIONS
from stepwell.lang.jsonpath.nodes import (
    Call,
    Filter,
    Indices,
    Literal,
    Names,
    ParsedPath,
    Scan,
    Slice,
    Step,
    Test,
    step_is_definite,
    step_text,
)

Values = list[Any]
Run = Callable[[Values, Any], Values]
Predicate = Callable[[Any, Any], bool]
TestCompiler = Callable[[Test], Predicate]
_CONTEXT_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Program:
    """The steps of a path. ``definite``: there is one value at most."""

    runs: tuple[Run, ...]
    definite: bool

    def values(self, item: Any, root: Any) -> Values:
        """What the path leads to. Raises PathNotFound, PathMismatch."""
        values = [item]
        for run in self.runs:
            values = run(values, root)
        return values


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step stands: the path before it, whether that is definite, whether the step is the last."""

    prefix: str
    definite: bool
    last: bool
    require: bool


def compile_steps(path: ParsedPath, compile_test: TestCompiler, require: bool = False) -> Program:
    """The program of a path."""
    steps = path.steps
    collects = bool(steps) and isinstance(steps[0], Scan) and isinstance(steps[-1], Call)
    runs: list[Run] = []
    prefix, definite = path.root, True
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        place = _Place(prefix, definite, last, require)
        if isinstance(step, Scan):
            runs.append(_scan(steps[at + 1], at + 2 == len(steps), require, compile_test))
        elif isinstance(step, Call):
            runs.append(_call(step, last and collects, compile_test))
        else:
            runs.append(_compile(step, place, compile_test))
        prefix += step_text(step)
        definite = definite and step_is_definite(step, last)
    return Program(tuple(runs), definite or collects)


def _compile(step: Step, place: _Place, compile_test: TestCompiler) -> Run:
    match step:
        case Names((name,)):
            return _name(name, place)
        case Names(names):
            return _merge(names, place) if place.last else _each_name(names, place)
        case Indices(indices):
            return _indices(indices, step_text(step), place)
        case Slice(start, stop):
            return _slice(start, stop, step_text(step), place)
        case Filter(test):
            return _filter(compile_test(test), place)
        case _:
            return _wildcard


def _not_an_object(value: Any, step: str, place: _Place) -> None:
    """Raise while the path is definite (recorded in awsdocs/aws-step-functions-developer-guide pull request 5)."""
    if place.definite:
        raise PathNotFound(f"Property {step} not found in path {place.prefix}")


def _name(name: str, place: _Place) -> Run:
    text = step_text(Names((name,)))
    if place.last:
        missing, fails = f"No results for path: {place.prefix}{text}", place.require
    else:
        missing, fails = f"Missing property in path {place.prefix}{text}", place.require or place.definite

    def run(values: Values, root: Any) -> Values:
        found = []
        for value in values:
            if not isinstance(value, dict):
                _not_an_object(value, text, place)
            elif name in value:
                found.append(value[name])
            elif fails:
                raise PathNotFound(missing)
        return found

    return run


def _each_name(names: tuple[str, ...], place: _Place) -> Run:
    """Several names with a step behind them: the values there are, one after the other."""
    text = step_text(Names(names))

    def run(values: Values, root: Any) -> Values:
        found = []
        for value in values:
            if not isinstance(value, dict):
                _not_an_object(value, text, place)
            elif place.require and not all(name in value for name in names):
                raise PathNotFound(f"Missing property in path {place.prefix}{text}")
            else:
                found += [value[name] for name in names if name in value]
        return found

    return run


def _merge(names: tuple[str, ...], place: _Place) -> Run:
    text = step_text(Names(names))

    def run(values: Values, root: Any) -> Values:
        found = []
        for value in values:
            if not isinstance(value, dict):
                _not_an_object(value, text, place)
                continue
            if place.require and not all(name in value for name in names):
                raise PathNotFound(f"Missing property in path {place.prefix}{text}")
            found.append({name: value[name] for name in names if name in value})
        return found

    return run


def _is_array(value: Any, step: str, place: _Place) -> bool:
    """Raise for anything else while the path is definite (Jayway ArrayPathToken)."""
    if isinstance(value, list):
        return True
    if not place.definite:
        return False
    if value is None:
        raise PathNotFound(f"The path {place.prefix} is null")
    context = java_text(value)[:_CONTEXT_CHARACTERS]
    raise PathMismatch(f"Filter: {step} can only be applied to arrays. Current context is: {context}")


def _indices(indices: tuple[int, ...], text: str, place: _Place) -> Run:
    def run(values: Values, root: Any) -> Values:
        return [
            value[at]
            for value in values
            if _is_array(value, text, place)
            for at in indices
            if -len(value) <= at < len(value)
        ]

    return run


def _slice(start: int | None, stop: int | None, text: str, place: _Place) -> Run:
    def run(values: Values, root: Any) -> Values:
        found = []
        for value in values:
            if _is_array(value, text, place):
                found += _slice_of(value, start, stop)
        return found

    return run


def _slice_of(value: Values, start: int | None, stop: int | None) -> Values:
    """A negative start with a stop runs from the end of the array on into its beginning, as Jayway does
    (cburgmer/json-path-comparison: ``$[-4:1]``)."""
    if start is None or stop is None:
        return value[start:stop]
    size = len(value)
    places = range(max(start, -size), min(stop, size))
    return [value[at] for at in places]


def _wildcard(values: Values, root: Any) -> Values:
    found: Values = []
    for value in values:
        if isinstance(value, dict):
            found += value.values()
        elif isinstance(value, list):
            found += value
    return found


def _filter(accepts: Predicate, place: _Place) -> Run:
    def run(values: Values, root: Any) -> Values:
        found: Values = []
        for value in values:
            if isinstance(value, list):
                found += [item for item in value if accepts(item, root)]
            elif isinstance(value, dict):
                if accepts(value, root):
                    found.append(value)
            elif place.definite:
                context = java_text(value)[:_CONTEXT_CHARACTERS]
                raise PathMismatch(f"Filter: [?] can not be applied to primitives. Current context is: {context}")
        return found

    return run


def _scan(target: Step, last: bool, require: bool, compile_test: TestCompiler) -> Run:
    """The containers at every depth to which the next step can be applied, from the outside in."""
    applies = _scan_predicate(target, last, require, compile_test)

    def run(values: Values, root: Any) -> Values:
        found = []
        pending = values[::-1]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                pending += reversed(value.values())
            elif isinstance(value, list):
                pending += reversed(value)
            else:
                continue
            if applies(value, root):
                found.append(value)
        return found

    return run


def _scan_predicate(target: Step, last: bool, require: bool, compile_test: TestCompiler) -> Predicate:
    match target:
        case Names(names):
            wanted = () if require or not step_is_definite(target, last) else names
            return lambda value, root: isinstance(value, dict) and all(name in value for name in wanted)
        case Indices() | Slice():
            return lambda value, root: isinstance(value, list)
        case Filter(test):
            return compile_test(test)
        case Call():
            return lambda value, root: False
        case _:
            return lambda value, root: True


def _call(step: Call, collects: bool, compile_test: TestCompiler) -> Run:
    """Apply to each value; after a scan at the front, to all of them together (``$..price.sum()``; Jayway CompiledPath)."""
    function = FUNCTIONS[step.function]
    arguments = [_argument(argument, compile_test) for argument in step.arguments]

    def run(values: Values, root: Any) -> Values:
        given = [argument(root) for argument in arguments]
        if not collects:
            return [function(value, given) for value in values]
        together = _wildcard(values, root) if step.function in ("length", "size") else values
        return [function(together, given)]

    return run


def _argument(argument: ParsedPath | Literal, compile_test: TestCompiler) -> Callable[[Any], Any]:
    if isinstance(argument, Literal):
        value = argument.value
        return lambda root: value
    program = compile_steps(argument, compile_test)

    def read(root: Any) -> Any:
        values = program.values(root, root)
        if not program.definite:
            return values
        return values[0] if values else None

    return read
