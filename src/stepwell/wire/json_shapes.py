"""Shapes between JSON values and parameters or results, for all protocols that speak JSON.

Readers (JSON to parameters) and writers (results to JSON) are closures compiled once per shape, so a request costs one
pass over what it holds and the model is not looked at again. Unknown members are ignored, null means "not there".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from botocore.model import Shape

from stepwell.wire import errors, scalars

Convert = Callable[[Any], Any]


class _Shapes:
    """Compiles shapes to closures, each shape once; a shape that holds itself refers to itself through the table."""

    def __init__(self) -> None:
        self._made: dict[str, Convert] = {}

    def structure_of(self, shape: Shape | None) -> Convert:
        return self.of(shape) if shape is not None else self._structure({})

    def of(self, shape: Shape) -> Convert:
        made = self._made
        if shape.name not in made:
            made[shape.name] = _Later(made, shape.name)  # for shapes below that hold this one
            made[shape.name] = self._compile(shape)
        return made[shape.name]

    def _compile(self, shape: Shape) -> Convert:
        if getattr(shape, "is_document_type", False):
            return _same
        if shape.type_name == "structure":
            return self._structure(
                {_wire_name(name, member): (name, self.of(member)) for name, member in shape.members.items()}
            )
        if shape.type_name == "list":
            return self._list(self.of(shape.member))
        if shape.type_name == "map":
            return self._map(self.of(shape.value))
        return self._scalar(shape.type_name)

    def _structure(self, members: dict[str, tuple[str, Convert]]) -> Convert:
        raise NotImplementedError

    def _list(self, item: Convert) -> Convert:
        raise NotImplementedError

    def _map(self, item: Convert) -> Convert:
        raise NotImplementedError

    def _scalar(self, kind: str) -> Convert:
        raise NotImplementedError


class Readers(_Shapes):
    """JSON values to parameters. A null in a list or map is dropped, as AWS does."""

    def _structure(self, members: dict[str, tuple[str, Convert]]) -> Convert:
        find = members.get

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise errors.wrong_type(value, "structure")
            found = {}
            for key, item in value.items():
                member = find(key)
                if member is not None and item is not None:
                    found[member[0]] = member[1](item)
            return found

        return read

    def _list(self, item: Convert) -> Convert:
        def read(value: Any) -> list[Any]:
            if type(value) is not list:
                raise errors.wrong_type(value, "list")
            return [item(element) for element in value if element is not None]

        return read

    def _map(self, item: Convert) -> Convert:
        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise errors.wrong_type(value, "map")
            return {key: item(element) for key, element in value.items() if element is not None}

        return read

    def _scalar(self, kind: str) -> Convert:
        return _SCALAR_READERS[kind]


class Writers(_Shapes):
    """Results to JSON values."""

    def _structure(self, members: dict[str, tuple[str, Convert]]) -> Convert:
        names = {name: (key, convert) for key, (name, convert) in members.items()}
        find = names.get

        def write(value: dict[str, Any]) -> dict[str, Any]:
            found = {}
            for name, item in value.items():
                member = find(name)
                if member is not None and item is not None:
                    found[member[0]] = item if member[1] is _same else member[1](item)
            return found

        return write

    def _list(self, item: Convert) -> Convert:
        if item is _same:
            return _same
        return lambda value: [item(element) for element in value]

    def _map(self, item: Convert) -> Convert:
        if item is _same:
            return _same
        return lambda value: {key: item(element) for key, element in value.items()}

    def _scalar(self, kind: str) -> Convert:
        return _SCALAR_WRITERS.get(kind, _same)


class _Later:
    """Stands for a shape's closure until that is made."""

    __slots__ = ("_made", "_name")

    def __init__(self, made: dict[str, Convert], name: str) -> None:
        self._made, self._name = made, name

    def __call__(self, value: Any) -> Any:
        return self._made[self._name](value)


def _wire_name(name: str, member: Shape) -> str:
    return str(member.serialization.get("name", name))


def _same(value: Any) -> Any:
    return value


def _read_string(value: Any) -> str:
    if type(value) is not str:
        raise errors.wrong_type(value, "string")
    return value


def _integer_reader(kind: str) -> Convert:
    def read(value: Any) -> int:
        if type(value) is int or type(value) is float:
            return scalars.clamp(value, kind)
        raise errors.wrong_type(value, kind)

    return read


def _float_reader(kind: str) -> Convert:
    def read(value: Any) -> float:
        if type(value) is float or type(value) is int:
            return _finite(value)
        if type(value) is str and value in scalars.SPECIAL_FLOATS:
            return scalars.SPECIAL_FLOATS[value]
        raise errors.wrong_type(value, kind)

    return read


def _finite(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _read_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is str:
        return scalars.boolean_of(value)
    raise errors.wrong_type(value, "boolean")


def _read_timestamp(value: Any) -> float:
    if type(value) is float or type(value) is int:
        moment = _finite(value)
        if math.isfinite(moment):
            return round(moment, 3)
    elif type(value) is str:
        return scalars.moment_of(value)
    raise errors.wrong_type(value, "timestamp")


def _read_blob(value: Any) -> bytes:
    return scalars.blob_of(_read_string(value))


def _write_timestamp(value: float) -> float:
    return round(value, 3)


def _write_float(value: float) -> float | str:
    return value if math.isfinite(value) else scalars.float_text(value)


_SCALAR_READERS: dict[str, Convert] = {
    "string": _read_string,
    "character": _read_string,
    "integer": _integer_reader("integer"),
    "long": _integer_reader("long"),
    "float": _float_reader("float"),
    "double": _float_reader("double"),
    "boolean": _read_boolean,
    "timestamp": _read_timestamp,
    "blob": _read_blob,
}
_SCALAR_WRITERS: dict[str, Convert] = {
    "timestamp": _write_timestamp,
    "blob": scalars.blob_text,
    "float": _write_float,
    "double": _write_float,
}
