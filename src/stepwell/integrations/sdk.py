"""``arn:aws:states:::aws-sdk:service:action``: any operation of any service, as the AWS SDK for Java 2.x would call it.

Parameters and results are in PascalCase, results carry no metadata, times are ISO 8601.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html; recorded:
services__test_aws_sdk_task_service, error_handling__test_aws_sdk.
"""

from __future__ import annotations

from stepwell.engine.tasks import TaskCall
from stepwell.integrations.faults import RUNTIME, could_not_start, sdk_fault
from stepwell.integrations.handlers import context_of, fields
from stepwell.integrations.models import operation_model
from stepwell.integrations.shapes import SDK_IN, SDK_OUT
from stepwell.kernel.caller import Caller
from stepwell.kernel.errors import ServiceError, StateError
from stepwell.kernel.jsontext import Json


class SdkHandler:
    """All ``aws-sdk`` resources."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def request(self, call: TaskCall) -> Json:
        target = call.resource.call
        if target is None:
            raise StateError(RUNTIME, f"The resource '{call.resource.text}' names a service that is not known.")
        service, operation = target
        try:
            model = operation_model(service, operation)
        except ServiceError as error:
            raise StateError(RUNTIME, f"The resource '{call.resource.text}' is not known: {error.message}") from None
        params, reasons = SDK_IN.read(model.input_shape, fields(call))
        if reasons:
            raise could_not_start(call.parameters.text, *reasons)
        context = context_of(call)
        try:
            result = await self._caller.call(service, operation, params, context)
        except ServiceError as error:
            error.fields.setdefault("request_id", context.request_id)
            raise sdk_fault(error, call.resource.service, model.service_model) from error
        return Json(SDK_OUT.write(model.output_shape, result))
