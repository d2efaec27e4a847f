"""JSON with the integrations' PascalCase names <-> the parameters and results of a service's operation.

Two namings of a member exist, as the two generations of the AWS SDK for Java name it::

    model                     optimised                 aws-sdk
    patchOperations[].op      PatchOperations[].Op      PatchOperations[].Op
    MD5OfMessageBody          MD5OfMessageBody          Md5OfMessageBody
    DBInstanceIdentifier      DBInstanceIdentifier      DbInstanceIdentifier

    timestamp in a result     1659425992717 (ms)        "2022-08-02T07:39:52.717Z"

Sources: recorded: services__test_* (casing, text bodies, order of members); public execution data (times of the first
generation); AWS SDK for Java 2.x (member naming, Instant.toString).

A shape is compiled once into closures, kept by naming, so that a call walks data and not the model.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from stepwell.asl.casing import Naming, first_generation_name, sdk_name
from stepwell.kernel.jsontext import dumps

Intake = Callable[[Any, str, list[str]], Any]  # value, name of its field, where to put reasons why it cannot be used
Outlet = Callable[[Any], Any]


# ---------------------------------------------------------------------------------------------- JSON -> parameters


class Intakes:
    """Compiled readers of parameters under one naming."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._made: dict[int, tuple[Shape, Intake]] = {}

    @property
    def compiled(self) -> int:
        """How many shapes were compiled so far."""
        return len(self._made)

    def read(self, shape: Shape | None, value: Any) -> tuple[dict[str, Any], list[str]]:
        """The operation's parameters and, in AWS's words, the reasons why they cannot be used (empty when they can)."""
        reasons: list[str] = []
        if shape is None:
            reasons.extend(_unsupported(name) for name in value or {})
            return {}, reasons
        params = self.of(shape)(value if value is not None else {}, "Parameters", reasons)
        if not reasons:
            reasons.extend(
                f"The field '{self._naming(name)}' is required but was missing"
                for name, member in shape.members.items()
                if member.serialization.get("location") == "uri" and name not in params
            )
        return params or {}, reasons

    def of(self, shape: Shape) -> Intake:
        found = self._made.get(id(shape))
        if found is None:
            intake = self._compile(shape)
            self._made[id(shape)] = (shape, intake)
            return intake
        return found[1]

    def _compile(self, shape: Shape) -> Intake:
        if getattr(shape, "is_document_type", False):
            return lambda value, name, reasons: value
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        return _SCALARS[shape.type_name]

    def _structure(self, shape: StructureShape) -> Intake:
        members: dict[str, tuple[str, Shape]] = {}
        for name, member in shape.members.items():
            members[self._naming(name)] = (name, member)

        def intake(value: Any, field: str, reasons: list[str]) -> Any:
            if not isinstance(value, dict):
                return reasons.append(_bad(field))
            params = {}
            for key, item in value.items():
                found = members.get(key)
                if found is None:
                    reasons.append(_unsupported(key))
                elif (
                    item is not None
                ):  # null is the same as leaving the field out (recorded: test_start_execution_sync2)
                    params[found[0]] = self.of(found[1])(item, key, reasons)
            return params

        return intake

    def _list(self, shape: ListShape) -> Intake:
        def intake(value: Any, field: str, reasons: list[str]) -> Any:
            if not isinstance(value, list):
                return reasons.append(_bad(field))
            member = self.of(shape.member)
            return [member(item, field, reasons) for item in value]

        return intake

    def _map(self, shape: MapShape) -> Intake:
        def intake(value: Any, field: str, reasons: list[str]) -> Any:
            if not isinstance(value, dict):
                return reasons.append(_bad(field))
            member = self.of(shape.value)
            return {key: member(item, key, reasons) for key, item in value.items() if item is not None}

        return intake


def _bad(field: str) -> str:
    return f"The value of the field '{field}' has an invalid format"


def _unsupported(field: str) -> str:
    return f'The field "{field}" is not supported by Step Functions'


def _string(value: Any, field: str, reasons: list[str]) -> Any:
    return value if isinstance(value, str) else reasons.append(_bad(field))


def _integer(value: Any, field: str, reasons: list[str]) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return reasons.append(_bad(field))


def _number(value: Any, field: str, reasons: list[str]) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else reasons.append(_bad(field))


def _boolean(value: Any, field: str, reasons: list[str]) -> Any:
    return value if isinstance(value, bool) else reasons.append(_bad(field))


def _blob(value: Any, field: str, reasons: list[str]) -> Any:
    """Text as it is, anything else as compact JSON (recorded: test_s3_put_object)."""
    return (value if isinstance(value, str) else dumps(value)).encode()


def _timestamp(value: Any, field: str, reasons: list[str]) -> Any:
    """Seconds since the epoch from a number or an ISO 8601 text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return reasons.append(_bad(field))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


_SCALARS: Mapping[str, Intake] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "bigInteger": _integer,
    "float": _number,
    "double": _number,
    "bigDecimal": _number,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}


# -------------------------------------------------------------------------------------------------- result -> JSON


class Outlets:
    """Compiled writers of results under one naming and one way to write a time; ``ordered`` sorts members by name."""

    def __init__(self, naming: Naming, time: Callable[[float], Any], *, ordered: bool) -> None:
        self._naming = naming
        self._time = time
        self._ordered = ordered
        self._made: dict[int, tuple[Shape, Outlet]] = {}

    def write(self, shape: Shape | None, result: Mapping[str, Any]) -> dict[str, Any]:
        if shape is None:
            return {}
        written: dict[str, Any] = self.of(shape)(result)
        return written

    def of(self, shape: Shape) -> Outlet:
        found = self._made.get(id(shape))
        if found is None:
            outlet = self._compile(shape)
            self._made[id(shape)] = (shape, outlet)
            return outlet
        return found[1]

    def _compile(self, shape: Shape) -> Outlet:
        if isinstance(shape, StructureShape) and not getattr(shape, "is_document_type", False):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return lambda value: [self.of(shape.member)(item) for item in value]
        if isinstance(shape, MapShape):
            return lambda value: {key: self.of(shape.value)(item) for key, item in value.items()}
        if shape.type_name == "timestamp":
            return lambda value: self._time(_seconds(value))
        if shape.type_name == "blob":
            return blob_text
        return lambda value: value

    def _structure(self, shape: StructureShape) -> Outlet:
        names = {name: self._naming(name) for name in shape.members}
        members = shape.members

        def outlet(value: Mapping[str, Any]) -> dict[str, Any]:
            written = {
                names[name]: self.of(members[name])(item)
                for name, item in value.items()
                if item is not None and name in names
            }
            return dict(sorted(written.items())) if self._ordered else written

        return outlet


def _seconds(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else float(value)


def blob_text(value: Any) -> str:
    """Bytes as text where they are text (recorded: test_s3_get_object), else in base64 (assumed)."""
    if isinstance(value, str):
        return value
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def milliseconds(seconds: float) -> int:
    """The first generation's times."""
    return round(seconds * 1000)


def instant(seconds: float) -> str:
    """The second generation's times: ``2022-08-02T07:39:52.717Z``, without a fraction if it is zero."""
    micros = round(seconds * 1_000_000)
    text = datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = micros % 1_000_000
    if not fraction:
        return f"{text}Z"
    return f"{text}.{fraction // 1000:03d}Z" if fraction % 1000 == 0 else f"{text}.{fraction:06d}Z"


FIRST_GENERATION_IN = Intakes(first_generation_name)
FIRST_GENERATION_OUT = Outlets(first_generation_name, milliseconds, ordered=True)
SDK_IN = Intakes(sdk_name)
SDK_OUT = Outlets(sdk_name, instant, ordered=False)
