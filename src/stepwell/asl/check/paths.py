"""Checks of paths, reference paths, intrinsic functions and the templates that hold them.

A path begins with ``$`` (the input), ``$$`` (the context object) or ``$name`` (a variable). Which field may read the
context object: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html#contextobject-access.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.asl.check.expressions import check_payload
from stepwell.asl.check.fields import JSONATA, Field
from stepwell.asl.check.walker import TYPES, Scope, is_a, kind
from stepwell.lang.intrinsics import Reference, compile_intrinsic, compile_reference, is_intrinsic
from stepwell.lang.intrinsics.errors import IntrinsicSyntaxError
from stepwell.lang.jsonpath import PathSyntaxError


def _reference(text: str) -> Reference | None:
    try:
        return compile_reference(text)
    except PathSyntaxError:
        return None


def _note_variables(scope: Scope, *references: Reference) -> None:
    scope.refer(reference.name for reference in references if reference.name is not None)


@kind("path")
def check_path(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """Any JSONPath, or null."""
    if value is None or not is_a(scope, value, str, at):
        return
    reference = _reference(value)
    if reference is None:
        scope.report.add("path", at)
    else:
        _note_variables(scope, reference)


def _check_reference_path(scope: Scope, value: Any, at: str, kinds: set[str]) -> None:
    if not is_a(scope, value, str, at):
        return
    reference = _reference(value)
    if not value.startswith("$"):
        scope.report.add("reference-path-start", at)
    elif reference is None or reference.kind not in kinds or not reference.path.is_reference:
        scope.report.add("reference-path", at)
    else:
        _note_variables(scope, reference)


@kind("reference-path")
def check_reference_path(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """One node of the input; the context object is refused (floci 3733)."""
    _check_reference_path(scope, value, at, {"input", "variable"})


@kind("variable")
def check_variable(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """What a Choice compares: one node of the input or of the context object."""
    _check_reference_path(scope, value, at, {"input", "context", "variable"})


@kind("items-path")
def check_items_path(scope: Scope, field: Field, value: Any, at: str) -> None:
    check_variable(scope, field, value, at)


@kind("result-path")
def check_result_path(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """Where a result goes: one node of the input, or null."""
    if value is not None:
        _check_reference_path(scope, value, at, {"input"})


@kind("path-or-intrinsic")
def check_path_or_intrinsic(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """ErrorPath and CausePath: https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html."""
    if is_a(scope, value, str, at) and not _check_dynamic(scope, value):
        scope.report.add("path-or-intrinsic", at)


def _check_dynamic(scope: Scope, text: str) -> bool:
    """Whether a text is a path or an intrinsic function."""
    if is_intrinsic(text):
        try:
            _note_variables(scope, *compile_intrinsic(text).references)
        except IntrinsicSyntaxError:
            return False
        return True
    reference = _reference(text)
    if reference is not None:
        _note_variables(scope, reference)
    return reference is not None


@kind("template")
def check_template(scope: Scope, field: Field, value: Any, at: str) -> None:
    """A payload template; AWS names the object that holds a bad field (recorded: test_illegal_escapes)."""
    if scope.language == JSONATA:
        check_payload(scope, field, value, at)
        return
    for name, item, place in _members(value, at):
        if not name.endswith(".$"):
            if isinstance(item, str) and looks_dynamic(item):
                scope.report.add("no-dollar", f"{place}/{name}", field=name)
        elif not isinstance(item, str):
            scope.report.add("template-type", place, field=name, type=_described(item))
        elif not _check_dynamic(scope, item):
            scope.report.add("template", place, field=name)


@kind("result")
def check_result(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """A Pass state's Result: any value, but paths in it stay text."""
    texts = [value] if isinstance(value, str) else [item for _, item, _ in _members(value, at) if isinstance(item, str)]
    if any(map(looks_dynamic, texts)):
        scope.report.add("static-result", at)


def looks_dynamic(text: str) -> bool:
    """Whether a reader would take this for a path or an intrinsic function."""
    return text.startswith(("$.", "$$.", "$[")) or text == "$" or is_intrinsic(text)


def _described(value: Any) -> str:
    name = TYPES[type(value)]
    return f"an {name}" if name[0] in "AIO" else f"a {name}"


def _members(value: Any, at: str) -> Iterator[tuple[str, Any, str]]:
    """Every field of every object in a value with the object's location; a stack, since templates may nest deeply."""
    stack = [(value, at)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, dict):
            for name, member in item.items():
                yield name, member, place
            stack.extend((member, f"{place}/{name}") for name, member in reversed(item.items()))
        elif isinstance(item, list):
            stack.extend((member, f"{place}[{i}]") for i, member in reversed(list(enumerate(item))))
