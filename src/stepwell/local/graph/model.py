"""A definition as nodes and edges, without any idea of how they are drawn.

Read from plain JSON rather than from a checked machine, so that a definition with faults can be looked at too: a
transition to a state that is not there becomes an edge to a node of kind ``missing``.

::

    Graph            one block: the machine, a Parallel branch or a Map's processor
    |-- nodes        states; a Parallel or Map holds Graphs of its own in ``blocks``
    `-- edges        Next, Choices, Default, Catch
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stepwell.kernel.jsontext import dumps

START, END, MISSING = "start", "end", "missing"
LABEL_CHARACTERS = 48
EdgeKind = Literal["next", "choice", "default", "catch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``kind`` is the state's Type, or start, end, missing. ``note`` says what the state does, in a few words."""

    id: str
    name: str
    kind: str
    note: str = ""
    blocks: tuple[Graph, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    source: str
    target: str
    kind: EdgeKind = "next"
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    start: str = field(default="")  # id of the node where it starts

    def all_nodes(self) -> Iterator[Node]:
        """This block's nodes and those of all blocks inside, outermost first."""
        for node in self.nodes:
            yield node
            for block in node.blocks:
                yield from block.all_nodes()


def read(definition: Any) -> Graph:
    """Raises ValueError, naming the place, for what has no States to draw."""
    return _Reader().block(definition, "", whole=True)


class _Reader:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def block(self, value: Any, pointer: str, *, whole: bool = False) -> Graph:
        states = value.get("States") if isinstance(value, Mapping) else None
        if not isinstance(states, Mapping) or not states:
            raise ValueError(f"there is no States object with states in it at {pointer or '/'}")
        ids = {name: self._id() for name in states}
        nodes: list[Node] = []
        edges: list[Edge] = []
        for name, state in states.items():
            at = f"{pointer}/States/{name}"
            if not isinstance(state, Mapping):
                raise ValueError(f"the state at {at} is not an object")
            nodes.append(self._node(ids[name], name, state, at))
            for target, kind, label in transitions(state):
                if target not in ids:
                    ids[target] = self._id()
                    nodes.append(Node(id=ids[target], name=target, kind=MISSING))
                edges.append(Edge(source=ids[name], target=ids[target], kind=kind, label=label))
        start = ids.get(str(value.get("StartAt")), nodes[0].id)
        if whole:
            self._add_ends(states, ids, nodes, edges, start)
        return Graph(nodes=tuple(nodes), edges=_merged(edges), start=start)

    def _id(self) -> str:
        return f"s{next(self._numbers)}"

    def _node(self, node_id: str, name: str, state: Mapping[str, Any], at: str) -> Node:
        kind = str(state.get("Type", MISSING))
        blocks = tuple(self.block(inner, f"{at}/{place}") for place, inner in _inner(state))
        return Node(id=node_id, name=name, kind=kind, note=note(state), blocks=blocks)

    def _add_ends(
        self, states: Mapping[str, Any], ids: Mapping[str, str], nodes: list[Node], edges: list[Edge], start: str
    ) -> None:
        first, last = Node(id=self._id(), name="Start", kind=START), Node(id=self._id(), name="End", kind=END)
        nodes[:0] = [first]
        nodes.append(last)
        edges[:0] = [Edge(source=first.id, target=start)]
        edges += [Edge(source=ids[name], target=last.id) for name, state in states.items() if _ends(state)]


def transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, EdgeKind, str]]:
    """Where a state may go: target, kind and label of each edge, in the definition's order."""
    if isinstance(state.get("Next"), str):
        yield state["Next"], "next", ""
    for rule in _objects(state.get("Choices")):
        if isinstance(rule.get("Next"), str):
            yield rule["Next"], "choice", shortened(condition(rule))
    if isinstance(state.get("Default"), str):
        yield state["Default"], "default", "default"
    for catcher in _objects(state.get("Catch")):
        if isinstance(catcher.get("Next"), str):
            errors = [str(e) for e in catcher.get("ErrorEquals") or ()]
            yield catcher["Next"], "catch", shortened(", ".join(errors))


def condition(rule: Mapping[str, Any]) -> str:
    """A choice rule in words: ``$.n NumericGreaterThan 5``, ``not ($.x IsPresent true)``, ``{% $n > 5 %}``."""
    if "Condition" in rule:
        return str(rule["Condition"])
    for word in ("And", "Or"):
        if word in rule:
            return f" {word.lower()} ".join(f"({condition(inner)})" for inner in _objects(rule[word]))
    if isinstance(rule.get("Not"), Mapping):
        return f"not ({condition(rule['Not'])})"
    comparisons = (
        f"{name} {dumps(value)}"
        for name, value in rule.items()
        if name not in {"Variable", "Next", "Comment", "Assign", "Output"}
    )
    return f"{rule.get('Variable', '')} {' '.join(comparisons)}".strip()


def note(state: Mapping[str, Any]) -> str:
    """A few words on what a state does: its resource, how long it waits, its error."""
    kind = state.get("Type")
    if kind == "Task":
        resource = str(state.get("Resource", ""))
        return resource.split(":::", 1)[-1] if ":::" in resource else ":".join(resource.split(":")[5:]) or resource
    if kind == "Wait":
        return next(
            (f"{k} {state[k]}" for k in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if k in state), ""
        )
    if kind == "Fail":
        return str(state.get("Error", state.get("ErrorPath", "")))
    if kind == "Map":
        processor = state.get("ItemProcessor")
        config = processor.get("ProcessorConfig") if isinstance(processor, Mapping) else None
        return "distributed" if isinstance(config, Mapping) and config.get("Mode") == "DISTRIBUTED" else ""
    return ""


def shortened(text: str, characters: int = LABEL_CHARACTERS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"


def _inner(state: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if state.get("Type") == "Parallel":
        for place, branch in enumerate(state.get("Branches") or ()):
            yield f"Branches/{place}", branch
    elif state.get("Type") == "Map":
        for word in ("ItemProcessor", "Iterator"):
            if word in state:
                yield word, state[word]


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def _ends(state: Mapping[str, Any]) -> bool:
    return state.get("End") is True or state.get("Type") in {"Succeed", "Fail"}


def _merged(edges: list[Edge]) -> tuple[Edge, ...]:
    """Edges between the same two states become one, their labels joined."""
    found: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        first = found.setdefault((edge.source, edge.target), edge)
        if first is not edge:
            label = shortened(" | ".join(filter(None, (first.label, edge.label))))
            found[edge.source, edge.target] = replace(first, label=label)
    return tuple(found.values())
