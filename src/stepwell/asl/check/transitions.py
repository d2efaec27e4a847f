"""Checks of the way through a block: targets that exist, states somebody goes to, an end.

AWS calls a state unreachable when no transition names it, not when no walk from StartAt arrives: with a StartAt that
does not exist, only the state that nobody names is reported (cfn-lint 4074).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.asl.check.fields import STATES
from stepwell.asl.check.walker import Scope


def check_transitions(scope: Scope, block: dict[str, Any], at: str, *, top: bool) -> None:
    """For a block whose StartAt, states and ways out are well formed; ``top`` is the machine itself.

    A machine without any end is not searched for unreachable states, and only the machine needs one (floci 2735, 2786).
    """
    states: dict[str, Any] = block["States"]
    named = {block["StartAt"]}
    for name, place in _all_targets(block, at):
        named.add(name)
        if name not in states:
            scope.report.add("missing-target", place, name=name)
    if top and not any(_is_end(state) for state in states.values()):
        scope.report.add("no-end", None)
        return
    for name in states:
        if name not in named:
            scope.report.add("unreachable", f"{at}/States/{name}", name=name)


def _all_targets(block: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    yield block["StartAt"], f"{at}/StartAt"
    for name, state in block["States"].items():
        yield from _targets(state, f"{at}/States/{name}")


def _targets(state: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """The states a state names in fields of its type, each with the place where it does."""
    known = STATES[state["Type"]].fields
    for field in ("Next", "Default"):
        if field in known and isinstance(target := state.get(field), str):
            yield target, f"{at}/{field}"
    for field in ("Choices", "Catch"):
        handlers = state.get(field) if field in known else None
        for i, handler in enumerate(handlers if isinstance(handlers, list) else ()):
            if isinstance(handler, dict) and isinstance(target := handler.get("Next"), str):
                yield target, f"{at}/{field}[{i}]/Next"


def _is_end(state: dict[str, Any]) -> bool:
    return state.get("Type") in {"Succeed", "Fail"} or state.get("End") is True
