"""History events on their way to the wire."""

from __future__ import annotations

from stepwell.engine.events import Event, wire_form
from stepwell.kernel.jsontext import Json

EXITED = Event(
    3,
    2,
    1.0,
    "PassStateExited",
    {
        "name": "P",
        "output": Json({}),
        "assignedVariables": {"secret": '"x"'},
        "assignedVariablesDetails": {"truncated": False},
    },
)


def test_without_execution_data_neither_documents_nor_variables_are_shown() -> None:
    assert wire_form(EXITED, data=False)["stateExitedEventDetails"] == {"name": "P"}


def test_with_execution_data_variables_stand_as_they_were_assigned() -> None:
    shown = wire_form(EXITED)["stateExitedEventDetails"]
    assert (shown["output"], shown["assignedVariables"]) == ("{}", {"secret": '"x"'})
