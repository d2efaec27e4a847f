"""Objects: ``{...}`` on its own, and as a grouping of a sequence by key (``items{category: price}``)."""

from __future__ import annotations

from typing import Any

from stepwell.lang.jsonata.compiling import Closure, compile_node, compiles
from stepwell.lang.jsonata.errors import EvaluationError
from stepwell.lang.jsonata.runtime import Frame
from stepwell.lang.jsonata.syntax import Node
from stepwell.lang.jsonata.values import UNDEFINED, Sequence, append


@compiles("group")
def compile_group(node: Node) -> Closure:
    pairs = [(compile_node(key), compile_node(value)) for key, value in node.lhs]

    def evaluate(value: Any, frame: Frame) -> Any:
        if not isinstance(value, list):
            return _single(pairs, value, frame)
        if not value:
            return _single(pairs, UNDEFINED, frame)
        return _grouped(pairs, value, frame)

    return evaluate


_Pairs = list[tuple[Closure, Closure]]


def _single(pairs: _Pairs, item: Any, frame: Frame) -> dict[str, Any]:
    """An object from one item. Keys are all found before any value is computed."""
    found: dict[str, Closure] = {}
    for key_of, value_of in pairs:
        key = _key(key_of(item, frame))
        if key is None:
            continue
        if key in found:
            raise EvaluationError("D1009", value=key)
        found[key] = value_of
    made = {}
    for key, value_of in found.items():
        value = value_of(item, frame)
        if value is not UNDEFINED:
            made[key] = value
    return made


def _key(key: Any) -> str | None:
    if type(key) is str:
        return key
    if key is UNDEFINED:
        return None
    raise EvaluationError("T1003", value=key)


def _grouped(pairs: _Pairs, items: list[Any], frame: Frame) -> dict[str, Any]:
    stream = type(items) is Sequence and items.tuples
    groups: dict[str, tuple[int, list[Any]]] = {}
    for item in items:
        frame.runtime.tick()
        inner = Frame(frame, item, frame.runtime) if stream else frame
        context = item["@"] if stream else item
        for position, (key_of, _) in enumerate(pairs):
            key = _key(key_of(context, inner))
            if key is None:
                continue
            first, members = groups.setdefault(key, (position, []))
            if first != position:
                raise EvaluationError("D1009", value=key)
            members.append(item)
    made = {}
    for key, (position, members) in groups.items():
        frame.runtime.tick()
        if stream:
            merged = _merged(members)
            value = pairs[position][1](merged.pop("@"), Frame(frame, merged, frame.runtime))
        else:
            value = pairs[position][1](_data(members), frame)
        if value is not UNDEFINED:
            made[key] = value
    return made


def _data(members: list[Any]) -> Any:
    """What a group's value is computed from: its only member as it is, or all of them end to end."""
    if len(members) == 1:
        return members[0]
    joined = Sequence()
    for member in members:
        if isinstance(member, list):
            joined.extend(member)
        elif member is not UNDEFINED:
            joined.append(member)
    return list(joined)


def _merged(members: list[dict[str, Any]]) -> dict[str, Any]:
    merged = dict(members[0])
    if len(members) == 1:
        return merged
    for name in merged:
        value: Any = UNDEFINED
        joined: list[Any] = []
        for member in members:
            value = member.get(name, UNDEFINED)
            joined = append(joined, value)
        merged[name] = joined
    return merged
