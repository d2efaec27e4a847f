"""Checks parameters against the model's constraints and words what is wrong as AWS does.

::

    2 validation errors detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less
    than or equal to 1000; Value null at 'tags.1.member.key' failed to satisfy constraint: ...

Positions are member names with a small first letter, list items ``1.member``, map values ``key.member``. Constraints
of scalars inside lists and maps are named together: ``Member must satisfy constraint: [...]``. AWS names a structure's
last member first, and of one member its pattern before its length (seen on DynamoDB, ACM, SES and Cognito). Checks are
closures, compiled once per operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from stepwell.kernel.errors import ServiceError
from stepwell.wire import patterns
from stepwell.wire.constraints import ENUM_ORDER, PATTERN_SENTENCES, SILENT_ABOUT_VALUES

Holds = Callable[[Any], bool]
Rule = tuple[Holds, str]  # does the value hold, and the constraint as a sentence

NUMBERS = ("integer", "long", "float", "double")
AGGREGATES = (StructureShape, ListShape, MapShape)
NOT_NULL = "Member must not be null"


class Findings:
    """What is wrong with a set of parameters: violations of the model, and sentences a service words itself."""

    __slots__ = ("sentences", "violations")

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.sentences: list[str] = []

    def add(self, value: str, position: str, constraint: str) -> None:
        self.violations.append(f"Value {value}at '{position}' failed to satisfy constraint: {constraint}")

    def error(self) -> ServiceError | None:
        """A service's own sentence is only sent when the model has nothing to say."""
        if count := len(self.violations):
            noun = "error" if count == 1 else "errors"
            text = "; ".join(reversed(self.violations))
            return ServiceError("ValidationException", f"{count} validation {noun} detected: {text}")
        return ServiceError("ValidationException", self.sentences[-1]) if self.sentences else None


Check = Callable[[Any, str, Findings], None]  # value, its position, what was found so far


class Validator:
    """Validates parameters of any operation.

    ``own`` names members that a service checks itself, with errors of its own: (service, operation) to top-level member
    names. They are still required if the model says so.
    """

    def __init__(self, own: Mapping[tuple[str, str], frozenset[str]] | None = None) -> None:
        self._own = own or {}
        self._checks: dict[OperationModel, Check] = {}

    def validate(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        """Raises ServiceError ValidationException that names all violations (ValidationError in the query protocol)."""
        check = self._checks.get(operation)
        if check is None:
            check = self._checks[operation] = self._compile(operation)
        findings = Findings()
        check(params, "", findings)
        error = findings.error()
        if error is not None:
            raise error

    def _compile(self, operation: OperationModel) -> Check:
        shape = operation.input_shape
        if shape is None:
            return _nothing
        service = operation.service_model.service_name
        own = self._own.get((service, operation.name), frozenset())
        return _Compiler(service).structure(shape, own) or _nothing


def _nothing(value: Any, position: str, findings: Findings) -> None:
    """A shape in which nothing can be wrong."""


class _Compiler:
    """Turns the shapes of one service into checks; None for a shape in which nothing can be wrong."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._done: dict[str, Check | None] = {}

    def check_of(self, shape: Shape) -> Check | None:
        done = self._done
        if shape.name not in done:
            done[shape.name] = self._later(shape.name)
            done[shape.name] = self._compile(shape)
        return done[shape.name]

    def _later(self, name: str) -> Check:
        """What a shape that holds itself meets while it is being compiled; it finds its check when it runs."""

        def check(value: Any, position: str, findings: Findings) -> None:
            (self._done[name] or _nothing)(value, position, findings)

        return check

    def structure(self, shape: StructureShape, own: frozenset[str]) -> Check | None:
        required = frozenset(shape.required_members)
        members = []
        for name, member in shape.members.items():
            check = None if name in own else self.check_of(member)
            if check is not None or name in required:
                members.append((name, name[:1].lower() + name[1:], check, name in required))
        return _structure_check(members) if members else None

    def _compile(self, shape: Shape) -> Check | None:
        if isinstance(shape, StructureShape):
            return self.structure(shape, frozenset())
        if isinstance(shape, ListShape):
            items = self._parts(shape.member, "Member must satisfy constraint", _numbered)
            return _all_of([self._whole(shape), items])
        if isinstance(shape, MapShape):
            keys = self._together(shape.key, "Map keys must satisfy constraint", iter)
            values = self._parts(shape.value, "Map value must satisfy constraint", dict.items)
            return _all_of([self._whole(shape), keys, values])
        return self._whole(shape)

    def _whole(self, shape: Shape) -> Check | None:
        """The constraints of a value as such: a violation of each is named on its own."""
        rules, shown = self._rules(shape), self._shown(shape)
        sentence = PATTERN_SENTENCES.get((self._service, shape.metadata.get("pattern", "")))
        if not rules:
            return None

        def check(value: Any, position: str, findings: Findings) -> None:
            for holds, constraint in rules:
                if holds(value):
                    continue
                if sentence is not None and constraint.startswith(_PATTERN):
                    findings.sentences.append(sentence.format(position=position))
                else:
                    findings.add(f"'{value_text(value)}' " if shown else "", position, constraint)

        return check

    def _parts(self, shape: Shape, label: str, pairs: Callable[[Any], Iterable[tuple[Any, Any]]]) -> Check | None:
        """The constraints of what is in a list or map; ``pairs`` gives (number or key, value)."""
        if not isinstance(shape, AGGREGATES):
            return self._together(shape, label, lambda value: (item for _, item in pairs(value)))
        inner = self.check_of(shape)
        if inner is None:
            return None

        def check(value: Any, position: str, findings: Findings) -> None:
            for key, item in pairs(value):
                inner(item, f"{position}.{key}.member", findings)

        return check

    def _together(self, shape: Shape, label: str, scalars: Callable[[Any], Iterable[Any]]) -> Check | None:
        """One violation for all scalars in a list or map, which names all their constraints."""
        rules, shown = self._rules(shape), self._shown(shape)
        if not rules:
            return None
        constraint = f"{label}: [{', '.join(text for _, text in rules)}]"

        def check(value: Any, position: str, findings: Findings) -> None:
            if not all(holds(scalar) for scalar in scalars(value) for holds, _ in rules):
                findings.add(f"'{value_text(value)}' " if shown else "", position, constraint)

        return check

    def _rules(self, shape: Shape) -> list[Rule]:
        """The constraints of a shape, in the order in which AWS lists them."""
        rules: list[Rule] = []
        for key, make in (_VALUE_RULES if shape.type_name in NUMBERS else _LENGTH_RULES).items():
            limit = shape.metadata.get(key)
            if limit is not None and not (limit == 0 and make is _no_shorter):
                rules.append(make(limit))
        values = shape.metadata.get("enum")
        if values:
            order = ENUM_ORDER.get((self._service, shape.name), tuple(values))
            rules.append((frozenset(values).__contains__, f"Member must satisfy enum value set: [{', '.join(order)}]"))
        return rules

    def _shown(self, shape: Shape) -> bool:
        return self._service not in SILENT_ABOUT_VALUES and not shape.metadata.get("sensitive")


def value_text(value: Any) -> str:
    """A refused value as Java prints it: ``[a, b]``, ``{k=v}``, ``true``. Structures are assumed to print as maps."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={value_text(item)}' for key, item in value.items())}}}"
    return str(value)


def _structure_check(members: list[tuple[str, str, Check | None, bool]]) -> Check:
    def check(value: Any, position: str, findings: Findings) -> None:
        prefix = f"{position}." if position else ""
        for name, label, inner, required in members:
            item = value.get(name)
            if item is None:
                if required:
                    findings.add("null ", prefix + label, NOT_NULL)
            elif inner is not None:
                inner(item, prefix + label, findings)

    return check


def _all_of(checks: list[Check | None]) -> Check | None:
    real = [check for check in checks if check is not None]
    if len(real) < 2:
        return real[0] if real else None

    def check(value: Any, position: str, findings: Findings) -> None:
        for one in real:
            one(value, position, findings)

    return check


def _numbered(items: list[Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(items, 1)


def _at_most(limit: float) -> Rule:
    return lambda value: value <= limit, f"Member must have value less than or equal to {limit}"


def _at_least(limit: float) -> Rule:
    return lambda value: value >= limit, f"Member must have value greater than or equal to {limit}"


def _no_longer(limit: int) -> Rule:
    return lambda value: len(value) <= limit, f"Member must have length less than or equal to {limit}"


def _no_shorter(limit: int) -> Rule:
    return lambda value: len(value) >= limit, f"Member must have length greater than or equal to {limit}"


def _fits(pattern: str) -> Rule:
    matches = patterns.compiled(pattern).fullmatch
    return lambda value: matches(value) is not None, f"{_PATTERN}{pattern}"


_PATTERN = "Member must satisfy regular expression pattern: "
_VALUE_RULES: dict[str, Callable[[Any], Rule]] = {"max": _at_most, "min": _at_least}
_LENGTH_RULES: dict[str, Callable[[Any], Rule]] = {"max": _no_longer, "min": _no_shorter, "pattern": _fits}
