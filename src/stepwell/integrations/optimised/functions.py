"""Lambda functions: ``lambda:invoke``, and a function's ARN as the Resource.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html; recorded:
services__test_lambda_task_service, services__test_lambda_task, error_handling__test_task_service_lambda.
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.resources import OPTIMISED
from stepwell.engine.tasks import TaskCall
from stepwell.integrations.handlers import context_of, text_of, with_metadata
from stepwell.integrations.models import operation_model
from stepwell.integrations.optimised.plain import PlainHandler
from stepwell.integrations.shapes import blob_text
from stepwell.kernel.caller import Caller
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError, StateError
from stepwell.kernel.jsontext import Json, loads

UNKNOWN = "Lambda.Unknown"
ROW = OPTIMISED["lambda", "invoke"]


class InvokeFunction(PlainHandler):
    """``lambda:invoke``. A string as Payload is sent as it is: JSON text (recorded: test_invoke_json_values)."""

    def __init__(self, caller: Caller, clock: Clock) -> None:
        super().__init__(caller, clock, ROW, _prepare)
        self._clock = clock

    async def request(self, call: TaskCall) -> Json:
        context = context_of(call)
        output, result = await self.invoke(call, context)
        payload = blob_text(result.get("Payload") or b"")
        raise_failure(result, payload)
        output.pop("FunctionError", None)
        output["Payload"] = _json(payload)
        return Json(with_metadata(output, result, context, self._clock, "application/json"))


class CallFunction(PlainHandler):
    """A function's ARN as Resource: the input is the payload, and the payload the result."""

    def __init__(self, caller: Caller, clock: Clock) -> None:
        super().__init__(caller, clock, ROW)

    async def request(self, call: TaskCall) -> Json:
        model = operation_model(ROW.botocore, ROW.operation)
        params = {"FunctionName": call.resource.text, "Payload": call.parameters.text.encode()}
        result = await self.call(model, params, context_of(call))
        payload = blob_text(result.get("Payload") or b"")
        raise_failure(result, payload)
        try:
            return Json.parse(payload) if payload else Json(None)
        except JsonSyntaxError:
            return Json(payload)


def _prepare(call: TaskCall, given: dict[str, Any]) -> dict[str, Any]:
    payload = given.get("Payload")
    return given | {"Payload": "{}" if payload is None else text_of(payload)}


def raise_failure(result: dict[str, Any], payload: str) -> None:
    """A failed function fails the task with its ``errorType`` and the payload (recorded: test_raise_exception)."""
    if not result.get("FunctionError"):
        return
    value = _json(payload)
    kind = value.get("errorType") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind:
        raise StateError(kind, payload)
    raise StateError(
        UNKNOWN,
        "The cause could not be determined because Lambda did not return an error type. Returned payload: " + payload,
    )


def _json(text: str) -> Any:
    try:
        return loads(text)
    except JsonSyntaxError:
        return text
