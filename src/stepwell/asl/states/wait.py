"""Wait: pauses for seconds, or until a time; fixed or from the data.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html. The texts of its failures are recorded:
test_base_wait_seconds_path, test_wait_timestamp_path, test_wait_timestamp_jsonata.
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import Field, QueryLanguage
from stepwell.asl.states.base import State, runtime
from stepwell.asl.step import Step
from stepwell.kernel.jsontext import Json, dumps
from stepwell.kernel.limits import STANDARD_SECONDS
from stepwell.lang.timestamps import parse_timestamp


class WaitState(State):
    """One of ``Seconds(Path)`` and ``Timestamp(Path)``. A time that has passed does not wait."""

    type = "Wait"
    __slots__ = ("seconds", "timestamp")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.seconds = language.field(raw, "Seconds")
        self.timestamp = language.field(raw, "Timestamp")

    def enter(self, step: Step) -> None:
        value = self.flow.effective_input(step.input, step).value
        if self.seconds is not None:
            until = step.now + _seconds(self.seconds, self.seconds.read(value, step))
        else:
            assert self.timestamp is not None
            until = _time(self.timestamp, self.timestamp.read(value, step))
        if until > step.now + STANDARD_SECONDS:
            raise runtime("Wait state delay is too long.")
        step.wait_until(until)

    def finish(self, step: Step, result: Json) -> None:
        del result
        self.leave(step, self.flow.effective_input(step.input, step), self.flow, self.next)


def _seconds(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        cause = f"The {field.name} parameter cannot be parsed as a long value: {field.text} == {_shown(value)}"
        raise field.mistyped("integer", value, cause)
    if value < 0:
        raise field.unusable(f"The {field.name} parameter references a negative value: {field.text} == {value}")
    return value


def _time(field: Field, value: Any) -> float:
    try:
        return parse_timestamp(value)
    except (ValueError, TypeError):
        pass
    form = "ISO-8601 extended offset date-time format string"
    if field.name == "Timestamp":
        raise field.unusable(f"The Timestamp field cannot be parsed as an {form}: {_shown(value)}")
    raise field.unusable(
        f"The {field.name} parameter does not reference a valid {form}: {field.text} == {_shown(value)}"
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)
