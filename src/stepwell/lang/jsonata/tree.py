"""The parsed tree into the one that is evaluated: paths of steps, predicates on steps, groups, tail calls.

``%`` (parent) is resolved here: each use gets a slot with a label; the step it refers to binds the label, and the path
around both becomes a stream of bindings (``streams``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stepwell.lang.jsonata.errors import JsonataSyntaxError
from stepwell.lang.jsonata.syntax import Node, parse
from stepwell.lang.jsonata.tokens import END


@dataclass(slots=True)
class Slot:
    """Where a ``%`` looks: ``level`` steps up; ``label`` is the name it is bound under."""

    label: str
    level: int = 1


def parse_tree(text: str) -> Node:
    """Raises JsonataSyntaxError; RecursionError for text nested beyond what Python can walk."""
    tree = _Arranger().arrange(parse(text))
    if tree.type == "parent" or tree.seeking is not None:
        raise JsonataSyntaxError("S0217", tree.position, token=tree.type)
    return tree


class _Arranger:
    def __init__(self) -> None:
        self._slots: list[Slot] = []

    def arrange(self, node: Node) -> Node:
        rule = _RULES.get((node.type, node.value)) if node.type in {"binary", "unary"} else None
        rule = rule or _RULES.get((node.type, None), _Arranger._unknown)
        result = rule(self, node)
        if node.keep_array:
            result.keep_array = True
        return result

    # ------------------------------------------------------------------------------------------- paths and steps

    def _path(self, node: Node) -> Node:
        first = self.arrange(node.lhs)
        path = first if first.type == "path" else _path_of(first)
        if first.type == "parent":
            path.seeking = [first.slot]
        rest = self.arrange(node.rhs)
        if rest.type == "path":
            path.steps = _extended(path.steps, rest.steps)
        else:
            if rest.predicate:
                rest.stages, rest.predicate = rest.predicate, ()
            path.steps = _extended(path.steps, [rest])
        for step in path.steps:
            if step.type in {"number", "value"}:
                raise JsonataSyntaxError("S0213", step.position, value=step.value)
            if step.type == "string":
                step.type = "name"
        if any(step.keep_array for step in path.steps):
            path.keep_singleton = True
        for step in (path.steps[0], path.steps[-1]):
            if step.type == "unary" and step.value == "[":
                step.consarray = True
        self._resolve(path)
        return path

    def _predicate(self, node: Node) -> Node:
        result = self.arrange(node.lhs)
        step = result.steps[-1] if result.type == "path" else result
        if step.group is not None:
            raise JsonataSyntaxError("S0209", node.position)
        expression = self.arrange(node.rhs)
        if expression.seeking is not None:
            for slot in expression.seeking:
                if slot.level == 1:
                    self._seek(step, slot)
                else:
                    slot.level -= 1
            _pass_on(step, expression)
        stage = Node("filter", None, node.position)
        stage.expression = expression
        if result.type == "path":
            step.stages = [*step.stages, stage]
        else:
            step.predicate = [*step.predicate, stage]
        return result

    def _group(self, node: Node) -> Node:
        result = self.arrange(node.lhs)
        if result.group is not None:
            raise JsonataSyntaxError("S0210", node.position)
        result.group = Node("group", None, node.position)
        result.group.lhs = [(self.arrange(key), self.arrange(value)) for key, value in node.rhs]
        return result

    def _order(self, node: Node) -> Node:
        result = self.arrange(node.lhs)
        if result.type != "path":
            result = _path_of(result)
        step = Node("sort", None, node.position)
        for descending, term in node.terms:
            expression = self.arrange(term)
            _pass_on(step, expression)
            step.terms = [*step.terms, (descending, expression)]
        result.steps = _extended(result.steps, [step])
        self._resolve(result)
        return result

    def _focus(self, node: Node) -> Node:
        result = self.arrange(node.lhs)
        step = result.steps[-1] if result.type == "path" else result
        if step.stages or step.predicate:
            raise JsonataSyntaxError("S0215", node.position)
        if step.type == "sort":
            raise JsonataSyntaxError("S0216", node.position)
        if node.keep_array:
            step.keep_array = True
        step.focus = node.rhs.value
        step.streams = True
        return result

    def _index(self, node: Node) -> Node:
        result = self.arrange(node.lhs)
        if result.type == "path":
            step = result.steps[-1]
        else:
            step = result
            result = _path_of(step)
            if step.predicate:
                step.stages, step.predicate = step.predicate, ()
        if step.stages:
            step.stages = [*step.stages, Node("index", node.rhs.value, node.position)]
        else:
            step.index = node.rhs.value
        step.streams = True
        return result

    def _name(self, node: Node) -> Node:
        node.type = "name"  # the words and, or, in can be names
        path = _path_of(node)
        path.keep_singleton = node.keep_array
        return path

    # -------------------------------------------------------------------------------------------- other expressions

    def _bind(self, node: Node) -> Node:
        node.type = "bind"
        node.lhs, node.rhs = self.arrange(node.lhs), self.arrange(node.rhs)
        _pass_on(node, node.rhs)
        return node

    def _apply(self, node: Node) -> Node:
        node.type = "apply"
        node.lhs, node.rhs = self.arrange(node.lhs), self.arrange(node.rhs)
        node.keep_array = node.keep_array or node.lhs.keep_array or node.rhs.keep_array
        return node

    def _binary(self, node: Node) -> Node:
        node.lhs, node.rhs = self.arrange(node.lhs), self.arrange(node.rhs)
        _pass_on(node, node.lhs)
        _pass_on(node, node.rhs)
        return node

    def _array(self, node: Node) -> Node:
        node.expressions = [self._part(node, item) for item in node.expressions]
        return node

    def _object(self, node: Node) -> Node:
        node.lhs = [(self._part(node, key), self._part(node, value)) for key, value in node.lhs]
        return node

    def _negation(self, node: Node) -> Node:
        operand = self.arrange(node.expression)
        if operand.type == "number":
            operand.value = -operand.value
            return operand
        node.expression = operand
        _pass_on(node, operand)
        return node

    def _call(self, node: Node) -> Node:
        node.arguments = [self._part(node, argument) for argument in node.arguments]
        node.procedure = self.arrange(node.procedure)
        return node

    def _lambda(self, node: Node) -> Node:
        node.body = _with_tail_calls(self.arrange(node.body))
        return node

    def _condition(self, node: Node) -> Node:
        node.condition = self._part(node, node.condition)
        node.then = self._part(node, node.then)
        if node.otherwise is not None:
            node.otherwise = self._part(node, node.otherwise)
        return node

    def _transform(self, node: Node) -> Node:
        node.pattern, node.update = self.arrange(node.pattern), self.arrange(node.update)
        if node.delete is not None:
            node.delete = self.arrange(node.delete)
        return node

    def _block(self, node: Node) -> Node:
        node.expressions = [self._part(node, item) for item in node.expressions]
        node.consarray = any(
            part.consarray or (part.type == "path" and part.steps[0].consarray) for part in node.expressions
        )
        return node

    def _parent(self, node: Node) -> Node:
        node.slot = Slot(f"!{len(self._slots)}")
        self._slots.append(node.slot)
        return node

    def _leaf(self, node: Node) -> Node:
        return node

    def _operator(self, node: Node) -> Node:
        if node.value in {"and", "or", "in"}:
            return self._name(node)
        if node.value == "?":
            return node
        raise JsonataSyntaxError("S0201", node.position, token=node.value)

    def _unknown(self, node: Node) -> Node:
        raise JsonataSyntaxError("S0207" if node.type == END else "S0206", node.position, token=node.value)

    def _part(self, whole: Node, part: Node) -> Node:
        arranged = self.arrange(part)
        _pass_on(whole, arranged)
        return arranged

    # ------------------------------------------------------------------------------------------------------ parents

    def _resolve(self, path: Node) -> None:
        last = path.steps[-1]
        slots = list(last.seeking or ())
        if last.type == "parent":
            slots.append(last.slot)
        for slot in slots:
            index = len(path.steps) - 2
            while slot.level > 0:
                if index < 0:
                    path.seeking = [*(path.seeking or ()), slot]
                    break
                step = path.steps[index]
                index -= 1
                while index >= 0 and step.focus and path.steps[index].focus:  # steps that only bind are passed over
                    step = path.steps[index]
                    index -= 1
                self._seek(step, slot)

    def _seek(self, node: Node, slot: Slot) -> None:
        if node.type in {"name", "wildcard"}:
            slot.level -= 1
            if slot.level == 0:
                if node.ancestor is not None:
                    slot.label = node.ancestor.label
                node.ancestor = slot
                node.streams = True
        elif node.type == "parent":
            slot.level += 1
        elif node.type == "block":
            if node.expressions:
                node.streams = True
                self._seek(node.expressions[-1], slot)
        elif node.type == "path":
            node.streams = True
            for step in reversed(node.steps):
                self._seek(step, slot)
                if slot.level <= 0:
                    break
        else:
            raise JsonataSyntaxError("S0217", node.position, token=node.type)


def _extended(steps: Sequence[Node], more: Sequence[Node]) -> Sequence[Node]:
    """In place where the path has a list of its own: long paths are put together step by step."""
    if isinstance(steps, list):
        steps.extend(more)
        return steps
    return [*steps, *more]


def _path_of(step: Node) -> Node:
    path = Node("path", None, step.position)
    path.steps = [step]
    return path


def _pass_on(whole: Node, part: Node) -> None:
    """A parent that the part could not find is looked for outside the whole."""
    if part.seeking is not None or part.type == "parent":
        slots = list(part.seeking or ())
        if part.type == "parent":
            slots.append(part.slot)
        whole.seeking = [*(whole.seeking or ()), *slots]


def _with_tail_calls(node: Node) -> Node:
    """A call in last place is handed to the caller instead of being nested."""
    if node.type == "function" and not node.predicate:
        thunk = Node("lambda", None, node.position)
        thunk.thunk = True
        thunk.body = node
        return thunk
    if node.type == "condition":
        node.then = _with_tail_calls(node.then)
        if node.otherwise is not None:
            node.otherwise = _with_tail_calls(node.otherwise)
    elif node.type == "block" and node.expressions:
        node.expressions = [*node.expressions[:-1], _with_tail_calls(node.expressions[-1])]
    return node


_Rule = Callable[[_Arranger, Node], Node]
_LEAVES = ("string", "number", "value", "wildcard", "descendant", "variable", "regex")
_RULES: dict[tuple[str, str | None], _Rule] = {
    ("binary", "."): _Arranger._path, ("binary", "["): _Arranger._predicate, ("binary", "{"): _Arranger._group,
    ("binary", "^"): _Arranger._order, ("binary", ":="): _Arranger._bind, ("binary", "@"): _Arranger._focus,
    ("binary", "#"): _Arranger._index, ("binary", "~>"): _Arranger._apply, ("binary", None): _Arranger._binary,
    ("unary", "["): _Arranger._array, ("unary", "{"): _Arranger._object, ("unary", None): _Arranger._negation,
    ("function", None): _Arranger._call, ("partial", None): _Arranger._call, ("lambda", None): _Arranger._lambda,
    ("condition", None): _Arranger._condition, ("transform", None): _Arranger._transform,
    ("block", None): _Arranger._block, ("name", None): _Arranger._name, ("parent", None): _Arranger._parent,
    ("operator", None): _Arranger._operator,
    **{(leaf, None): _Arranger._leaf for leaf in _LEAVES},
}  # fmt: skip
