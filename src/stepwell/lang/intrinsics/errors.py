"""What can be wrong with an intrinsic function: its text when it is read, its arguments when it runs."""

from __future__ import annotations

from stepwell.kernel.errors import StepwellError


class IntrinsicSyntaxError(StepwellError):
    """The text is no call of an intrinsic function. ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class IntrinsicFailure(StepwellError):
    """A call cannot be carried out. ``detail`` is the reason alone, ``message`` names the whole expression too."""

    def __init__(self, detail: str, expression: str | None = None) -> None:
        self.detail = detail
        self.message = (
            detail if expression is None else f"The function '{expression}' had the following error: {detail}"
        )
        super().__init__(self.message)


def missing_argument(reference: str, document: str) -> IntrinsicFailure:
    """For a resolver: the reference finds nothing in the document (JSON text). AWS's words as quoted in issue threads
    (floci-io/floci 2521)."""
    return IntrinsicFailure(
        f"The JsonPath argument for the field '{reference}' could not be found in the input '{document}'"
    )
