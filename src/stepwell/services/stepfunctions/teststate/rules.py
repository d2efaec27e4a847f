"""What may be asked for together: each rule a sentence, the condition under which it is broken, and its source.

They are asked in the order of the table. A source is a recorded case or "assumed"; "seen" is wording that other
implementations have and that nobody here has seen from AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stepwell.asl.states.parallel import ParallelState
from stepwell.asl.states.task import TaskState
from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.teststate.subject import Subject, contains

VALIDATION, DEFINITION = "ValidationException", "InvalidDefinition"
MOCKABLE = frozenset({"Task", "Map", "Parallel"})
FORKS = frozenset({"Map", "Parallel"})
NOT_JSON = "Mocked result must be valid JSON"  # seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request and the state it is about. ``result`` is the mocked result, if there is one."""

    params: Mapping[str, Any]
    subject: Subject
    result: Json | None

    @property
    def mock(self) -> Mapping[str, Any] | None:
        return self.params.get("mock")

    @property
    def error(self) -> Mapping[str, Any] | None:
        return None if self.mock is None else self.mock.get("errorOutput")

    @property
    def configured(self) -> Mapping[str, Any]:
        return self.params.get("stateConfiguration") or {}


Broken = Callable[[Ask], bool]


def _alone(name: str) -> Broken:
    """A member of stateConfiguration without a mock."""
    return lambda ask: ask.mock is None and ask.configured.get(name) is not None


def _waits(ask: Ask) -> bool:
    state = ask.subject.state
    return isinstance(state, TaskState) and state.resource.pattern != "request"


def _is_activity(ask: Ask) -> bool:
    state = ask.subject.state
    return isinstance(state, TaskState) and state.resource.kind == "activity"


def _count_differs(ask: Ask) -> bool:
    state, result = ask.subject.state, ask.result
    return isinstance(state, ParallelState) and result is not None and len(result.value) != len(state.branches)


def _not_a_list(ask: Ask) -> bool:
    if ask.result is None or ask.subject.type not in FORKS or "ResultWriter" in ask.subject.raw:
        return False
    return not isinstance(ask.result.value, list)


def _not_an_object(ask: Ask) -> bool:
    written = ask.subject.type == "Map" and "ResultWriter" in ask.subject.raw
    return written and ask.result is not None and not isinstance(ask.result.value, dict)


def _reader_without_data(ask: Ask) -> bool:
    return "ItemReader" in ask.subject.raw and ask.configured.get("mapItemReaderData") is None


def _stranger(ask: Ask) -> bool:
    """An error caused by a state that is not in the Map or Parallel."""
    name = ask.configured.get("errorCausedByState")
    if name is None:
        return False
    return ask.error is None or ask.subject.type not in FORKS or not contains(ask.subject.raw, name)


RULES: tuple[tuple[Broken, str, str, str], ...] = (
    (
        _alone("mapIterationFailureCount"),
        VALIDATION,
        "TestState does not support MapIterationFailureCount when a mock is not specified.",
        "recorded: test_map_iteration_failure_count_without_mock",
    ),
    (
        _alone("retrierRetryCount"),
        VALIDATION,
        "TestState does not support RetrierRetryCount when a mock is not specified.",
        "assumed",
    ),
    (
        _alone("errorCausedByState"),
        VALIDATION,
        "TestState does not support ErrorCausedByState when a mock is not specified.",
        "assumed",
    ),
    (
        _alone("mapItemReaderData"),
        VALIDATION,
        "TestState does not support MapItemReaderData when a mock is not specified.",
        "assumed",
    ),
    (
        lambda ask: ask.mock is None and ask.params.get("context") is not None,
        VALIDATION,
        "TestState does not support Context when a mock is not specified.",
        "API reference, wording assumed",
    ),
    (
        lambda ask: ask.mock is None and ask.subject.type in FORKS,
        DEFINITION,
        "TestState API does not support Map or Parallel states. "
        "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
        "recorded: test_state_type_requires_mock",
    ),
    (
        lambda ask: ask.mock is None and _is_activity(ask),
        DEFINITION,
        "TestState API does not support Activity tasks.",
        "API reference, wording assumed",
    ),
    (
        lambda ask: ask.mock is None and _waits(ask),
        DEFINITION,
        "TestState API does not support '.sync' or '.waitForTaskToken' integration patterns.",
        "seen",
    ),
    (
        lambda ask: ask.mock is None and ask.subject.type == "Task" and not ask.params.get("roleArn"),
        VALIDATION,
        "RoleArn must be specified when testing a Task state",
        "AWS's text, publicly quoted",
    ),
    (
        lambda ask: ask.mock is not None and ask.subject.type not in MOCKABLE,
        VALIDATION,
        "State type '{type}' is not supported when a mock is specified",
        "recorded by others: test_state_type_does_not_accept_mock",
    ),
    (
        lambda ask: ask.mock is not None and bool(ask.params.get("revealSecrets")),
        VALIDATION,
        "TestState does not support RevealSecrets when a mock is specified.",
        "recorded: test_reveal_secrets_is_true_and_mock_result_is_set",
    ),
    (
        lambda ask: ask.mock is not None and (ask.mock.get("result") is None) == (ask.error is None),
        VALIDATION,
        "A test mock should have only one of the following fields: [result, errorOutput].",
        "recorded: test_both_mock_result_and_mock_error_output_are_set; for neither, assumed",
    ),
    (
        lambda ask: ask.error is not None and not ask.error.get("error"),
        VALIDATION,
        "An error was not specified in the mocked error output.",
        "seen",
    ),
    (
        _not_a_list,
        VALIDATION,
        "Mocked result must be an array.",
        "recorded: test_mock_result_is_not_array_on_parallel_state",
    ),
    (
        _not_an_object,
        VALIDATION,
        "Mocked result must be a JSON object.",
        "recorded: test_mock_result_is_not_object_on_map_state_with_result_writer",
    ),
    (
        _count_differs,
        VALIDATION,
        "Mocked result must contain the same number of items as number of Parallel branches.",
        "AWS's text, publicly quoted",
    ),
    (
        lambda ask: ask.subject.type != "Map" and ask.configured.get("mapIterationFailureCount") is not None,
        VALIDATION,
        "TestState supports MapIterationFailureCount for Map states only.",
        "assumed",
    ),
    (
        lambda ask: "ItemReader" not in ask.subject.raw and ask.configured.get("mapItemReaderData") is not None,
        VALIDATION,
        "TestState supports MapItemReaderData for Map states with an ItemReader only.",
        "assumed",
    ),
    (
        _stranger,
        VALIDATION,
        "ErrorCausedByState must be the name of a state inside the Map or Parallel state, and an error must be mocked.",
        "assumed",
    ),
    (
        _reader_without_data,
        VALIDATION,
        "ItemReader data must be specified when testing a Map state with ItemReader specified.",
        "seen",
    ),
)


def ask(params: Mapping[str, Any], subject: Subject) -> Ask:
    """Reads the mocked result and asks all rules; raises ServiceError for the first that is broken."""
    text = (params.get("mock") or {}).get("result")
    asked = Ask(params=params, subject=subject, result=None if text is None else _result(text))
    for broken, code, sentence, _source in RULES:
        if broken(asked):
            raise ServiceError(code, sentence.format(type=subject.type))
    return asked


def _result(text: str) -> Json:
    try:
        return Json.parse(text)
    except JsonSyntaxError:
        raise faults.validation(NOT_JSON) from None
