"""Types of the fields of ItemReader and ItemBatcher that a test reads, which may come here unchecked.

The definition checker does not look into fields of a feature that executions do not have yet; a test mocks what is behind them.
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.check.walker import TYPES
from stepwell.asl.diagnostics import DefinitionError, Diagnostic
from stepwell.kernel.errors import ServiceError, StepwellError
from stepwell.services.stepfunctions.teststate.subject import NAME

SCHEMA = "SCHEMA_VALIDATION_FAILED"
FIELDS: dict[tuple[str, ...], type] = {  # an owner stands before what is in it
    ("ItemReader",): dict,
    ("ItemReader", "ReaderConfig"): dict,
    ("ItemReader", "ReaderConfig", "InputType"): str,
    ("ItemReader", "ReaderConfig", "ItemsPointer"): str,
    ("ItemReader", "ReaderConfig", "CSVDelimiter"): str,
    ("ItemReader", "ReaderConfig", "CSVHeaderLocation"): str,
    ("ItemReader", "ReaderConfig", "CSVHeaders"): list,
    ("ItemBatcher",): dict,
    ("ItemBatcher", "MaxItemsPerBatchPath"): str,
    ("ItemBatcher", "MaxInputBytesPerBatchPath"): str,
}


def check(raw: dict[str, Any]) -> None:
    """Raises ServiceError InvalidDefinition for a field of the wrong type in this Map."""
    for path, kind in FIELDS.items():
        owner: Any = raw
        for name in path[:-1]:
            owner = owner.get(name, {})
        if path[-1] in owner and not isinstance(owner[path[-1]], kind):
            raise _invalid(f"Expected value of type [{TYPES[kind]}]", path)
    headers = raw.get("ItemReader", {}).get("ReaderConfig", {}).get("CSVHeaders", ())
    if not all(isinstance(header, str) for header in headers):
        raise _invalid("Expected value of type [STRING]", ("ItemReader", "ReaderConfig", "CSVHeaders"))


def unreadable(error: StepwellError, field: str) -> ServiceError:
    """An expression in this field that is none."""
    return _invalid(str(error), (field,))


def _invalid(message: str, path: tuple[str, ...]) -> ServiceError:
    location = "/".join(("", "States", NAME, *path))
    fault = DefinitionError([Diagnostic(code=SCHEMA, message=message, location=location)])
    return ServiceError("InvalidDefinition", fault.message)
