"""Compiles filters to ``accepts(item, root) -> bool``. A test that cannot be decided accepts nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.lang.jsonpath.errors import PathNotFound
from stepwell.lang.jsonpath.nodes import (
    Both,
    Compare,
    Either,
    Exists,
    Literal,
    Not,
    Operand,
    ParsedPath,
    Pattern,
    Test,
)
from stepwell.lang.jsonpath.operators import OPERATORS, UNDEFINED
from stepwell.lang.jsonpath.steps import Predicate, compile_steps


def compile_filter(test: Test) -> Predicate:
    """The whole of a filter."""
    decide = _compile(test)

    def accepts(item: Any, root: Any) -> bool:
        try:
            return decide(item, root)
        except PathNotFound:
            return False

    return accepts


def _compile(test: Test) -> Predicate:
    match test:
        case Both(tests):
            every = [_compile(inner) for inner in tests]
            return lambda item, root: all(decide(item, root) for decide in every)
        case Either(tests):
            some = [_compile(inner) for inner in tests]
            return lambda item, root: any(decide(item, root) for decide in some)
        case Not(inner):
            decide = _compile(inner)
            return lambda item, root: not decide(item, root)
        case Exists(path, wanted):
            return _exists(path, wanted)
        case Compare(left, sign, right):
            return _compare(left, sign, right)


def _exists(path: ParsedPath, wanted: bool) -> Predicate:
    """An indefinite path exists even if it leads to no value, as long as no name on the way is missing, and ``$`` is the
    item here, not the document (Jayway)."""
    program = compile_steps(path, compile_filter, require=True)

    def decide(item: Any, root: Any) -> bool:
        try:
            exists = bool(program.values(item, root)) or not program.definite
        except PathNotFound:
            exists = False
        return exists is wanted

    return decide


def _compare(left: Operand, sign: str, right: Operand) -> Predicate:
    operator = OPERATORS[sign]
    read_left, read_right = _operand(left), _operand(right)
    return lambda item, root: operator(read_left(item, root), read_right(item, root))


def _operand(operand: Operand) -> Callable[[Any, Any], Any]:
    if isinstance(operand, Literal):
        value = operand.value
        return lambda item, root: value
    if isinstance(operand, Pattern):
        return lambda item, root: operand
    program = compile_steps(operand, compile_filter)
    at_root = operand.root == "$"

    def read(item: Any, root: Any) -> Any:
        try:
            values = program.values(root if at_root else item, root)
        except PathNotFound:
            return UNDEFINED
        if not program.definite:
            return values
        return values[0] if values else UNDEFINED

    return read
