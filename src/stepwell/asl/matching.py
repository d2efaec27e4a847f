"""Which errors a Retry or Catch matches, and the errors nobody may handle.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A state's failure.

    ``also`` is a second name the error answers to: AWS records a missed heartbeat as States.Timeout (recorded:
    test_heartbeat_timeout) while its documentation has it caught as States.HeartbeatTimeout. ``fatal`` failures pass every
    Retry and Catch; ``shy`` ones are matched by their own name only, not by the wildcards (a state's output over the data
    limit; a task's result over the limit is an ordinary failure - recorded: test_service_task_lambada_catch_state_all_
    data_limit_exceeded_on_large_utf8_response).
    """

    error: str | None
    cause: str | None = None
    also: str | None = None
    fatal: bool = False
    shy: bool = False
    evaluation: bool = (
        False  # an expression failed; a Map or Parallel ends with it (recorded: test_map_state_items_eval_*)
    )


def matches(names: Iterable[str], failure: Failure) -> bool:
    """Does one of these ErrorEquals names match?"""
    if failure.fatal:
        return False
    for name in names:
        if name == failure.error or (failure.also is not None and name == failure.also):
            return True
        if failure.shy:
            continue
        if name == ALL or (name == TASK_FAILED and failure.error != TIMEOUT):
            return True
    return False
