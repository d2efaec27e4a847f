"""Checks of Retry and Catch."""

from __future__ import annotations

from typing import Any

from stepwell.asl.check.fields import CATCHER, RETRIER, Field, Shape
from stepwell.asl.check.walker import Scope, check_object, is_a, kind

ALL = "States.ALL"


@kind("retriers")
def check_retriers(scope: Scope, _field: Field, value: Any, at: str) -> None:
    _check_handlers(scope, RETRIER, value, at)
    for i, retrier in enumerate(value if isinstance(value, list) else ()):
        if isinstance(retrier, dict):
            _check_delays(scope, retrier, f"{at}[{i}]")


@kind("catchers")
def check_catchers(scope: Scope, _field: Field, value: Any, at: str) -> None:
    _check_handlers(scope, CATCHER, value, at)


@kind("error-names")
def check_error_names(scope: Scope, _field: Field, value: Any, at: str) -> None:
    if not is_a(scope, value, list, at):
        return
    if not value:
        scope.report.add("empty", at)
    for i, name in enumerate(value):
        is_a(scope, name, str, f"{at}[{i}]")


def _check_handlers(scope: Scope, shape: Shape, value: Any, at: str) -> None:
    """An empty list is accepted: https://github.com/localstack/localstack/issues/9715."""
    if not is_a(scope, value, list, at):
        return
    for i, handler in enumerate(value):
        place = f"{at}[{i}]"
        if check_object(scope, shape, handler, place):
            _check_all(scope, handler.get("ErrorEquals"), place, last=i == len(value) - 1)


def _check_all(scope: Scope, names: Any, at: str, *, last: bool) -> None:
    """States.ALL stands alone, in the last handler."""
    if not isinstance(names, list) or ALL not in names or (last and len(names) == 1):
        return
    scope.report.add("states-all", f"{at}/ErrorEquals[{names.index(ALL)}]")


def _check_delays(scope: Scope, retrier: dict[str, Any], at: str) -> None:
    longest, first = retrier.get("MaxDelaySeconds"), retrier.get("IntervalSeconds", 1)
    if isinstance(longest, int) and isinstance(first, int) and 1 <= longest <= first:
        scope.report.add("max-delay", f"{at}/MaxDelaySeconds")
