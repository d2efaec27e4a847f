"""What can be wrong with a path, or with a path and a document.

::

    StepwellError
    |-- PathSyntaxError     the text is no path
    `-- PathNotFound        the document does not have what the path asks for
        |-- PathMismatch    a step met a value of a kind it cannot be applied to
        `-- PathConflict    a value cannot be placed where the path says
"""

from __future__ import annotations

from stepwell.kernel.errors import StepwellError


class PathSyntaxError(StepwellError):
    """The text is no path. ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class PathNotFound(StepwellError):
    """Nothing is at the path; ``message`` in the words of Jayway's JsonPath, which AWS passes on."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PathMismatch(PathNotFound):
    """A step cannot be applied to the value it met, for example a slice to an object."""


class PathConflict(PathNotFound):
    """A value cannot be placed at the path."""
