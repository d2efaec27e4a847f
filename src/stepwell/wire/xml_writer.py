"""Writes results as XML by the shape of an output.

Writers are closures compiled once per shape; each appends to a list of text parts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from stepwell.wire import scalars
from stepwell.wire.shapes import lazily

Write = Callable[[list[str], str, Any], None]  # the text so far, the element's name, the value

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(value: str) -> str:
    """Escaped for XML; characters that XML 1.0 cannot hold become U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", value), {"\r": "&#13;"})


def writer_of(shape: Shape) -> Write:
    if isinstance(shape, StructureShape):
        return _structure_writer(shape)
    if isinstance(shape, ListShape):
        return _list_writer(shape)
    if isinstance(shape, MapShape):
        return _map_writer(shape)
    convert = _XML_SCALARS.get(shape.type_name, scalar_text)

    def write(out: list[str], name: str, value: Any) -> None:
        out.append(f"<{name}>{xml_text(convert(value))}</{name}>")

    return write


def _structure_writer(shape: StructureShape) -> Write:
    members = {
        name: (str(member.serialization.get("name", name)), lazily(writer_of, member))
        for name, member in shape.members.items()
    }

    def write(out: list[str], name: str, value: dict[str, Any]) -> None:
        out.append(f"<{name}>")
        for member_name, (tag, writer) in members.items():
            item = value.get(member_name)
            if item is not None:
                writer(out, tag, item)
        out.append(f"</{name}>")

    return write


def _list_writer(shape: ListShape) -> Write:
    item = writer_of(shape.member)
    item_name = str(shape.member.serialization.get("name", "member"))
    flattened = shape.serialization.get("flattened", False)

    def write(out: list[str], name: str, value: Any) -> None:
        if flattened:
            for element in value:
                item(out, name, element)
            return
        out.append(f"<{name}>")
        for element in value:
            item(out, item_name, element)
        out.append(f"</{name}>")

    return write


def _map_writer(shape: MapShape) -> Write:
    key_name = str(shape.key.serialization.get("name", "key"))
    value_name = str(shape.value.serialization.get("name", "value"))
    key, item = writer_of(shape.key), writer_of(shape.value)
    flattened = shape.serialization.get("flattened", False)

    def write(out: list[str], name: str, value: dict[str, Any]) -> None:
        entry = name if flattened else "entry"
        if not flattened:
            out.append(f"<{name}>")
        for entry_key, entry_value in value.items():
            out.append(f"<{entry}>")
            key(out, key_name, entry_key)
            item(out, value_name, entry_value)
            out.append(f"</{entry}>")
        if not flattened:
            out.append(f"</{name}>")

    return write


def scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return scalars.float_text(value)
    return str(value)


_XML_SCALARS: dict[str, Callable[[Any], str]] = {"timestamp": scalars.moment_text, "blob": scalars.blob_text}
