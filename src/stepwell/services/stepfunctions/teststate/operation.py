"""TestState: the life of one request.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html; recorded: test_state__*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.asl.matching import RUNTIME, Failure
from stepwell.asl.states.task import TaskState
from stepwell.engine.exchanges import watching
from stepwell.engine.express import Express, new_execution_key
from stepwell.engine.state import TOP, Execution
from stepwell.engine.trial import Trial
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import Json, dumps, loads
from stepwell.services.stepfunctions import faults, validation
from stepwell.services.stepfunctions.naming import machine_arn
from stepwell.services.stepfunctions.teststate import contexts, exchange, maps, mocks
from stepwell.services.stepfunctions.teststate.inspection import Notes, shown, watch
from stepwell.services.stepfunctions.teststate.rules import Ask, ask
from stepwell.services.stepfunctions.teststate.subject import Subject, find

Params = Mapping[str, Any]


class TestStateOperation:
    """See the module's docstring."""

    __test__ = False  # the name is AWS's

    def __init__(self, express: Express, clock: Clock, ids: Ids) -> None:
        self._express = express
        self._clock = clock
        self._ids = ids

    async def test(self, scope: Scope, params: Params) -> dict[str, Any]:
        """Raises ServiceError; a state that fails is an answer like any other."""
        subject = find(params["definition"], params.get("stateName"))
        asked = ask(params, subject)
        if params.get("roleArn") is not None:
            validation.role(params["roleArn"])
        _check_mock(asked)
        trial = _trial(asked, document := validation.execution_input(params.get("input")))
        notes = watch(subject, document)
        maps.prepare(asked, trial, notes)
        with watching() as exchanges:
            execution = await self._express.sync(self._execution(scope, params, subject, document), trial.turn)
        maps.check(asked, trial)
        answer = _outcome(execution, trial)
        level = params.get("inspectionLevel") or "INFO"
        if level != "INFO":
            answer["inspectionData"] = _inspected(execution, trial, asked, notes)
        if level == "TRACE":
            answer["inspectionData"] |= exchange.shown(exchanges, reveal=bool(params.get("revealSecrets")))
        return answer

    def _execution(self, scope: Scope, params: Params, subject: Subject, document: Json) -> Execution:
        """Recorded: test_base_map_state_inspect (names and ARNs)."""
        now, machine_name, name = round(self._clock.now(), 3), self._ids.uuid(), self._ids.uuid()
        return Execution(
            key=new_execution_key(0, now, self._ids),
            arn=scope.states(f"express:{machine_name}:{name}"),
            name=name,
            machine=subject.machine,
            machine_arn=machine_arn(scope, machine_name),
            machine_name=machine_name,
            role_arn=params.get("roleArn") or "",
            scope=scope,
            definition="",
            started=now,
            input=document,
            express=True,
            frames={},
            payloads={},
            tasks={},
        )


def _check_mock(asked: Ask) -> None:
    state = asked.subject.state
    if asked.result is not None and asked.mock is not None and isinstance(state, TaskState):
        mocks.check(state.resource, asked.result.value, asked.mock.get("fieldValidationMode") or mocks.STRICT)


def _trial(asked: Ask, document: Json) -> Trial:
    context, error = asked.params.get("context"), asked.error
    return Trial(
        mocked=asked.result if error is None else _failure(error["error"], error.get("cause")),
        variables=_variables(asked.params.get("variables")),
        retries=asked.configured.get("retrierRetryCount") or 0,
        item=document if asked.subject.iterated else None,
        context=None if context is None else contexts.parse(context),
        failed_iterations=asked.configured.get("mapIterationFailureCount"),
    )


def _failure(error: str, cause: str | None) -> Failure:
    """A mocked error. Nobody may handle States.Runtime: error handling page."""
    return Failure(error=error, cause=cause, fatal=error == RUNTIME)


def _variables(text: str | None) -> dict[str, Json]:
    """Raises ValidationException (wording assumed)."""
    try:
        values = {} if text is None else loads(text)
    except JsonSyntaxError as error:
        raise faults.validation(f"Invalid Variables provided: {error.message}") from None
    if not isinstance(values, dict):
        raise faults.validation("Invalid Variables provided: must be a JSON object")
    return {name: Json(value) for name, value in values.items()}


def _outcome(execution: Execution, trial: Trial) -> dict[str, Any]:
    """Status, output or error, and the way on. A caught error is shown with the output of its catcher."""
    if trial.retriable:
        return {"status": "RETRIABLE", **_error(execution.error, execution.cause)}
    if execution.output is None:
        return {"status": "FAILED", **_error(execution.error, execution.cause)}
    answer: dict[str, Any] = {"status": "SUCCEEDED", "output": execution.output.text}
    if trial.failure is not None:
        answer |= {"status": "CAUGHT_ERROR", **_error(trial.failure.error, trial.failure.cause)}
    if trial.next_state is not None:
        answer["nextState"] = trial.next_state
    return answer


def _error(error: str | None, cause: str | None) -> dict[str, str]:
    return {name: text for name, text in (("error", error), ("cause", cause)) if text is not None}


def _inspected(execution: Execution, trial: Trial, asked: Ask, notes: Notes) -> dict[str, Any]:
    data: dict[str, Any] = {"input": execution.input.text, **shown(asked.subject, notes)}
    if variables := execution.frames[TOP].variables:
        data["variables"] = dumps({name: value.value for name, value in variables.items()})
    if details := _error_details(execution, trial):
        data["errorDetails"] = details
    if trial.limits is not None:
        data["maxConcurrency"] = int(notes.concurrency)
        tolerated = {
            "toleratedFailureCount": trial.limits.tolerated_count,
            "toleratedFailurePercentage": trial.limits.tolerated_percentage,
        }
        data |= {name: value for name, value in tolerated.items() if value is not None}
    return data


def _error_details(execution: Execution, trial: Trial) -> dict[str, int]:
    """Which Retry and Catch applied; a Retry whose attempts are used up is named too (recorded: retrier_retry_count)."""
    if trial.failure is None:
        return {}
    details = {} if trial.retry_index is None else {"retryIndex": trial.retry_index}
    if trial.retry_seconds is not None:
        details["retryBackoffIntervalSeconds"] = int(round(trial.retry_seconds, 3))
    elif execution.output is not None and trial.catch_index is not None:
        details["catchIndex"] = trial.catch_index
    return details
