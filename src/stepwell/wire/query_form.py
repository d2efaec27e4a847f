"""Reads a form as the input shape of an operation.

A form's dotted names are a tree, ``Tags.member.1.Key=k`` being ``{"Tags": {"member": {"1": {"Key": "k"}}}}``; readers
take the tree apart. Lists stand under ``member`` (or the name the model gives), maps under ``entry`` with ``key`` and
``value``; flattened ones leave that step out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from stepwell.wire import errors, scalars
from stepwell.wire.http import form_pairs
from stepwell.wire.shapes import lazily

Node = Any  # a str, or a dict of str to Node
Read = Callable[[Node], Any]

_LARGEST_INDEX_DIGITS = 9


def tree_of(form: str) -> dict[str, Node]:
    root: dict[str, Node] = {}
    for name, value in form_pairs(form):
        *path, last = name.split(".")
        node = root
        for step in path:
            below = node.get(step)
            if not isinstance(below, dict):
                below = node[step] = {}
            node = below
        if not isinstance(node.get(last), dict):
            node[last] = value
    return root


def reader_of(shape: Shape) -> Read:
    if isinstance(shape, StructureShape):
        return _structure_reader(shape)
    if isinstance(shape, ListShape):
        return _list_reader(shape)
    if isinstance(shape, MapShape):
        return _map_reader(shape)
    return _scalar_reader(shape.type_name)


def _structure_reader(shape: StructureShape) -> Read:
    names = {_form_name(name, member): name for name, member in shape.members.items()}
    readers = {name: lazily(reader_of, member) for name, member in shape.members.items()}

    def read(node: Node) -> dict[str, Any]:
        if not isinstance(node, dict):
            return {}
        return {names[key]: readers[names[key]](below) for key, below in node.items() if key in names}

    return read


def _list_reader(shape: ListShape) -> Read:
    step = None if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
    item = reader_of(shape.member)
    return lambda node: [item(below) for below in _indexed(node, step)]


def _map_reader(shape: MapShape) -> Read:
    step = None if shape.serialization.get("flattened") else "entry"
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    key, value = reader_of(shape.key), reader_of(shape.value)

    def read(node: Node) -> dict[str, Any]:
        found = {}
        for entry in _indexed(node, step):
            if isinstance(entry, dict) and key_name in entry:
                found[key(entry[key_name])] = value(entry.get(value_name, ""))
        return found

    return read


def _indexed(node: Node, step: str | None) -> list[Node]:
    """What stands under the numbers below a list or map, in the numbers' order; an empty value is an empty list."""
    if step is not None:
        node = node.get(step) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return []
    numbered = [
        (int(index), below)
        for index, below in node.items()
        if index.isascii() and index.isdigit() and len(index) <= _LARGEST_INDEX_DIGITS
    ]
    return [below for _, below in sorted(numbered, key=lambda pair: pair[0])]


def _scalar_reader(kind: str) -> Read:
    convert = _FORM_SCALARS[kind]

    def read(node: Node) -> Any:
        if isinstance(node, dict):
            raise errors.wrong_type(node, kind)
        return convert(node)

    return read


def _form_name(name: str, member: Shape) -> str:
    """A member's name in forms: its own, or that of the items if it is a flattened list with named items."""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name", member.serialization.get("name", name)))
    return str(member.serialization.get("name", name))


_FORM_SCALARS: dict[str, Read] = {
    "string": str,
    "character": str,
    "integer": lambda text: scalars.integer_of(text, "integer"),
    "long": lambda text: scalars.integer_of(text, "long"),
    "float": lambda text: scalars.float_of(text, "float"),
    "double": lambda text: scalars.float_of(text, "double"),
    "boolean": scalars.boolean_of,
    "timestamp": scalars.moment_of,
    "blob": scalars.blob_of,
}
