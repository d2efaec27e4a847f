"""``states:startExecution``: starts a child execution on this server, and waits for it with ``.sync`` and ``.sync:2``.

::

    request           StartExecution's answer: ExecutionArn, StartDate and metadata
    .sync             DescribeExecution's answer at the end; Input and Output are strings
    .sync:2           the same, with Input and Output parsed
    child not well    States.TaskFailed, the cause is DescribeExecution's answer as JSON text

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html; recorded:
test_start_execution_sync2, test_start_execution_sync_delegate_failure, test_start_execution_input_json. Times are
milliseconds (public execution data).

Without a Name the child's name derives from the task's idempotency key, so a call repeated after a crash finds the
child that the first one started.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any, Protocol

from stepwell.asl.resources import OPTIMISED
from stepwell.engine.tasks import SHUTDOWN, TaskCall
from stepwell.integrations.faults import could_not_start, optimised_fault
from stepwell.integrations.handlers import context_of, text_of, with_metadata
from stepwell.integrations.models import operation_model
from stepwell.integrations.optimised.plain import PlainHandler, content_type
from stepwell.integrations.shapes import FIRST_GENERATION_OUT
from stepwell.kernel.arns import Arn
from stepwell.kernel.caller import CallContext, Caller
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError, ServiceError, StateError
from stepwell.kernel.jsontext import Json, dumps, loads

log = logging.getLogger(__name__)

ROW = OPTIMISED["states", "startExecution"]
EXISTS = "ExecutionAlreadyExists"
STOP_SECONDS = 30.0
_NAMES = uuid.UUID("7c2f6f0e-52f5-5a3b-9d0a-0c9b6d1d4b1e")  # of child executions
# What the recorded DescribeExecution answers of finished children hold.
_DESCRIBED = (
    "cause",
    "error",
    "executionArn",
    "input",
    "inputDetails",
    "name",
    "output",
    "outputDetails",
    "startDate",
    "stateMachineArn",
    "status",
    "stopDate",
)


class ChildWatcher(Protocol):
    """Tells when an execution of this server has ended."""

    async def wait(self, execution_arn: str) -> dict[str, Any]:
        """DescribeExecution's answer (``status``, ``output`` ...) once the execution has ended. Raises ServiceError."""
        ...


def child_name(key: str) -> str:
    """The name of the execution that a call without a Name starts; the same for a repeated call."""
    return str(uuid.uuid5(_NAMES, key))


class StartExecution(PlainHandler):
    """A JobHandler."""

    def __init__(self, caller: Caller, clock: Clock, watcher: ChildWatcher | None) -> None:
        super().__init__(caller, clock, ROW, _prepare)
        self._children = watcher

    async def request(self, call: TaskCall) -> Json:
        if self._children is None and call.resource.pattern in {"sync", "sync:2"}:
            raise could_not_start(call.parameters.text, "This runner cannot wait for child executions")
        context = context_of(call)
        try:
            output, result = await self.invoke(call, context)
        except StateError as error:
            result = await self._ours(call, error, context)
            output = FIRST_GENERATION_OUT.write(operation_model(ROW.botocore, ROW.operation).output_shape, result)
        kind = content_type(operation_model(ROW.botocore, ROW.operation))
        return Json(with_metadata(output, result, context, self._clock, kind))

    async def _ours(self, call: TaskCall, error: StateError, context: CallContext) -> dict[str, Any]:
        """The answer that the first of several equal calls got: the derived name is nobody else's."""
        taken = isinstance(error.__cause__, ServiceError) and error.__cause__.code == EXISTS
        if not taken or call.parameters.value.get("Name") is not None:
            raise error
        machine = Arn.parse(call.parameters.value["StateMachineArn"])
        child = f"execution:{machine.names[0]}:{child_name(call.key)}"
        arn = Arn(machine.partition, machine.service, machine.region, machine.account, child)
        described = await self._describe(str(arn), context)
        return {"executionArn": described["executionArn"], "startDate": described["startDate"]}

    async def _describe(self, arn: str, context: CallContext) -> dict[str, Any]:
        model = operation_model(ROW.botocore, "DescribeExecution")
        return await self.call(model, {"executionArn": arn}, context)

    async def result(self, call: TaskCall, answer: Json) -> Json:
        """Wait for the child. A cancelled wait stops it, as AWS does, unless the server is only going down."""
        if self._children is None:
            raise could_not_start(call.parameters.text, "This runner cannot wait for child executions")
        arn: str = answer.value["ExecutionArn"]
        try:
            described = await self._children.wait(arn)
        except asyncio.CancelledError as cancelled:
            if SHUTDOWN not in cancelled.args:
                await self._stop(call, arn)
            raise
        except ServiceError as error:
            error.fields.setdefault("request_id", context_of(call).request_id)
            model = operation_model(ROW.botocore, "DescribeExecution")
            raise optimised_fault(error, ROW.error_prefix, model.service_model) from error
        return _finished(described, parsed=call.resource.pattern == "sync:2")

    async def _stop(self, call: TaskCall, arn: str) -> None:
        stopping = self._caller.call("stepfunctions", "StopExecution", {"executionArn": arn}, context_of(call))
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(stopping)), STOP_SECONDS)
        except (ServiceError, TimeoutError) as error:
            log.warning("child execution %s could not be stopped: %s", arn, error)


def _prepare(call: TaskCall, given: dict[str, Any]) -> dict[str, Any]:
    prepared = dict(given)
    if prepared.get("Name") is None:
        prepared["Name"] = child_name(call.key)
    if prepared.get("Input") is not None:
        prepared["Input"] = text_of(prepared["Input"])
    if call.trace_header and prepared.get("TraceHeader") is None:
        prepared["TraceHeader"] = call.trace_header
    return prepared


def _finished(described: dict[str, Any], *, parsed: bool) -> Json:
    shape = operation_model(ROW.botocore, "DescribeExecution").output_shape
    shown = {name: described[name] for name in _DESCRIBED if described.get(name) is not None}
    output = FIRST_GENERATION_OUT.write(shape, shown)
    if output.get("Status") != "SUCCEEDED":
        raise StateError("States.TaskFailed", dumps(output))
    if parsed:
        for name in ("Input", "Output"):
            if isinstance(output.get(name), str):
                output[name] = _value(output[name])
    return Json(output)


def _value(text: str) -> Any:
    try:
        return loads(text)
    except JsonSyntaxError:
        return text
