"""Tokens into a tree of ``Node``: operator precedence parsing, one rule per symbol in two tables.

``prefix`` rules open an expression, ``infix`` rules go on from a left side. The tree still has the grammar's shape;
``tree.arrange`` turns it into paths, predicates and groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stepwell.lang.jsonata.errors import JsonataSyntaxError
from stepwell.lang.jsonata.signatures import Signature, parse_signature
from stepwell.lang.jsonata.tokens import END, Token, Tokenizer

_POWERS = {
    ".": 75, "[": 80, "{": 70, "(": 80, "@": 80, "#": 80, "?": 20, "+": 50, "-": 50, "*": 60, "/": 60, "%": 60,
    "=": 40, "<": 40, ">": 40, "^": 40, ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "and": 30, "or": 25,
    "in": 40, "&": 50,
}  # fmt: skip


class Node:
    """One node of the tree. ``type`` says which of the other members are set; unset ones cost nothing."""

    flags = ""
    keep_array = keep_singleton = consarray = streams = thunk = False
    lhs: Any = None
    rhs: Any = None
    procedure: Any = None
    body: Any = None
    condition: Any = None
    then: Any = None
    expression: Any = None
    pattern: Any = None
    update: Any = None
    slot: Any = None
    ancestor: Any = None
    otherwise: Node | None = None
    delete: Node | None = None
    group: Node | None = None
    signature: Signature | None = None
    focus: str | None = None
    index: str | None = None
    steps: Sequence[Node] = ()
    arguments: Sequence[Node] = ()
    expressions: Sequence[Node] = ()
    predicate: Sequence[Node] = ()
    stages: Sequence[Node] = ()
    terms: Sequence[tuple[bool, Node]] = ()  # (descending, expression)
    seeking: Sequence[Any] | None = None

    def __init__(self, type_: str, value: Any = None, position: int = 0) -> None:
        self.type = type_
        self.value = value
        self.position = position


MAX_CHARACTERS = 32_768  # ours, so that reading an expression takes no more time than evaluating one may


def parse(text: str) -> Node:
    """Raises JsonataSyntaxError; RecursionError for text nested beyond what Python can walk."""
    if len(text) > MAX_CHARACTERS:
        raise JsonataSyntaxError("U0001", 0, value=MAX_CHARACTERS)
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = Tokenizer(text)
        self._token = self._tokens.next(infix=False)

    def parse(self) -> Node:
        tree = self._expression(0)
        if self._token.id != END:
            raise JsonataSyntaxError("S0201", self._token.position, token=self._token.value)
        return tree

    def _advance(self, expected: str | None = None, *, infix: bool = False) -> None:
        token = self._token
        if expected is not None and token.id != expected:
            code = "S0203" if token.id == END else "S0202"
            raise JsonataSyntaxError(code, token.position, token=token.value, value=expected)
        self._token = self._tokens.next(infix)

    def _expression(self, power: int) -> Node:
        token = self._token
        self._advance(infix=True)
        left = _PREFIX.get(token.id, _Parser._no_prefix)(self, token)
        while power < _POWERS.get(self._token.id, 0):
            token = self._token
            self._advance()
            left = _INFIX.get(token.id, _Parser._binary)(self, token, left)
        return left

    def _ends_with(self, separator: str) -> bool:
        """Whether a list is over; otherwise its separator is passed."""
        if self._token.id != separator:
            return True
        self._advance(separator)
        return False

    # ------------------------------------------------------------------------------------------------ prefix rules

    def _no_prefix(self, token: Token) -> Node:
        raise JsonataSyntaxError("S0211", token.position, token=token.value)

    def _terminal(self, token: Token) -> Node:
        node = Node(token.kind, token.value, token.position)
        node.flags = token.flags
        return node

    def _negation(self, token: Token) -> Node:
        node = Node("unary", "-", token.position)
        node.expression = self._expression(70)
        return node

    def _block(self, token: Token) -> Node:
        node = Node("block", token.value, token.position)
        parts: list[Node] = []
        while self._token.id != ")":
            parts.append(self._expression(0))
            if self._ends_with(";"):
                break
        self._advance(")", infix=True)
        node.expressions = parts
        return node

    def _array(self, token: Token) -> Node:
        node = Node("unary", "[", token.position)
        items: list[Node] = []
        if self._token.id != "]":
            while True:
                item = self._expression(0)
                if self._token.id == "..":
                    span = Node("binary", "..", self._token.position)
                    self._advance("..")
                    span.lhs, span.rhs = item, self._expression(0)
                    item = span
                items.append(item)
                if self._ends_with(","):
                    break
        self._advance("]", infix=True)
        node.expressions = items
        return node

    def _pairs(self) -> list[tuple[Node, Node]]:
        pairs = []
        if self._token.id != "}":
            while True:
                key = self._expression(0)
                self._advance(":")
                pairs.append((key, self._expression(0)))
                if self._ends_with(","):
                    break
        self._advance("}", infix=True)
        return pairs

    def _object(self, token: Token) -> Node:
        node = Node("unary", "{", token.position)
        node.lhs = self._pairs()
        return node

    def _transform(self, token: Token) -> Node:
        node = Node("transform", token.value, token.position)
        node.pattern = self._expression(0)
        self._advance("|")
        node.update = self._expression(0)
        if self._token.id == ",":
            self._advance(",")
            node.delete = self._expression(0)
        self._advance("|")
        return node

    # ------------------------------------------------------------------------------------------------- infix rules

    def _binary(self, token: Token, left: Node) -> Node:
        node = Node("binary", token.value, token.position)
        node.lhs, node.rhs = left, self._expression(_POWERS[token.id])
        return node

    def _call(self, token: Token, left: Node) -> Node:
        node = Node("function", token.value, token.position)
        node.procedure = left
        arguments: list[Node] = []
        if self._token.id != ")":
            while True:
                if self._token.kind == "operator" and self._token.id == "?":
                    node.type = "partial"
                    arguments.append(Node("operator", "?", self._token.position))
                    self._advance("?")
                else:
                    arguments.append(self._expression(0))
                if self._ends_with(","):
                    break
        self._advance(")", infix=True)
        node.arguments = arguments
        if left.type == "name" and left.value in {"function", "\u03bb"}:
            self._lambda(node)
        return node

    def _lambda(self, node: Node) -> None:
        for index, argument in enumerate(node.arguments):
            if argument.type != "variable":
                raise JsonataSyntaxError("S0208", argument.position, token=argument.value, value=index + 1)
        node.type = "lambda"
        if self._token.id == "<":
            position, depth, text = self._token.position, 1, "<"
            while depth > 0 and self._token.id not in {"{", END}:
                self._advance()
                depth += (self._token.id == "<") - (self._token.id == ">")
                text += str(self._token.value)
            self._advance(">")
            node.signature = parse_signature(text, position)
        self._advance("{")
        node.body = self._expression(0)
        self._advance("}")

    def _filter(self, token: Token, left: Node) -> Node:
        if self._token.id == "]":
            step = left
            while step.type == "binary" and step.value == "[":
                step = step.lhs
            step.keep_array = True
            self._advance("]")
            return left
        node = Node("binary", "[", token.position)
        node.lhs, node.rhs = left, self._expression(0)
        self._advance("]", infix=True)
        return node

    def _order(self, token: Token, left: Node) -> Node:
        node = Node("binary", "^", token.position)
        node.lhs = left
        terms: list[tuple[bool, Node]] = []
        self._advance("(")
        while True:
            descending = self._token.id == ">"
            if self._token.id in {"<", ">"}:
                self._advance()
            terms.append((descending, self._expression(0)))
            if self._ends_with(","):
                break
        self._advance(")")
        node.terms = terms
        return node

    def _group(self, token: Token, left: Node) -> Node:
        node = Node("binary", "{", token.position)
        node.lhs, node.rhs = left, self._pairs()
        return node

    def _bind(self, token: Token, left: Node) -> Node:
        if left.type != "variable":
            raise JsonataSyntaxError("S0212", left.position, token=left.value)
        node = Node("binary", ":=", token.position)
        node.lhs, node.rhs = left, self._expression(_POWERS[":="] - 1)
        return node

    def _bind_step(self, token: Token, left: Node) -> Node:
        node = self._binary(token, left)
        if node.rhs.type != "variable":
            raise JsonataSyntaxError("S0214", node.rhs.position, token=token.value)
        return node

    def _condition(self, token: Token, left: Node) -> Node:
        node = Node("condition", token.value, token.position)
        node.condition = left
        node.then = self._expression(0)
        if self._token.id == ":":
            self._advance(":")
            node.otherwise = self._expression(0)
        return node


def _operand(kind: str) -> Callable[[_Parser, Token], Node]:
    return lambda _parser, token: Node(kind, token.value, token.position)


_PREFIX: dict[str, Callable[[_Parser, Token], Node]] = {
    **dict.fromkeys((END, "(name)", "(literal)", "(regex)", "and", "or", "in"), _Parser._terminal),
    "-": _Parser._negation, "*": _operand("wildcard"), "**": _operand("descendant"), "%": _operand("parent"),
    "(": _Parser._block, "[": _Parser._array, "{": _Parser._object, "|": _Parser._transform,
}  # fmt: skip
_INFIX: dict[str, Callable[[_Parser, Token, Node], Node]] = {
    "(": _Parser._call, "[": _Parser._filter, "^": _Parser._order, "{": _Parser._group, ":=": _Parser._bind,
    "@": _Parser._bind_step, "#": _Parser._bind_step, "?": _Parser._condition,
}  # fmt: skip
