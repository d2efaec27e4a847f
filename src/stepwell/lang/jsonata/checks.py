"""What can be said about an expression without evaluating it: AWS's refusals, and the variables it reads.

AWS evaluates without a context item, so a path that begins with a name, or ``$`` on its own, is refused where it would
read that item. Only a path's first step does; later steps, predicates, order-by terms and groupings have a context of
their own. A lambda's body keeps the context of the place it is written in (measured: floci-io/floci pull 2699).
"""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.lang.jsonata.errors import JsonataSyntaxError
from stepwell.lang.jsonata.library.registry import LIBRARY
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.tree import parse_tree

INVALID = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"


def check(text: str) -> tuple[tuple[str, str], ...]:
    """(code, message) of everything AWS refuses in this expression wherever it stands; empty if there is nothing."""
    try:
        tree = parse_tree(text)
    except JsonataSyntaxError as error:
        return ((INVALID, error.message),)
    except RecursionError:
        return ()
    found = dict.fromkeys(_top_level(tree))
    return tuple((UNSUPPORTED, _sentence(name)) for name in found)


def _sentence(name: str) -> str:
    if name == "$$":
        return "Reference to '$$' is not supported."
    return f"Reference to '{name}' at the top level is not supported."


def references(text: str) -> frozenset[str]:
    """Names of the variables read, without ``$``, without ``states``, functions and what the expression itself binds."""
    return frozenset(name for name in _variables(text) if name != "states")


def states_fields(text: str) -> frozenset[str]:
    """The fields of ``$states`` that are read by name: input, result, errorOutput, context."""
    try:
        tree = parse_tree(text)
    except (JsonataSyntaxError, RecursionError):
        return frozenset()
    return frozenset(
        path.steps[1].value
        for path in _all_nodes(tree)
        if path.type == "path"
        and len(path.steps) > 1
        and (path.steps[0].type, path.steps[0].value, path.steps[1].type) == ("variable", "states", "name")
    )


def _top_level(node: Node) -> Iterator[str]:
    if node.type == "name":
        yield str(node.value)
    elif node.type == "variable":
        if node.value in {"", "$"}:
            yield "$" + node.value
    else:
        for child in _in_context(node):
            yield from _top_level(child)


def _in_context(node: Node) -> Iterator[Node]:
    """The children that are evaluated with the same context item as the node."""
    if node.type == "path":
        yield node.steps[0]
        return
    if node.type == "transform":
        return
    yield from _children(node)


def _children(node: Node) -> Iterator[Node]:
    """Direct parts of an expression, without predicates, groups and what else has a context of its own."""
    if node.type == "bind":
        yield node.rhs
        return
    if node.type == "unary" and node.value == "{":
        for pair in node.lhs:
            yield from pair
        return
    if node.type == "lambda":
        yield node.body
        return
    for child in (node.lhs, node.rhs, node.procedure, node.condition, node.then, node.otherwise, node.expression):
        if isinstance(child, Node):
            yield child
    yield from node.arguments
    yield from node.expressions


def _all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in _every_child(node):
        yield from _all_nodes(child)


def _every_child(node: Node) -> Iterator[Node]:
    yield from _children(node)
    yield from node.steps
    for stage in (*node.predicate, *node.stages):
        if isinstance(stage.expression, Node):
            yield stage.expression
    for _, term in node.terms:
        yield term
    if node.group is not None:
        for pair in node.group.lhs:
            yield from pair
    for child in (node.pattern, node.update, node.delete):
        if isinstance(child, Node):
            yield child


def _variables(text: str) -> frozenset[str]:
    try:
        tree = parse_tree(text)
    except (JsonataSyntaxError, RecursionError):
        return frozenset()
    return frozenset(_free(tree, frozenset(LIBRARY)))


def _free(node: Node, bound: frozenset[str]) -> Iterator[str]:
    """Variables that are neither bound nor functions. A block's bindings hold for the rest of the block."""
    if node.type == "variable":
        if node.value not in {"", "$"} and node.value not in bound:
            yield node.value
        children: Iterator[Node] = _every_child(node)
    elif node.type == "lambda" and not node.thunk:
        bound |= {argument.value for argument in node.arguments}
        children = iter((node.body,))
    elif node.type == "block":
        bound |= {part.lhs.value for part in node.expressions if part.type == "bind"}
        children = _every_child(node)
    elif node.type == "path":
        steps = node.steps
        bound |= {name for step in steps for name in (step.focus, step.index) if name}
        bound |= {stage.value for step in steps for stage in step.stages if stage.type == "index"}
        children = _every_child(node)
    else:
        if node.type == "bind":
            bound |= {node.lhs.value}
        children = _every_child(node)
    for child in children:
        yield from _free(child, bound)
