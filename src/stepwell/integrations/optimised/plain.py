"""Optimised integrations that are one call of one operation, with a few touches that a table names.

Source: recorded: services__test_sqs_task_service, ..._dynamodb_..., ..._sns_..., ..._events_..., ..._ecs_... .
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from stepwell.asl.resources import Integration
from stepwell.engine.tasks import TaskCall
from stepwell.integrations.faults import could_not_start, optimised_fault
from stepwell.integrations.handlers import context_of, fields, text_of, with_metadata
from stepwell.integrations.models import operation_model
from stepwell.integrations.shapes import FIRST_GENERATION_IN, FIRST_GENERATION_OUT
from stepwell.kernel.caller import CallContext, Caller
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.jsontext import Json

Given = dict[str, Any]
Prepare = Callable[[TaskCall, Given], Given]


def stringified(*names: str) -> Prepare:
    """JSON given for these string fields is sent as its text."""

    def prepare(call: TaskCall, given: Given) -> Given:
        return given | {name: text_of(given[name]) for name in names if given.get(name) is not None}

    return prepare


# Source: recorded: test_send_message (sqs), test_fifo_message_attribute (sns, Message is an object).
PREPARE: Mapping[str, Prepare] = {"sqs": stringified("MessageBody"), "sns": stringified("Message")}

CONTENT_TYPES = {"json": "application/x-amz-json-{version}", "query": "text/xml"}


class PlainHandler:
    """One call of ``row.operation``. ``prepare`` rewrites the given parameters before they are checked."""

    def __init__(self, caller: Caller, clock: Clock, row: Integration, prepare: Prepare | None = None) -> None:
        self._caller = caller
        self._clock = clock
        self._row = row
        self._prepare = prepare

    async def request(self, call: TaskCall) -> Json:
        context = context_of(call)
        output, result = await self.invoke(call, context)
        model = operation_model(self._row.botocore, self._row.operation)
        return Json(with_metadata(output, result, context, self._clock, content_type(model)))

    async def invoke(self, call: TaskCall, context: CallContext) -> tuple[dict[str, Any], dict[str, Any]]:
        """The operation's output under AWS's names, and its result as the service gave it."""
        model = operation_model(self._row.botocore, self._row.operation)
        given = fields(call)
        if self._prepare is not None:
            given = self._prepare(call, given)
        params, reasons = FIRST_GENERATION_IN.read(model.input_shape, given)
        if reasons:
            raise could_not_start(call.parameters.text, *reasons)
        result = await self.call(model, params, context)
        return FIRST_GENERATION_OUT.write(model.output_shape, result), result

    async def call(self, model: OperationModel, params: dict[str, Any], context: CallContext) -> dict[str, Any]:
        try:
            return await self._caller.call(self._row.botocore, model.name, params, context)
        except ServiceError as error:
            error.fields.setdefault("request_id", context.request_id)
            raise optimised_fault(error, self._row.error_prefix, model.service_model) from error


def content_type(model: OperationModel) -> str:
    """What AWS would send with an answer of this operation; shown for embedded services."""
    metadata = model.service_model.metadata
    form = CONTENT_TYPES.get(metadata["protocol"], "application/json")
    return form.format(version=metadata.get("jsonVersion", "1.0"))
