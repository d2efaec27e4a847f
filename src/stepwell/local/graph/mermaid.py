"""A graph as a Mermaid flowchart: text that GitHub, GitLab and many editors draw.

Syntax: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.local.graph.model import END, MISSING, START, Edge, Graph, Node

# What stands around a node's label, by kind; everything else is a rectangle.
SHAPES = {
    START: ("((", "))"),
    END: ("(((", ")))"),
    "Choice": ("{", "}"),
    "Wait": ("([", "])"),
    "Succeed": ("([", "])"),
    "Fail": ("([", "])"),
    "Pass": ("(", ")"),
}
ARROWS = {"next": "-->", "choice": "-->", "default": "-->", "catch": "-.->"}
CLASSES = {"Fail": "fail", "Succeed": "good", MISSING: "missing"}
STYLES = (
    "classDef fail stroke:#c0392b,stroke-width:2px",
    "classDef good stroke:#1e8449,stroke-width:2px",
    "classDef missing stroke:#c0392b,stroke-dasharray:4",
)


def write(graph: Graph) -> str:
    """The whole flowchart, ending in a line break."""
    lines = ["flowchart TD", *_block(graph, 1)]
    named: dict[str, list[str]] = {}
    for node in graph.all_nodes():
        if node.kind in CLASSES:
            named.setdefault(CLASSES[node.kind], []).append(node.id)
    lines += [f"    {style}" for style in STYLES if style.split()[1] in named]
    lines += [f"    class {','.join(ids)} {name}" for name, ids in named.items()]
    return "\n".join(lines) + "\n"


def _block(graph: Graph, depth: int) -> Iterator[str]:
    indent = "    " * depth
    for node in graph.nodes:
        if node.blocks:
            yield from _cluster(node, depth)
        else:
            opening, closing = SHAPES.get(node.kind, ("[", "]"))
            yield f"{indent}{node.id}{opening}{_quoted(_label(node))}{closing}"
    for edge in graph.edges:
        yield indent + _edge(edge)


def _cluster(node: Node, depth: int) -> Iterator[str]:
    """A Parallel's branches each get a box of their own; a Map's processor stands in the Map's box."""
    indent = "    " * depth
    yield f"{indent}subgraph {node.id}[{_quoted(_label(node))}]"
    if len(node.blocks) == 1:
        yield from _block(node.blocks[0], depth + 1)
    else:
        for number, block in enumerate(node.blocks, 1):
            yield f"{indent}    subgraph {node.id}b{number}[{_quoted(f'branch {number}')}]"
            yield from _block(block, depth + 2)
            yield f"{indent}    end"
    yield f"{indent}end"


def _edge(edge: Edge) -> str:
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"{edge.source} {ARROWS[edge.kind]}{label} {edge.target}"


def _label(node: Node) -> str:
    if node.kind in {START, END, MISSING}:
        return node.name
    return f"{node.name}\n{' '.join(filter(None, (node.kind, node.note)))}"


def _quoted(text: str) -> str:
    """Mermaid has no escapes in labels but entities with a hash mark."""
    safe = text.replace("#", "#35;")
    for char, entity in (('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"), ("\n", "<br>")):
        safe = safe.replace(char, entity)
    return f'"{safe}"'
