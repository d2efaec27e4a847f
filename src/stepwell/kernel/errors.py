"""Every error this package raises on purpose, in one tree.

::

    StepwellError
    |-- ServiceError          the caller's fault (or a refusal) in AWS's words: code, message, HTTP status
    |-- JsonSyntaxError       text that is not JSON; says where and what was expected
    |-- StateError            a state failed at run time: error name and cause; Retry and Catch see it
    |   |-- EvaluationFault   an expression failed, or gave what its field cannot hold; says where in the state
    |   `-- FatalStateError   the same, but no Retry or Catch may handle it (States.Runtime and its kin)
    |-- SettingError          a setting has a value it cannot have
    |-- MockError, StuckError the library was asked for something it cannot do (``local.errors``)
    `-- StorageError          the database refused or failed
        |-- CheckFailed       a unit's expected row count was not met: somebody else was first; nothing was written
        |-- Fenced            this worker no longer owns the partition it wrote to; nothing was written
        `-- StorageUnavailable  the outcome is unknown or the database cannot be written to now; try again later

The four kinds of fault stay apart: the caller's (``ServiceError``), the definition's (diagnostics, which are values, see
``asl.diagnostics``), a state's at run time (``StateError``) and our own (any other exception: a bug).
"""

from __future__ import annotations

from typing import Any


class StepwellError(Exception):
    """Root of the tree."""


class ServiceError(StepwellError):
    """An answer in AWS's words to a request that cannot be served.

    ``code`` is AWS's error code (``StateMachineDoesNotExist``), ``status`` the HTTP status, ``fields`` further members
    of the error's shape. A status of 500 or more is the server's fault, below it the sender's.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


class JsonSyntaxError(StepwellError):
    """Text that is not JSON. ``message`` is worded as AWS words it, ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class StateError(StepwellError):
    """A state failed while it ran. ``error`` is the name Retry and Catch match, ``cause`` the text for people.

    ``only_as`` is a second name it answers to, for errors that AWS records under one name and documents under another;
    such an error is matched by its names alone, not by wildcards.
    """

    def __init__(self, error: str | None, cause: str | None = None, *, only_as: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.only_as = only_as


class EvaluationFault(StateError):
    """An expression failed, or its result does not fit its field (States.QueryEvaluationError).

    ``location`` is the field within the state (``Output/total``). ``late``: the expression itself was evaluated, what it
    gave could not be used; AWS links the event of such a failure to another predecessor.
    """

    def __init__(self, cause: str, location: str, *, late: bool = False) -> None:
        super().__init__("States.QueryEvaluationError", cause)
        self.location = location
        self.late = late


class FatalStateError(StateError):
    """A state failed in a way that ends the execution whatever its Retry and Catch say."""


class SettingError(StepwellError):
    """A setting has a value it cannot have; the text names the setting, the value and what to do."""


class StorageError(StepwellError):
    """The database refused or failed."""


class CheckFailed(StorageError):
    """A unit's check was not met, so none of the unit was written. ``statement`` names the check."""

    def __init__(self, statement: str) -> None:
        super().__init__(f"check failed: {statement}")
        self.statement = statement


class Fenced(StorageError):
    """The partition has another owner now; nothing was written and this worker must forget what it holds of it."""


class StorageUnavailable(StorageError):
    """The database cannot be written to now, or a commit's outcome is unknown."""
