"""What is wrong with a definition, as values; nothing is raised until somebody asks for it.

::

    Diagnostic(severity="ERROR", code="SCHEMA_VALIDATION_FAILED",
               message="These fields are required: [StartAt]", location="/")

``location`` is written as AWS writes it: names after slashes, array positions in brackets
(``/States/Choose/Choices[0]/Next``), ``/`` for the whole definition, None where AWS gives none.
Codes: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
and, of our own, UNSUPPORTED_FEATURE: AWS runs it, this version of Stepwell does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from stepwell.kernel.errors import StepwellError

Severity = Literal["ERROR", "WARNING"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault of a definition. An ERROR keeps a state machine from being created, a WARNING does not."""

    severity: Severity = "ERROR"
    code: str
    message: str
    location: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.location or 'null'}"


class DefinitionError(StepwellError):
    """A definition cannot be used; ``diagnostics`` says why, ``message`` is AWS's text for it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        self.message = summary(self.diagnostics)
        super().__init__(self.message)


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those that keep a state machine from being created."""
    return [found for found in diagnostics if found.severity == "ERROR"]


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """The message of CreateStateMachine's InvalidDefinition; warnings are left out.

    Several faults are joined with a comma, and a fault without a location reads ``at null``. Sources: recorded
    test_illegal_escapes; https://github.com/localstack/localstack/issues/11978 (two faults);
    https://github.com/floci-io/floci/issues/2735 (``at null``).
    """
    return f"Invalid State Machine Definition: '{', '.join(map(str, errors(diagnostics)))}'"
