"""What can go wrong with a run in-process besides the workflow itself.

These are faults of a test or of how a run was set up, so a workflow's Catch never sees them: they are raised to the caller.

::

    StepwellError
    |-- MockError           a mock is missing, used up, or is not what a mock can be
    |   `-- MockFileError   a mock configuration file is not one; says where in the file
    `-- StuckError          the run waits for something that nobody will bring
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from stepwell.kernel.errors import StepwellError


class MockError(StepwellError):
    """A mock is missing, used up, or is not what a mock can be; the text says what to do."""


class MockFileError(MockError):
    """A mock configuration cannot be used. ``place`` is where: ``/MockedResponses/Charged/0``."""

    def __init__(self, source: str, place: str, problem: str) -> None:
        super().__init__(f"{source}: {problem} (at {place})" if place else f"{source}: {problem}")
        self.place = place
        self.problem = problem


class StuckError(StepwellError):
    """The run cannot go on by itself and no time is left to wait for."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: a likely one, or all there are."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(map(repr, known))}" if known else "there are none"
