"""Task: has its Resource do the work.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import Field, QueryLanguage
from stepwell.asl.resources import Resource, parse_resource
from stepwell.asl.states.base import State, within_limit
from stepwell.asl.step import Step, TaskRequest
from stepwell.kernel.jsontext import Json, dumps
from stepwell.kernel.limits import TASK_SECONDS


class TaskState(State):
    """Times are seconds; without TimeoutSeconds a task has no deadline of its own."""

    type = "Task"
    __slots__ = ("credentials", "heartbeat", "resource", "timeout")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.resource: Resource = parse_resource(raw["Resource"])
        self.timeout = language.field(raw, "TimeoutSeconds")
        self.heartbeat = language.field(raw, "HeartbeatSeconds")
        self.credentials = language.template(raw["Credentials"], "Credentials") if "Credentials" in raw else None

    def enter(self, step: Step) -> None:
        effective = self.flow.effective_input(step.input, step)
        value = effective.value
        step.call(
            TaskRequest(
                resource=self.resource,
                parameters=within_limit(self.flow.argument(effective, step), self.name),
                timeout=_positive(self.timeout, value, step),
                heartbeat=_positive(self.heartbeat, value, step),
                credentials=None if self.credentials is None else Json(self.credentials(value, step)),
            )
        )


def _positive(field: Field | None, value: Any, step: Step) -> float | None:
    """A number of seconds from 1 up."""
    if field is None:
        return None
    seconds = field.read(value, step)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        cause = f"The {field.name} parameter cannot be parsed as a long value: {field.text} == {dumps(seconds)}"
        raise field.mistyped("integer", seconds, cause)
    if not 0 < seconds <= TASK_SECONDS:
        raise field.unusable(
            f"The {field.name} parameter is not between 1 and {TASK_SECONDS}: {field.text} == {seconds}"
        )
    return seconds
