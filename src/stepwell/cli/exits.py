"""What the exit code says."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Codes are part of the interface: they do not change their meaning."""

    OK = 0
    FAILED = 1  # the workflow ended FAILED, or the command did not do what was asked
    USAGE = 2  # the command line itself is wrong
    INVALID = 3  # a definition, an input or a file is not what it should be
    UNREACHABLE = 4  # no server answers
    REFUSED = 5  # the server answered with an error
    SETTING = 6  # a setting has a value it cannot have, or the data is in use
    TIMED_OUT = 7  # the workflow ended TIMED_OUT
    ABORTED = 8  # the workflow ended ABORTED
    INTERRUPTED = 130  # Ctrl-C


OUTCOMES = {
    "SUCCEEDED": Exit.OK,
    "FAILED": Exit.FAILED,
    "TIMED_OUT": Exit.TIMED_OUT,
    "ABORTED": Exit.ABORTED,
}
