"""The definition checker: one place that says what is wrong with a definition, before it is parsed.

It serves CreateStateMachine, UpdateStateMachine, ValidateStateMachineDefinition and ``stepwell validate``. Rules are
sentences with a source (``messages``), the fields of every object are tables (``fields``), and functions that check one
kind of value register with the ``walker``.
"""

from __future__ import annotations

from typing import Any, Literal

from stepwell.asl.check import choice, errors, expressions, paths, values, variables  # noqa: F401 - they register
from stepwell.asl.check.blocks import check_block, language_of
from stepwell.asl.check.fields import JSONPATH, MACHINE
from stepwell.asl.check.messages import Report
from stepwell.asl.check.walker import Scope
from stepwell.asl.diagnostics import Diagnostic


def check(definition: Any, *, type: Literal["STANDARD", "EXPRESS"] = "STANDARD") -> list[Diagnostic]:  # noqa: A002
    """All faults of a definition, errors and warnings, in the order the walker meets them; [] for a good one.

    Takes any JSON value and raises nothing. ``type`` is that of the state machine.
    """
    return examine(definition, express=type == "EXPRESS").finish()


def examine(definition: Any, *, express: bool = False) -> Report:
    """Walk a definition: its faults, and what its states refer to."""
    report = Report()
    if not isinstance(definition, dict):
        report.add("not-a-definition", None)
        return report
    language = language_of(definition, JSONPATH)
    scope = Scope(report=report, express=express, machine_language=language, language=language)
    check_block(scope, MACHINE, definition, "")
    return report
