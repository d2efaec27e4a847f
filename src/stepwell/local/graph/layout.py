"""Where everything stands: layers and their order from a layout library, sizes and coordinates from here.

The library (fast-sugiyama) puts nodes in layers and orders each layer so that few edges cross; long
edges get a bend in each layer they pass. It does not know sizes, and blocks inside blocks have sizes of their own. So a
block is laid out from the inside out: its nodes' sizes are known first, then each layer is as high as its highest node,
and nodes are moved sideways towards the middle of their neighbours as far as order and gaps allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fast_sugiyama import from_edges

from stepwell.local.graph.model import END, START, Edge, Graph, Node, shortened

NODE_HEIGHT, LETTER, PADDING, NARROWEST = 44.0, 7.4, 18.0, 110.0
DOT = 26.0  # start and end
BEND = 10.0  # width kept free for an edge that passes a layer
ACROSS, DOWN, LABELLED = 34.0, 44.0, 22.0  # gaps; LABELLED is added where edges carry text
MARGIN, TITLE = 18.0, 34.0
LOOP = 90.0  # how far a state's edge to itself reaches out
SMALL_LETTER = 6.0  # of an edge's label
SWEEPS = 12
NAME_CHARACTERS = 34


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class PlacedNode:
    node: Node
    box: Box
    blocks: tuple[Placed, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """``points`` from the source's border to the target's; the path is vertical at each. ``word``: the label's middle."""

    edge: Edge
    points: tuple[Point, ...]
    word: Point


@dataclass(frozen=True, slots=True)
class Placed:
    """A laid out block; all coordinates are the whole picture's."""

    box: Box
    nodes: tuple[PlacedNode, ...]
    edges: tuple[PlacedEdge, ...]


def place(graph: Graph) -> Placed:
    """Lay out a graph with everything inside it; its own box starts at (0, 0)."""
    return _moved(_block(graph), 0.0, 0.0)


def label(node: Node) -> str:
    return shortened(node.name, NAME_CHARACTERS)


def caption(node: Node) -> str:
    return shortened(" · ".join(filter(None, (node.kind, node.note))), NAME_CHARACTERS + 6)


# ------------------------------------------------------------------------------------------------------ one block


@dataclass(slots=True)
class _Item:
    """Something in a layer: a node, or the bend of an edge (``node`` None)."""

    node: Node | None
    width: float
    height: float
    blocks: tuple[Placed, ...] = ()
    x: float = 0.0  # its middle
    layer: int = 0


Chains = dict[tuple[str, str], list[str]]
"""Each edge's stations, from its source over its bends to its target."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Layers from top to bottom with their upper edges, and where the picture's left edge is."""

    items: Mapping[str, _Item]
    layers: Sequence[Sequence[str]]
    tops: Sequence[float]
    left: float

    def band(self, item: _Item) -> tuple[float, float]:
        """Upper and lower edge of an item's layer."""
        top = self.tops[item.layer]
        return top, top + max(self.items[name].height for name in self.layers[item.layer])


def _block(graph: Graph) -> Placed:
    items = {node.id: _sized(node) for node in graph.nodes}
    layers, chains = _layers(graph, items)
    _straighten(layers, items, chains)
    tops = _tops(layers, items, {e.source for e in graph.edges if e.label})
    left = min(i.x - i.width / 2 for i in items.values()) - MARGIN
    right = max(i.x + i.width / 2 for i in items.values()) + MARGIN
    grid = _Grid(items, layers, tops, left)
    nodes = tuple(_placed(item.node, item, grid) for item in items.values() if item.node is not None)
    boxes = {placed.node.id: placed.box for placed in nodes}
    lines = {number: _points(edge, chains, boxes, grid) for number, edge in enumerate(graph.edges)}
    _spread(lines, graph.edges, boxes)
    edges = tuple(PlacedEdge(edge, tuple(lines[n]), _word(edge, lines[n])) for n, edge in enumerate(graph.edges))
    height = grid.band(items[layers[-1][0]])[1] + MARGIN
    return _widened(Placed(Box(0.0, 0.0, right - left, height), nodes, edges))


def _sized(node: Node) -> _Item:
    if node.kind in {START, END}:
        return _Item(node, DOT, DOT)
    width = max(NARROWEST, PADDING * 2 + LETTER * max(len(label(node)), 0.8 * len(caption(node))))
    if not node.blocks:
        return _Item(node, width, NODE_HEIGHT)
    blocks, x = [], MARGIN
    for inner in map(_block, node.blocks):
        blocks.append(_moved(inner, x, TITLE))
        x += inner.box.width + MARGIN
    height = TITLE + max(b.box.height for b in blocks) + MARGIN
    return _Item(node, max(width, x), height, tuple(blocks))


def _layers(graph: Graph, items: dict[str, _Item]) -> tuple[list[list[str]], Chains]:
    """The layers from top to bottom, each from left to right, and each edge's stations; adds the bends to ``items``.

    The library loses edges where there are cycles, several edges between two nodes, or several unconnected parts, so it
    is given one part at a time without any of these; and numbers, so that its answer is the same each time.
    """
    layers: list[list[str]] = []
    chains: Chains = {}
    edges = _downwards(graph)
    for part, names in enumerate(_parts(graph, edges)):
        numbers = {name: number for number, name in enumerate(names)}
        pairs = sorted((numbers[source], numbers[target]) for source, target in edges if source in numbers)
        if not pairs:
            layers[:0] = [] if layers else [[]]
            layers[0] += names
            continue
        ((positions, _, _, routed),) = from_edges(pairs)
        called = {key: names[int(key)] if int(key) < len(names) else f"bend {part} {key}" for key, _ in positions}
        for name in called.values():
            items.setdefault(name, _Item(None, BEND, 0.0))
        for depth, y in enumerate(sorted({y for _, (_, y) in positions}, reverse=True)):
            row = sorted((x, called[key]) for key, (x, at) in positions if at == y)
            while len(layers) <= depth:
                layers.append([])
            layers[depth] += [name for _, name in row]
        _follow([(called[s], called[t]) for s, t in routed or ()], items, chains)
    for depth, row_names in enumerate(layers):
        for name in row_names:
            items[name].layer = depth
    chains |= {(target, source): stations[::-1] for (source, target), stations in chains.items()}
    return layers, chains


def _parts(graph: Graph, edges: set[tuple[str, str]]) -> list[list[str]]:
    """The nodes in groups that hang together, in the graph's order."""
    part = {node.id: [node.id] for node in graph.nodes}
    for source, target in sorted(edges):
        one, other = part[source], part[target]
        if one is not other:
            one += other
            part.update(dict.fromkeys(other, one))
    place = {node.id: number for number, node in enumerate(graph.nodes)}
    found = {id(names): names for names in part.values()}
    return sorted((sorted(names, key=place.__getitem__) for names in found.values()), key=lambda names: place[names[0]])


def _downwards(graph: Graph) -> set[tuple[str, str]]:
    """The edges without loops, those that lead back turned round: seen from the start, depth first."""
    targets: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.source != edge.target:
            targets.setdefault(edge.source, []).append(edge.target)
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    first = next((node.id for node in graph.nodes if node.kind == START), graph.start)
    for root in [first, *(node.id for node in graph.nodes)]:
        if root in seen:
            continue
        seen.add(root)
        path, onward = [root], [iter(targets.get(root, ()))]
        while path:
            target = next(onward[-1], None)
            if target is None:
                path.pop()
                onward.pop()
                continue
            found.add((target, path[-1]) if target in path else (path[-1], target))
            if target not in seen:
                seen.add(target)
                path.append(target)
                onward.append(iter(targets.get(target, ())))
    return found


def _follow(steps: Iterable[tuple[str, str]], items: Mapping[str, _Item], chains: Chains) -> None:
    """Put an edge's steps from bend to bend together again; a bend has one step in and one out."""
    after: dict[str, list[str]] = {}
    for source, target in steps:
        after.setdefault(source, []).append(target)
    for source, targets in after.items():
        if items[source].node is None:
            continue
        for target in targets:
            stations = [source, target]
            while items[stations[-1]].node is None:
                stations.append(after[stations[-1]][0])
            chains[source, stations[-1]] = stations


def _straighten(layers: Sequence[Sequence[str]], items: Mapping[str, _Item], chains: Chains) -> None:
    """Move items sideways towards their neighbours, down and up again, several times."""
    above: dict[str, list[_Item]] = {name: [] for name in items}
    below: dict[str, list[_Item]] = {name: [] for name in items}
    for stations in chains.values():
        for here, there in pairwise(stations):
            first, second = (here, there) if items[here].layer < items[there].layer else (there, here)
            below[first].append(items[second])
            above[second].append(items[first])
    for row in layers:
        _settle([items[n] for n in row], [0.0] * len(row))
    for sweep in range(SWEEPS):
        neighbours, rows = (above, layers[1:]) if sweep % 2 == 0 else (below, list(reversed(layers[:-1])))
        for row in rows:
            wanted = [_mean(neighbours[n], items[n].x) for n in row]
            _settle([items[n] for n in row], wanted)


def _mean(neighbours: Sequence[_Item], here: float) -> float:
    return sum(n.x for n in neighbours) / len(neighbours) if neighbours else here


def _settle(row: Sequence[_Item], wanted: Sequence[float]) -> None:
    """Put a layer as near to the wanted middles as its order and gaps allow: least squares by pooling adjacent violators."""
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + ACROSS)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other_mean, other_count = pools.pop()
            mean = (mean * count + other_mean * other_count) / (count + other_count)
            count += other_count
        pools.append((mean, count))
    spread = (mean for mean, count in pools for _ in range(count))
    for item, mean, offset in zip(row, spread, offsets, strict=True):
        item.x = mean + offset


def _tops(layers: Sequence[Sequence[str]], items: Mapping[str, _Item], labelled: set[str]) -> list[float]:
    tops = [MARGIN]
    for row in layers[:-1]:
        gap = DOWN + (LABELLED if any(name in labelled for name in row) else 0.0)
        tops.append(tops[-1] + max(items[name].height for name in row) + gap)
    return tops


def _placed(node: Node, item: _Item, grid: _Grid) -> PlacedNode:
    top, bottom = grid.band(item)
    x, y = item.x - item.width / 2 - grid.left, (top + bottom - item.height) / 2
    return PlacedNode(node, Box(x, y, item.width, item.height), tuple(_moved(block, x, y) for block in item.blocks))


def _points(edge: Edge, chains: Chains, boxes: Mapping[str, Box], grid: _Grid) -> list[Point]:
    source, target = boxes[edge.source], boxes[edge.target]
    if edge.source == edge.target:
        return [(source.middle, source.bottom), (source.middle, source.y)]
    stations = [grid.items[name] for name in chains[edge.source, edge.target]]
    downwards = stations[1].layer > stations[0].layer
    points = [(source.middle, source.bottom if downwards else source.y)]
    for bend in stations[1:-1]:
        top, bottom = grid.band(bend)
        x = bend.x - grid.left
        points += [(x, top), (x, bottom)] if downwards else [(x, bottom), (x, top)]
    points.append((target.middle, target.y if downwards else target.bottom))
    return points


def _spread(lines: Mapping[int, list[Point]], edges: Sequence[Edge], boxes: Mapping[str, Box]) -> None:
    """Where several edges meet a side of a node, move their ends apart, in the order of where they come from."""
    sides: dict[tuple[str, float], list[tuple[float, int, int]]] = {}
    for number, points in lines.items():
        edge = edges[number]
        if edge.source != edge.target:
            sides.setdefault((edge.source, points[0][1]), []).append((points[1][0], number, 0))
            sides.setdefault((edge.target, points[-1][1]), []).append((points[-2][0], number, -1))
    for (name, y), ends in sides.items():
        box = boxes[name]
        if len(ends) == 1 or box.width <= DOT:
            continue
        room = box.width - 2 * PADDING
        for place, (_, number, end) in enumerate(sorted(ends), 1):
            lines[number][end] = (box.x + PADDING + room * place / (len(ends) + 1), y)


def _word(edge: Edge, points: Sequence[Point]) -> Point:
    """On the first stretch, nearer to where it goes than whence; a loop's label stands beside the loop."""
    (x, y), (to_x, to_y) = points[0], points[1]
    if edge.source == edge.target:
        return x + LOOP + len(edge.label) * SMALL_LETTER / 2, (y + to_y) / 2
    return x + (to_x - x) * 0.74, y + (to_y - y) * 0.62


def _widened(placed: Placed) -> Placed:
    """With room for labels that reach over the block's sides."""
    halves = [(e.word[0], len(e.edge.label) * SMALL_LETTER / 2 + MARGIN / 2) for e in placed.edges if e.edge.label]
    left = max([0.0, *(half - x for x, half in halves)])
    right = max([0.0, *(x + half - placed.box.width for x, half in halves)])
    moved = _moved(placed, left, 0.0)
    return replace(moved, box=Box(0.0, 0.0, placed.box.width + left + right, placed.box.height))


def _moved(placed: Placed, x: float, y: float) -> Placed:
    def shift(box: Box) -> Box:
        return Box(box.x + x, box.y + y, box.width, box.height)

    return Placed(
        shift(placed.box),
        tuple(PlacedNode(n.node, shift(n.box), tuple(_moved(block, x, y) for block in n.blocks)) for n in placed.nodes),
        tuple(
            PlacedEdge(e.edge, tuple((px + x, py + y) for px, py in e.points), (e.word[0] + x, e.word[1] + y))
            for e in placed.edges
        ),
    )
