"""What a kind of Task resource has to offer the runner, and the pieces that several kinds share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Protocol

from stepwell.engine.tasks import TaskCall
from stepwell.integrations.faults import could_not_start
from stepwell.kernel.caller import CallContext
from stepwell.kernel.clock import Clock
from stepwell.kernel.jsontext import Json, dumps


class Handler(Protocol):
    """Executes a resource's request. Raises StateError with the name and cause that the workflow sees."""

    async def request(self, call: TaskCall) -> Json:
        """Make the request and return its answer: the task's result, or of ``.sync`` what TaskSubmitted shows."""
        ...


class JobHandler(Handler, Protocol):
    """A handler whose request starts a job that ``.sync`` waits for."""

    async def result(self, call: TaskCall, answer: Json) -> Json:
        """Wait for the job that ``request`` answered with, and return the task's result. Cancelling stops the job."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource that is known but has no behaviour here yet; says so, by name."""

    text: str

    async def request(self, call: TaskCall) -> Json:
        raise could_not_start(call.parameters.text, self.text)


def fields(call: TaskCall) -> dict[str, Any]:
    """The task's parameters, which must be a JSON object."""
    value = call.parameters.value
    if not isinstance(value, dict):
        raise could_not_start(call.parameters.text, "The Parameters must be a JSON object")
    return value


def context_of(call: TaskCall) -> CallContext:
    """The call is made for the execution's role, under the task's idempotency key."""
    return CallContext(scope=call.scope, request_id=str(uuid.uuid4()), idempotency_key=call.key, role_arn=call.role_arn)


def text_of(value: Any) -> str:
    """A string as it is; anything else as compact JSON, as AWS does for message bodies and inputs."""
    return value if isinstance(value, str) else dumps(value)


def with_metadata(
    output: dict[str, Any], result: dict[str, Any], context: CallContext, clock: Clock, content_type: str
) -> dict[str, Any]:
    """``output`` with SdkHttpMetadata and SdkResponseMetadata, members in alphabetical order.

    Headers are the service's own; for an embedded service those that AWS sends (recorded:
    test_start_execution_input_json).
    """
    metadata = result.get("ResponseMetadata")
    if metadata:
        headers: dict[str, list[str]] = metadata["HTTPHeaders"]
        status, request_id = metadata["HTTPStatusCode"], metadata.get("RequestId", "")
    else:
        request_id, status = context.request_id, 200
        headers = {
            "x-amzn-RequestId": [request_id],
            "connection": ["keep-alive"],
            "Content-Length": [str(_length(result))],
            "Date": [formatdate(clock.now(), usegmt=True)],
            "Content-Type": [content_type],
        }
    first = {name: values[0] for name, values in sorted(headers.items(), key=lambda pair: pair[0].lower())}
    described = {
        "SdkHttpMetadata": {"AllHttpHeaders": headers, "HttpHeaders": first, "HttpStatusCode": status},
        "SdkResponseMetadata": {"RequestId": request_id},
    }
    return dict(sorted((output | described).items()))


def _length(result: dict[str, Any]) -> int:
    """Bytes of the body AWS would have sent: times are doubles in Java's notation, ``1.659425992717E9``."""
    longer = sum(len(_java(value)) - len(dumps(value)) for value in result.values() if isinstance(value, float))
    return len(dumps(result).encode()) + longer


def _java(value: float) -> str:
    digits = f"{value:.3f}".replace(".", "").rstrip("0").ljust(2, "0")
    return f"{digits[0]}.{digits[1:]}E{len(str(int(value))) - 1}"
