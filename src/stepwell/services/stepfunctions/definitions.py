"""ValidateStateMachineDefinition: the checker's findings as the API shows them.

Recorded: test_sfn_api_validation. Source of defaults:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.asl.check import check
from stepwell.asl.diagnostics import DefinitionError, Diagnostic, errors
from stepwell.asl.source import load_json_definition
from stepwell.kernel.arns import Scope

MOST_DIAGNOSTICS = 100


async def validate(_scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
    found = _findings(params["definition"], params.get("type") or "STANDARD")
    faults = errors(found)
    shown = list(found) if params.get("severity") == "WARNING" else faults
    most = params.get("maxResults") or MOST_DIAGNOSTICS
    return {
        "result": "FAIL" if faults else "OK",
        "diagnostics": [_shape(diagnostic) for diagnostic in shown[:most]],
        "truncated": len(shown) > most,
    }


def _findings(text: str, kind: str) -> list[Diagnostic]:
    try:
        return check(load_json_definition(text), type="EXPRESS" if kind == "EXPRESS" else "STANDARD")
    except DefinitionError as error:
        return list(error.diagnostics)


def _shape(diagnostic: Diagnostic) -> dict[str, Any]:
    shape = {"severity": diagnostic.severity, "code": diagnostic.code, "message": diagnostic.message}
    if diagnostic.location is not None:
        shape["location"] = diagnostic.location
    return shape
