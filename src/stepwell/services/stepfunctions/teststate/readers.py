"""Items as an ItemReader would have read them, from the data that a request gives instead of an S3 object.

``InputType`` JSON, JSONL and CSV; other types are refused by name. Source:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from stepwell.kernel.errors import JsonSyntaxError, StateError
from stepwell.kernel.jsontext import loads
from stepwell.services.stepfunctions import faults

FAILED = "States.ItemReaderFailed"
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
Config = dict[str, Any]


def read(reader: dict[str, Any], text: str) -> list[Any]:
    """Raises StateError (States.ItemReaderFailed) for data that does not fit; ValidationException for another type."""
    config = reader.get("ReaderConfig") or {}
    kind = config.get("InputType", "JSON")  # a listing of objects has none: its items are JSON
    parse = _READERS.get(kind)
    if parse is None:
        raise faults.not_yet(f"MapItemReaderData of the InputType '{kind}'")
    items = parse(text, config)
    most = config.get("MaxItems")
    return items[:most] if isinstance(most, int) and most > 0 else items


def _json(text: str, config: Config) -> list[Any]:
    value = _pointed(_load(text), config.get("ItemsPointer"))
    if isinstance(value, dict):
        return [{"Key": key, "Value": item} for key, item in value.items()]
    if not isinstance(value, list):
        raise StateError(FAILED, "Attempting to map over non-iterable node.")
    return value


def _pointed(value: Any, pointer: str | None) -> Any:
    """The part of a document that a JSON pointer (RFC 6901) names."""
    for step in (pointer or "").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise StateError(FAILED, f"The ItemsPointer '{pointer}' finds nothing in the data.")
    return value


def _json_lines(text: str, _config: Config) -> list[Any]:
    return [_load(line) for line in text.splitlines() if line.strip()]


def _csv(text: str, config: Config) -> list[Any]:
    delimiter = DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    if config.get("CSVHeaderLocation") == "GIVEN":
        headers: list[str] = config.get("CSVHeaders") or []
    elif rows:
        headers, rows = rows[0], rows[1:]
    else:
        headers = []
    return [dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False)) for row in rows]


def _load(text: str) -> Any:
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise StateError(FAILED, f"The data of the ItemReader is not JSON: {error.message}") from None


_READERS: dict[str, Callable[[str, Config], list[Any]]] = {"JSON": _json, "JSONL": _json_lines, "CSV": _csv}
