"""Runs the tables over a definition: which fields an object lacks, has too many of, or has with a wrong value.

The functions that check values register here under the kind that the tables name; a new kind is one function with
``@kind("...")`` and a row that uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from stepwell.asl.check.fields import JSONATA, JSONPATH, Field, Shape
from stepwell.asl.check.messages import Report, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where the walker is: languages, depth, the state, and the variables that are assigned around it."""

    report: Report
    express: bool
    machine_language: str = JSONPATH
    language: str = JSONPATH
    depth: int = 0
    rule_depth: int = 0
    names: set[str] = field(default_factory=set)  # of all states so far, shared by all scopes of a walk
    state: str = ""
    local: frozenset[str] = frozenset()  # variables that states of the present block assign
    outer: frozenset[str] = frozenset()  # variables that states of the blocks around it assign

    def inner(self, **changes: Any) -> Scope:
        return replace(self, **changes)

    def refer(self, variables: Iterable[str]) -> None:
        """The present state reads these."""
        self.report.refer(self.state, variables)


Check = Callable[[Scope, Field, Any, str], None]
KINDS: dict[str, Check] = {}

TYPES = {
    str: "STRING",
    bool: "BOOLEAN",
    dict: "OBJECT",
    list: "ARRAY",
    int: "INTEGER",
    float: "FLOAT",
    type(None): "NULL",
}


def kind(name: str) -> Callable[[Check], Check]:
    """Registers a function as the check of a field's values."""

    def register(check: Check) -> Check:
        KINDS[name] = check
        return check

    return register


def is_a(scope: Scope, value: Any, wanted: type, at: str) -> bool:
    """Whether a value has a JSON type; reports it if not."""
    if isinstance(value, wanted):
        return True
    scope.report.add("type", at, type=TYPES[wanted])
    return False


def check_object(scope: Scope, shape: Shape, value: Any, at: str) -> bool:
    """Checks an object against its table; False if it is no object at all."""
    if not is_a(scope, value, dict, at):
        return False
    missing = [name for name in shape.required if name not in value]
    if missing:
        scope.report.add("required", at, fields=listed(missing))
    for name, item in value.items():
        _check_field(scope, shape.fields.get(name), name, item, at)
    for group in shape.exactly_one:
        check_group(scope, group, value, at, needed=True)
    for group in shape.at_most_one:
        check_group(scope, group, value, at, needed=False)
    return True


def _check_field(scope: Scope, known: Field | None, name: str, value: Any, at: str) -> None:
    if known is None:
        scope.report.add("unknown-field", at, field=name)
        return
    if known.language and known.language != scope.language:
        scope.report.add("wrong-language", at, language=scope.language, field=name, other=known.language)
        return
    place = f"{at}/{name}"
    if known.feature:
        scope.report.feature(known.feature, place)
    computed = known.computed and scope.language == JSONATA and isinstance(value, str) and is_delimited(value)
    KINDS["expression" if computed else known.kind](scope, known, value, place)


def is_delimited(text: str) -> bool:
    """Whether a text begins or ends as a JSONata expression does."""
    return text.startswith("{%") or text.endswith("%}")


def check_group(scope: Scope, group: tuple[str, ...], value: dict[str, Any], at: str, *, needed: bool) -> None:
    """Fields that exclude each other; ``needed``: one of them must be there."""
    count = sum(name in value for name in group)
    if count > 1:
        scope.report.add("only-one", at, fields=listed(group))
    elif needed and count == 0:
        scope.report.add("exactly-one", at, fields=listed(group))
