"""Paths: steps evaluated over sequences, predicates, order-by, wildcards, and streams of bindings.

A path with ``@$x``, ``#$i`` or ``%`` carries a stream: a list of dicts with the context under ``"@"`` and one entry for
each binding. All other paths carry plain sequences.
"""

from __future__ import annotations

import math
from functools import cmp_to_key
from typing import Any

from stepwell.lang.jsonata.compiling import DEEPEST_PARENT, Closure, compile_node, compiles
from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.grouping import compile_group
from stepwell.lang.jsonata.runtime import Frame, too_deep
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.values import UNDEFINED, Constructed, Sequence, is_number, truth


class _Step:
    """One step of a path, compiled."""

    __slots__ = ("ancestor", "consarray", "filters", "focus", "index", "sort", "stages", "streams", "visit")

    def __init__(self, node: Node) -> None:
        self.sort = _compile_sort(node) if node.type == "sort" else None
        self.visit: Closure = compile_node(node) if node.type != "sort" else _nothing
        self.filters = [compile_filter(stage) for stage in node.stages if stage.type == "filter"]
        self.stages = [
            stage.value if stage.type == "index" else compile_filter(stage) for stage in node.stages
        ]  # in a stream: names to number the results under, and filters
        self.streams = node.streams
        self.focus = node.focus
        self.index = node.index
        self.ancestor = node.ancestor
        self.consarray = node.consarray


def _nothing(_value: Any, _frame: Frame) -> Any:
    return UNDEFINED


@compiles("path")
def _path(node: Node) -> Closure:
    general = _general_path(node)
    simple = _is_simple(node)
    return _fast_path(node, general) if simple else general


def _is_simple(node: Node) -> bool:
    """``$variable.name.name``: by far the most frequent expression."""
    first, *rest = node.steps
    plain = not (node.keep_array or node.keep_singleton or node.group or node.streams)
    return (
        plain
        and first.type == "variable"
        and first.value != ""
        and all(step.type == "name" for step in rest)
        and not any(step.stages or step.predicate or step.streams or step.group or step.index for step in node.steps)
    )


def plain_names(node: Node) -> tuple[str, ...]:
    """``$a.b.c`` as ``("a", "b", "c")``; empty for anything else."""
    if node.type == "path" and _is_simple(node):
        return tuple(str(step.value) for step in node.steps)
    return ()


def _fast_path(node: Node, general: Closure) -> Closure:
    """Walks objects directly; as soon as anything else is met the general way starts again from the beginning."""
    variable = node.steps[0].value
    names = [step.value for step in node.steps[1:]]

    def evaluate(value: Any, frame: Frame) -> Any:
        if frame.runtime.depth > DEEPEST_PARENT:  # this node and the step inside
            raise too_deep()
        found = frame.lookup(variable)
        for name in names:
            if type(found) is not dict:
                return general(value, frame)
            found = found.get(name, UNDEFINED)
            if found is UNDEFINED:
                return UNDEFINED
        return general(value, frame) if type(found) is Sequence else found

    return evaluate


def _general_path(node: Node) -> Closure:
    steps = [_Step(step) for step in node.steps]
    absolute = node.steps[0].type == "variable"
    keep_stream, keep_singleton = node.streams, node.keep_singleton
    group = compile_group(node.group) if node.group is not None else None

    def evaluate(value: Any, frame: Frame) -> Any:
        items: Any = value if isinstance(value, list) and not absolute else [value]
        result, stream = _walk(steps, items, frame)
        if stream is not None:
            result = stream if keep_stream else Sequence([each["@"] for each in stream])
        if keep_singleton and isinstance(result, list):
            result = Sequence([result]) if type(result) is Constructed else Sequence(result)
            result.keep = True
        if group is not None:
            return group(stream if stream is not None else result, frame)
        return result

    return evaluate


def _walk(steps: list[_Step], items: Any, frame: Frame) -> tuple[Any, Sequence | None]:
    """The result of the last step, and the stream of bindings if there is one."""
    result: Any = items
    stream: Sequence | None = None
    streaming = False
    last = len(steps) - 1
    for position, step in enumerate(steps):
        streaming = streaming or step.streams
        if position == 0 and step.consarray:
            result = step.visit(items, frame)
        elif streaming:
            stream = _stream_step(step, items, stream, frame)
        else:
            result = _plain_step(step, items, frame, position == last)
        if not streaming and (result is UNDEFINED or (isinstance(result, list) and not result)):
            break
        if step.focus is None:
            items = result
    return result, stream


def _plain_step(step: _Step, items: list[Any], frame: Frame, last: bool) -> Any:
    if step.sort is not None:
        result: Any = step.sort(items, frame)
        for keep in step.filters:
            result = keep(result, frame)
        return result
    visit, filters, tick = step.visit, step.filters, frame.runtime.tick
    results = []
    for item in items:
        tick()
        found = visit(item, frame)
        for keep in filters:
            found = keep(found, frame)
        if found is not UNDEFINED:
            results.append(found)
    if last and len(results) == 1 and isinstance(results[0], list) and type(results[0]) is not Sequence:
        return results[0]
    flat = Sequence()
    for found in results:
        if isinstance(found, list) and type(found) is not Constructed:
            flat.extend(found)
        else:
            flat.append(found)
    if len(flat) > 1000:
        frame.runtime.reserve(members=len(flat))
    return flat


def _stream_step(step: _Step, items: Any, stream: Sequence | None, frame: Frame) -> Sequence:
    if step.sort is not None:
        result = _sorted_stream(step, items, stream, frame)
    else:
        result = Sequence(tuples=True)
        source = stream if stream is not None else [{"@": item} for item in items]
        for binding in source:
            frame.runtime.tick()
            found = step.visit(binding["@"], Frame(frame, binding, frame.runtime))
            if found is not UNDEFINED:
                _extend_stream(result, step, binding, found)
    for stage in step.stages:
        if isinstance(stage, str):
            for position, binding in enumerate(result):
                binding[stage] = position
        else:
            result = stage(result, frame)
    return result


def _sorted_stream(step: _Step, items: Any, stream: Sequence | None, frame: Frame) -> Sequence:
    assert step.sort is not None
    if stream is not None:
        return Sequence(step.sort(stream, frame), tuples=True)
    ordered = step.sort(items, frame)
    return Sequence([{"@": item, step.index: position} for position, item in enumerate(ordered)], tuples=True)


def _extend_stream(result: Sequence, step: _Step, binding: dict[str, Any], found: Any) -> None:
    inner = type(found) is Sequence and found.tuples
    for position, item in enumerate(found if isinstance(found, list) else [found]):
        made = dict(binding)
        if inner:
            made.update(item)
        else:
            made[step.focus or "@"] = item
            if step.index:
                made[step.index] = position
            if step.ancestor is not None:
                made[step.ancestor.label] = binding["@"]
        result.append(made)


# --------------------------------------------------------------------------------------------------------- filters


@compiles("filter")
def compile_filter(stage: Node) -> Closure:
    if stage.expression.type == "number":
        return _index_filter(math.floor(stage.expression.value))
    predicate = compile_node(stage.expression)

    def evaluate(value: Any, frame: Frame) -> Any:
        items = value if isinstance(value, list) else [value]
        stream = type(items) is Sequence and items.tuples
        results = Sequence(tuples=stream)
        tick = frame.runtime.tick
        for position, item in enumerate(items):
            tick()
            found = predicate(item["@"], Frame(frame, item, frame.runtime)) if stream else predicate(item, frame)
            if type(found) is bool:
                if found:
                    results.append(item)
            else:
                _take(results, item, found, position, len(items))
        return results

    return evaluate


def _take(results: Sequence, item: Any, found: Any, position: int, size: int) -> None:
    """Numbers select positions; anything else is asked for its truth."""
    numbers = [found] if is_number(found) else found
    if isinstance(numbers, list) and all(map(is_number, numbers)) and numbers:
        for number in numbers:
            index = math.floor(number) if math.isfinite(number) else size
            if (index + size if index < 0 else index) == position:
                results.append(item)
    elif truth(found):
        results.append(item)


def _index_filter(index: int) -> Closure:
    def evaluate(value: Any, _frame: Frame) -> Any:
        items = value if isinstance(value, list) else [value]
        at = index + len(items) if index < 0 else index
        stream = type(items) is Sequence and items.tuples
        if not 0 <= at < len(items) or items[at] is UNDEFINED:
            return Sequence(tuples=stream)
        item = items[at]
        return item if isinstance(item, list) else Sequence([item], tuples=stream)

    return evaluate


# -------------------------------------------------------------------------------------------------------- order-by


def _compile_sort(node: Node) -> Closure:
    terms = [(descending, compile_node(term)) for descending, term in node.terms]

    def evaluate(value: Any, frame: Frame) -> Any:
        stream = type(value) is Sequence and value.tuples
        if len(value) <= 1:
            return value

        def key_of(item: Any, term: Closure) -> Any:
            frame.runtime.tick()
            return term(item["@"], Frame(frame, item, frame.runtime)) if stream else term(item, frame)

        def compare(left: tuple[Any, list[Any]], right: tuple[Any, list[Any]]) -> int:
            frame.runtime.tick()
            for position, (descending, term) in enumerate(terms):
                for item, keys in (left, right):
                    if len(keys) == position:
                        keys.append(key_of(item, term))
                order = _order(left[1][position], right[1][position], descending)
                if order:
                    return order
            return 0

        keyed: list[tuple[Any, list[Any]]] = []
        for item in value:
            frame.runtime.tick()
            keyed.append((item, []))
        keyed.sort(key=cmp_to_key(compare))
        return Sequence([item for item, _ in keyed], tuples=stream)

    return evaluate


def _order(left: Any, right: Any, descending: bool) -> int:
    if left is UNDEFINED:
        return 0 if right is UNDEFINED else 1
    if right is UNDEFINED:
        return -1
    for value in (left, right):
        if not (type(value) is str or is_number(value)):
            raise EvaluationError("T2008", value=value)
    if (type(left) is str) != (type(right) is str):
        raise EvaluationError("T2007", value=left, value2=right)
    if left == right:
        return 0
    return -1 if (left < right) != descending else 1


# ------------------------------------------------------------------------------------------------------- wildcards


@compiles("wildcard")
def _wildcard(_node: Node) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        if type(value) is dict:
            members: Any = value.values()
        elif isinstance(value, list):
            members = value
        else:
            return UNDEFINED
        found = Sequence()
        for member in members:
            frame.runtime.tick()
            if isinstance(member, list):
                found.extend(flattened(member))
            else:
                found.append(member)
        return found

    return evaluate


def flattened(items: list[Any]) -> list[Any]:
    flat = []
    for item in items:
        if isinstance(item, list):
            flat.extend(flattened(item))
        else:
            flat.append(item)
    return flat


@compiles("descendant")
def _descendant(_node: Node) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        if value is UNDEFINED:
            return UNDEFINED
        found = Sequence()
        pending = [value]
        while pending:
            frame.runtime.tick()
            item = pending.pop()
            if isinstance(item, list):
                pending.extend(reversed(item))
                continue
            found.append(item)
            if type(item) is dict:
                pending.extend(reversed(item.values()))
        return found

    return evaluate
