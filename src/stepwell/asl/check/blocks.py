"""Checks of blocks of states and of each state in them: the machine, Parallel branches, Map processors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.asl.check import fields
from stepwell.asl.check.fields import JSONATA, JSONPATH, Field, Shape
from stepwell.asl.check.messages import listed
from stepwell.asl.check.tasks import check_task
from stepwell.asl.check.transitions import check_transitions
from stepwell.asl.check.variables import assigned
from stepwell.asl.check.walker import Scope, check_object, is_a, kind
from stepwell.kernel.limits import STATE_NAME_CHARACTERS

MAX_DEPTH = 25  # blocks within blocks; AWS has a limit, its number is assumed

_EXTRA: dict[str, Callable[[Scope, dict[str, Any], str], None]] = {"Task": check_task}
_EXITS = ("Next", "End")


def check_block(scope: Scope, shape: Shape, value: Any, at: str) -> None:
    """A block: its own fields, its states, and, if these can be followed, the transitions between them."""
    if scope.depth > MAX_DEPTH:
        scope.report.add("too-deep", at)
    elif check_object(scope.inner(local=assigned(value)), shape, value, at) and _can_be_followed(value):
        check_transitions(scope, value, at, top=at == "")


def _can_be_followed(block: dict[str, Any]) -> bool:
    states = block.get("States")
    if not isinstance(block.get("StartAt"), str) or not isinstance(states, dict) or not states:
        return False
    return all(map(_has_a_way_out, states.values()))


def _has_a_way_out(state: Any) -> bool:
    if not isinstance(state, dict) or not isinstance(state.get("Type"), str) or state["Type"] not in fields.STATES:
        return False
    if not fields.STATES[state["Type"]].exits:
        return "Choices" in state or state["Type"] != "Choice"
    return isinstance(state.get("Next"), str) != (state.get("End") is True)


@kind("states")
def check_states(scope: Scope, _field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, dict, at):
        return
    if not value:
        scope.report.add("empty", at)
    for name, state in value.items():
        _check_name(scope, name, f"{at}/{name}")
        check_state(scope.inner(state=name), state, f"{at}/{name}")


def _check_name(scope: Scope, name: str, at: str) -> None:
    if len(name) > STATE_NAME_CHARACTERS:
        scope.report.add("state-name", at, name=name, limit=STATE_NAME_CHARACTERS)
    if name in scope.names:
        scope.report.add("duplicate-name", at, name=name)
    scope.names.add(name)


def check_state(scope: Scope, state: Any, at: str) -> None:
    """One state, in its own query language."""
    if not is_a(scope, state, dict, at):
        return
    if "Type" not in state:
        scope.report.add("required", at, fields="Type")
        return
    if not is_a(scope, state["Type"], str, f"{at}/Type"):
        return
    shape = fields.STATES.get(state["Type"])
    if shape is None:
        scope.report.add("state-type", at, options=listed(fields.STATES))
        return
    inner = scope.inner(language=_language(scope, state, at))
    check_object(inner, shape, state, at)
    if shape.exits:
        _check_exit(scope, state, at)
    if extra := _EXTRA.get(state["Type"]):
        extra(inner, state, at)


def language_of(value: dict[str, Any], inherited: str) -> str:
    """Whatever is not exactly JSONPath is read as JSONata, besides being reported (floci 2968)."""
    if "QueryLanguage" not in value:
        return inherited
    return JSONPATH if value["QueryLanguage"] == JSONPATH else JSONATA


def _language(scope: Scope, state: dict[str, Any], at: str) -> str:
    language = language_of(state, scope.machine_language)
    if language == JSONPATH and scope.machine_language == JSONATA:
        scope.report.add("downgrade", at)
    return language


def _check_exit(scope: Scope, state: dict[str, Any], at: str) -> None:
    """Next, or End with the value true; ``"End": false`` is as good as none (preflight next-end)."""
    if "Next" in state and state.get("End") is True:
        scope.report.add("only-one", at, fields=listed(_EXITS))
    elif "Next" not in state and ("End" not in state or state["End"] is False):
        scope.report.add("exactly-one", at, fields=listed(_EXITS))


@kind("branches")
def check_branches(scope: Scope, _field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, list, at):
        return
    if not value:
        scope.report.add("empty", at)
    for i, branch in enumerate(value):
        check_block(_within(scope), fields.BRANCH, branch, f"{at}[{i}]")


@kind("processor")
def check_processor(scope: Scope, _field: Field, value: Any, at: str) -> None:
    check_block(_within(scope), fields.PROCESSOR, value, at)


def _within(scope: Scope) -> Scope:
    """States inside a Parallel or Map have the machine's language, not that of the state around them (floci 2968)."""
    outer = scope.outer | scope.local
    return scope.inner(language=scope.machine_language, depth=scope.depth + 1, outer=outer)


@kind("processor-config")
def check_processor_config(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """Sources: preflight map-distributed, express-unsupported."""
    if not check_object(scope, fields.PROCESSOR_CONFIG, value, at):
        return
    if value.get("Mode") != "DISTRIBUTED":
        if "ExecutionType" in value:
            scope.report.add("unknown-field", at, field="ExecutionType")
        return
    if scope.express:
        scope.report.add("express-mode", f"{at}/Mode")
    if "ExecutionType" not in value:
        scope.report.add("required", at, fields="ExecutionType")
    scope.report.feature(fields.DISTRIBUTED_MAP, f"{at}/Mode")
