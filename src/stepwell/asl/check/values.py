"""Checks of plain values: strings, numbers within ranges, words of a list, timestamps."""

from __future__ import annotations

from typing import Any

from stepwell.asl.check.fields import JSONPATH, Field
from stepwell.asl.check.messages import listed
from stepwell.asl.check.paths import looks_dynamic
from stepwell.asl.check.walker import Scope, is_a, kind
from stepwell.lang.timestamps import parse_timestamp


@kind("any")
def check_any(_scope: Scope, _field: Field, _value: Any, _at: str) -> None:
    """Every JSON value will do."""


@kind("string")
def check_string(scope: Scope, _field: Field, value: Any, at: str) -> None:
    is_a(scope, value, str, at)


@kind("literal")
def check_literal(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """A text that is used as it stands; warns of one that looks like a path."""
    if is_a(scope, value, str, at) and scope.language == JSONPATH and looks_dynamic(value):
        scope.report.add("no-path", at, field=at.rpartition("/")[2])


@kind("boolean")
def check_boolean(scope: Scope, _field: Field, value: Any, at: str) -> None:
    is_a(scope, value, bool, at)


@kind("integer")
def check_integer(scope: Scope, field: Field, value: Any, at: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        scope.report.add("type-of-number", at, type="Integer")
        return
    _check_range(scope, field, value, at)


@kind("float")
def check_float(scope: Scope, field: Field, value: Any, at: str) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        scope.report.add("type-of-number", at, type="Float")
        return
    _check_range(scope, field, value, at)


def _check_range(scope: Scope, field: Field, value: float, at: str) -> None:
    if field.low is not None and value < field.low:
        scope.report.add("minimum", at, limit=field.low)
    if field.high is not None and value > field.high:
        scope.report.add("maximum", at, limit=field.high)


@kind("number")
def check_number(scope: Scope, _field: Field, value: Any, at: str) -> None:
    """A number of either kind, as Choice compares it."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        scope.report.add("type", at, type="NUMBER")


@kind("enum")
def check_enum(scope: Scope, field: Field, value: Any, at: str) -> None:
    if is_a(scope, value, str, at) and value not in field.options:
        scope.report.add("one-of", at, options=listed(field.options))


@kind("timestamp")
def check_timestamp(scope: Scope, _field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, str, at):
        return
    try:
        parse_timestamp(value)
    except ValueError:
        scope.report.add("timestamp", at)
