"""Checks of a Task: its Resource, the parameters an integration needs, credentials, timeout and heartbeat."""

from __future__ import annotations

from typing import Any

from stepwell.asl.check.fields import JSONATA, Field
from stepwell.asl.check.paths import check_template
from stepwell.asl.check.walker import Scope, is_a, kind
from stepwell.asl.resources import Resource, is_known, parse_resource


@kind("resource")
def check_resource(scope: Scope, _field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, str, at):
        return
    resource = _parsed(value)
    if not value.startswith("arn:"):
        scope.report.add("resource", at)
    elif resource is None or not is_known(resource):
        scope.report.add("resource-unknown", at, resource=value)
    elif scope.express:
        _check_express(scope, resource, at)


def _parsed(text: Any) -> Resource | None:
    try:
        return parse_resource(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _check_express(scope: Scope, resource: Resource, at: str) -> None:
    """Sources: recorded test_illegal_activity_task; preflight express-unsupported."""
    if resource.kind == "activity":
        scope.report.add("express-activity", at)
    elif resource.pattern != "request":
        scope.report.add("express-pattern", at, pattern="." + resource.pattern.partition(":")[0])


def check_task(scope: Scope, state: dict[str, Any], at: str) -> None:
    """What no single field of a Task shows."""
    resource = _parsed(state.get("Resource"))
    if resource is not None:
        _check_parameters(scope, resource, state, at)
        if resource.kind == "activity" and "Credentials" in state:
            scope.report.add("activity-credentials", f"{at}/Credentials")
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and 1 <= timeout <= heartbeat:
        scope.report.add("heartbeat", f"{at}/HeartbeatSeconds")


def _check_parameters(scope: Scope, resource: Resource, state: dict[str, Any], at: str) -> None:
    if resource.kind not in {"optimised", "sdk"}:
        return
    field = "Arguments" if scope.language == JSONATA else "Parameters"
    if field not in state:
        scope.report.add("no-parameters", f"{at}/Resource", field=field, resource=resource.text)
        return
    given = state[field]
    required = resource.integration.required if resource.integration else ()
    if isinstance(given, dict):
        for name in required:
            if name not in given and (field == "Arguments" or f"{name}.$" not in given):
                scope.report.add("required-parameter", f"{at}/{field}", field=name)


@kind("credentials")
def check_credentials(scope: Scope, field: Field, value: Any, at: str) -> None:
    """Recorded: test_invalid_credentials_field; other fields beside a missing RoleArn are not mentioned."""
    if not is_a(scope, value, dict, at):
        return
    names = {"RoleArn"} if scope.language == JSONATA else {"RoleArn", "RoleArn.$"}
    if names.isdisjoint(value):
        scope.report.add("required-parameter", at, field="RoleArn")
        return
    if "RoleArn" in value:
        is_a(scope, value["RoleArn"], str, f"{at}/RoleArn")
    check_template(scope, field, value, at)
