"""Trees into closures: ``compile_node(node)`` gives ``(input, frame) -> value``.

Each kind of node has a compiler in a table; this file holds the table, the small kinds, and what surrounds every node:
the depth count, predicates, groups and the collapse of sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.lang.jsonata.runtime import MAX_DEPTH, Frame, too_deep
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.values import UNDEFINED, Sequence, lookup, truth

Closure = Callable[[Any, Frame], Any]
Compiler = Callable[[Node], Closure]
COMPILERS: dict[str, Compiler] = {}
DEEPEST_PARENT = MAX_DEPTH - 1  # a node that has others inside


def compiles(*types: str) -> Callable[[Compiler], Compiler]:
    """Enter a compiler into the table."""

    def enter(compiler: Compiler) -> Compiler:
        for type_ in types:
            COMPILERS[type_] = compiler
        return compiler

    return enter


_LEAVES = {"string", "number", "value", "regex", "variable", "lambda", "parent", "name", "wildcard", "descendant"}


def compile_node(node: Node) -> Closure:
    inner = COMPILERS[node.type](node)
    if node.type in _LEAVES and not (node.predicate or node.group or node.keep_array):
        return inner if node.type in {"string", "number", "value", "variable", "lambda"} else _collapsing(inner)
    if node.predicate:
        inner = _with_predicates(inner, node)
    if node.group is not None and node.type != "path":
        inner = _with_group(inner, node.group)
    return _counted(inner, node.keep_array)


def _counted(inner: Closure, keep: bool) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        runtime = frame.runtime
        runtime.depth += 1
        if runtime.depth > DEEPEST_PARENT:
            raise too_deep()
        result = inner(value, frame)
        runtime.depth -= 1
        if type(result) is Sequence and not result.tuples:
            if keep:
                result.keep = True
            if not result:
                return UNDEFINED
            if len(result) == 1 and not result.keep:
                return result[0]
        return result

    return evaluate


def _collapsing(inner: Closure) -> Closure:
    def evaluate(value: Any, frame: Frame) -> Any:
        result = inner(value, frame)
        if type(result) is Sequence and not result.tuples:
            if not result:
                return UNDEFINED
            if len(result) == 1 and not result.keep:
                return result[0]
        return result

    return evaluate


def _with_predicates(inner: Closure, node: Node) -> Closure:
    filters = [COMPILERS["filter"](stage) for stage in node.predicate]

    def evaluate(value: Any, frame: Frame) -> Any:
        result = inner(value, frame)
        for keep in filters:
            result = keep(result, frame)
        return result

    return evaluate


def _with_group(inner: Closure, node: Node) -> Closure:
    group = COMPILERS["group"](node)
    return lambda value, frame: group(inner(value, frame), frame)


# -------------------------------------------------------------------------------------------------- the small kinds


@compiles("string", "number", "value")
def _literal(node: Node) -> Closure:
    constant = node.value
    return lambda _value, _frame: constant


@compiles("variable")
def _variable(node: Node) -> Closure:
    name = node.value
    if name == "":
        return lambda value, _frame: value
    return lambda _value, frame: frame.lookup(name)


@compiles("name")
def _name(node: Node) -> Closure:
    name = node.value

    def evaluate(value: Any, _frame: Frame) -> Any:
        return value.get(name, UNDEFINED) if type(value) is dict else lookup(value, name)

    return evaluate


@compiles("parent")
def _parent(node: Node) -> Closure:
    slot = node.slot
    return lambda _value, frame: frame.lookup(slot.label)


@compiles("condition")
def _condition(node: Node) -> Closure:
    condition, then = compile_node(node.condition), compile_node(node.then)
    otherwise = compile_node(node.otherwise) if node.otherwise is not None else lambda _value, _frame: UNDEFINED

    def evaluate(value: Any, frame: Frame) -> Any:
        return then(value, frame) if truth(condition(value, frame)) else otherwise(value, frame)

    return evaluate


@compiles("block")
def _block(node: Node) -> Closure:
    parts = [compile_node(part) for part in node.expressions]

    def evaluate(value: Any, frame: Frame) -> Any:
        inner = Frame(frame, {}, frame.runtime)
        result = UNDEFINED
        for part in parts:
            result = part(value, inner)
        return result

    return evaluate


@compiles("bind")
def _bind(node: Node) -> Closure:
    name, right = node.lhs.value, compile_node(node.rhs)

    def evaluate(value: Any, frame: Frame) -> Any:
        bound = right(value, frame)
        frame.variables[name] = bound
        return bound

    return evaluate
