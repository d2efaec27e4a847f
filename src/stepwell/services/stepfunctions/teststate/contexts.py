"""The context object that a request may give: which members it may have, and of which type.

Recorded: test_state_context_object_validation_failures, test_state_task_context_object. The members are those of
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html.
"""

from __future__ import annotations

from typing import Any

from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.kernel.jsontext import loads
from stepwell.services.stepfunctions import faults

TEXT, NUMBER, ANY = "a string", "a number", ""
MEMBERS: dict[str, dict[str, str]] = {
    "Execution": {
        "Id": TEXT,
        "Input": ANY,
        "Name": TEXT,
        "RedriveCount": NUMBER,
        "RedriveTime": TEXT,
        "RoleArn": TEXT,
        "StartTime": TEXT,
    },
    "State": {"EnteredTime": TEXT, "Name": TEXT, "RetryCount": NUMBER},
    "StateMachine": {"Id": TEXT, "Name": TEXT},
    "Task": {"Token": TEXT},
}


def parse(text: str) -> dict[str, Any]:
    """The context object in this JSON text; raises ValidationException."""
    try:
        context = loads(text)
    except JsonSyntaxError as error:
        raise _invalid(error.message) from None
    if not isinstance(context, dict):
        raise _invalid("must be a JSON object")
    for name, value in context.items():
        if name == "Map":
            raise _invalid("'Map' field is not supported when mocking a Context object")
        if name not in MEMBERS:
            raise _invalid(f"Field '{name}' is not allowed")
        _check(name, MEMBERS[name], value)
    return context


def _check(owner: str, members: dict[str, str], value: Any) -> None:
    if not isinstance(value, dict):
        raise _invalid(f"{owner} must be an object")
    for name, item in value.items():
        if name not in members:
            raise _invalid(f"Field '{name}' is not allowed")
        if members[name] and not _is(members[name], item):
            raise _invalid(f"{owner}.{name} must be {members[name]}")


def _is(kind: str, value: Any) -> bool:
    if kind == TEXT:
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(why: str) -> ServiceError:
    """Words other than the recorded ones are assumed after them."""
    return faults.validation(f"Invalid Context object provided: {why}")
