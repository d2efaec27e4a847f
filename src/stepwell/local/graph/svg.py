"""A laid out graph as SVG. Colours follow the viewer's light or dark scheme; no script, no font of its own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from stepwell.local.graph.layout import LOOP, Box, Placed, PlacedEdge, PlacedNode, caption, label
from stepwell.local.graph.model import END, MISSING, START

STYLE = """
svg { background: #ffffff; font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
.node rect, .node polygon { fill: #ffffff; stroke: #5b6b7f; stroke-width: 1.4; }
.node text { fill: #17202a; font-size: 13px; font-weight: 600; text-anchor: middle; }
.node text.caption { fill: #5b6b7f; font-size: 10.5px; font-weight: 400; }
.Task rect { stroke: #b9770e; fill: #fef5e7; } .Choice polygon { stroke: #7d3c98; fill: #f5eef8; }
.Wait rect { stroke: #2471a3; fill: #eaf2f8; } .Succeed rect { stroke: #1e8449; fill: #e9f7ef; }
.Fail rect { stroke: #c0392b; fill: #fdedec; } .missing rect { stroke: #c0392b; stroke-dasharray: 4; }
.cluster rect { fill: #5b6b7f; fill-opacity: 0.06; stroke: #5b6b7f; stroke-dasharray: 5 4; }
.cluster text { text-anchor: start; }
.branch { fill: none; stroke: #5b6b7f; stroke-opacity: 0.35; stroke-dasharray: 3 4; }
.dot { fill: #17202a; } .ring { fill: none; stroke: #17202a; stroke-width: 1.6; }
.edge { fill: none; stroke: #5b6b7f; stroke-width: 1.4; } .catch { stroke: #c0392b; stroke-dasharray: 5 3; }
.tip { fill: #5b6b7f; }
.word { fill: #34495e; font-size: 11px; text-anchor: middle; }
.halo { fill: #ffffff; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
@media (prefers-color-scheme: dark) {
svg { background: #10161d; } .node rect, .node polygon { fill: #17202a; stroke: #90a0b2; }
.node text { fill: #ecf0f1; } .node text.caption { fill: #a3b1c0; }
.Task rect { fill: #2b2112; stroke: #d68910; } .Choice polygon { fill: #241a2b; stroke: #af7ac5; }
.Wait rect { fill: #14222e; stroke: #5dade2; } .Succeed rect { fill: #14271c; stroke: #52be80; }
.Fail rect { fill: #2c1614; stroke: #ec7063; } .cluster rect { fill: #90a0b2; fill-opacity: 0.08; stroke: #90a0b2; }
.dot { fill: #ecf0f1; } .ring { stroke: #ecf0f1; } .edge { stroke: #90a0b2; } .catch { stroke: #ec7063; }
.tip { fill: #90a0b2; } .word { fill: #d5dbe1; } .halo { fill: #10161d; stroke: #10161d; }
}
"""
SLANT = 14.0  # how far a choice's sides lean in


def write(placed: Placed, title: str = "State machine") -> str:
    """The whole document."""
    width, height = round(placed.box.width), round(placed.box.height)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>',
            *_block(placed),
            "</svg>\n",
        )
    )


def _block(placed: Placed) -> Iterator[str]:
    """Clusters first, so that edges and nodes lie on top of them; words last."""
    for node in placed.nodes:
        if node.blocks:
            yield from _cluster(node)
    for edge in placed.edges:
        yield _edge(edge)
    for node in placed.nodes:
        if not node.blocks:
            yield _node(node)
    for edge in placed.edges:
        if edge.edge.label:
            yield _word(edge)


def _cluster(placed: PlacedNode) -> Iterator[str]:
    node, box = placed.node, placed.box
    yield (
        f'<g class="node cluster {escape(node.kind)}">{_title(placed)}{_rect(box, 10)}'
        f'<text x="{box.x + 14:.1f}" y="{box.y + 22:.1f}">{escape(label(node))} '
        f'<tspan class="caption" font-size="10.5" font-weight="400">{escape(caption(node))}</tspan></text></g>'
    )
    for block in placed.blocks:
        if len(placed.blocks) > 1:
            b = block.box
            size = f'width="{b.width:.1f}" height="{b.height:.1f}"'
            yield f'<rect class="branch" x="{b.x:.1f}" y="{b.y:.1f}" {size} rx="8"/>'
        yield from _block(block)


def _node(placed: PlacedNode) -> str:
    node, box = placed.node, placed.box
    x, y = box.middle, box.y + box.height / 2
    if node.kind in {START, END}:
        ring = f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="12"/>'
        dot = f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
        return f"<g>{_title(placed)}{ring if node.kind == END else ''}{dot}</g>"
    shape = (
        _hexagon(box) if node.kind == "Choice" else _rect(box, 20 if node.kind in {"Wait", "Succeed", "Fail"} else 7)
    )
    kind = node.kind if node.kind != MISSING else "missing"
    return (
        f'<g class="node {escape(kind)}">{_title(placed)}{shape}'
        f'<text x="{x:.1f}" y="{y - 2:.1f}">{escape(label(node))}</text>'
        f'<text class="caption" x="{x:.1f}" y="{y + 14:.1f}">{escape(caption(node))}</text></g>'
    )


def _edge(placed: PlacedEdge) -> str:
    kind = "edge catch" if placed.edge.kind == "catch" else "edge"
    if placed.edge.source == placed.edge.target:
        (x, bottom), (_, top) = placed.points
        path = f"M{x:.1f} {bottom:.1f}C{x:.1f} {bottom + 34:.1f} {x + LOOP:.1f} {bottom + 20:.1f} {x + LOOP:.1f} "
        path += f"{(top + bottom) / 2:.1f}S{x + 20:.1f} {top - 34:.1f} {x:.1f} {top:.1f}"
        return f'<path class="{kind}" marker-end="url(#tip)" d="{path}"/>'
    points = iter(placed.points)
    x, y = next(points)
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in points:
        middle = (y + to_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return f'<path class="{kind}" marker-end="url(#tip)" d="{"".join(parts)}"/>'


def _word(placed: PlacedEdge) -> str:
    x, y = placed.word
    place, text = f'x="{x:.1f}" y="{y + 4:.1f}"', escape(placed.edge.label)
    return f'<text class="word halo" {place}>{text}</text><text class="word" {place}>{text}</text>'


def _title(placed: PlacedNode) -> str:
    node = placed.node
    return f"<title>{escape(node.name)}{escape(f': {node.kind} {node.note}' if node.kind else '')}</title>"


def _rect(box: Box, radius: float) -> str:
    return f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}"/>'


def _hexagon(box: Box) -> str:
    left, right, middle = box.x, box.x + box.width, box.y + box.height / 2
    points = (
        (left, middle),
        (left + SLANT, box.y),
        (right - SLANT, box.y),
        (right, middle),
        (right - SLANT, box.bottom),
        (left + SLANT, box.bottom),
    )
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
