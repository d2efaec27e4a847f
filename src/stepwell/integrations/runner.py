"""One call of a task, from its Resource to its outcome. Whatever happens is a value: only cancellation is raised."""

from __future__ import annotations

import logging

from stepwell.asl.resources import Resource
from stepwell.engine.tasks import Submitted, TaskCall, TaskFailed, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.integrations.faults import RUNTIME, could_not_start
from stepwell.integrations.handlers import Handler, JobHandler, Refusal
from stepwell.integrations.http.invoke import ConnectionStore, HttpInvoke
from stepwell.integrations.optimised.executions import ChildWatcher, StartExecution
from stepwell.integrations.optimised.functions import CallFunction
from stepwell.integrations.optimised.registry import optimised_handlers, refusal
from stepwell.integrations.sdk import SdkHandler
from stepwell.kernel.caller import Caller
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import StateError, StorageUnavailable
from stepwell.kernel.limits import CAUSE_CHARACTERS, ERROR_CHARACTERS, HTTP_TASK_SECONDS

log = logging.getLogger(__name__)


class IntegrationRunner:
    """The engine's TaskRunner. Activities are not run here: workers fetch them.

    ``watcher`` waits for child executions; without it ``states:startExecution.sync`` is refused.
    """

    def __init__(
        self,
        caller: Caller,
        connections: ConnectionStore,
        clock: Clock,
        *,
        watcher: ChildWatcher | None = None,
        http_seconds: float = HTTP_TASK_SECONDS,
    ) -> None:
        self._http = HttpInvoke(connections, clock, http_seconds=http_seconds)
        self._optimised = optimised_handlers(caller, clock, watcher)
        self._optimised["http", "invoke"] = self._http
        self._sdk: Handler = SdkHandler(caller)
        self._function: Handler = CallFunction(caller, clock)

    async def close(self) -> None:
        await self._http.close()

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        try:
            return await self._run(call, submitted)
        except StateError as error:
            return TaskFailed(error=_cut(error.error, ERROR_CHARACTERS), cause=_cut(error.cause, CAUSE_CHARACTERS))
        except StorageUnavailable:
            raise  # no answer of the task's: the engine calls it again
        except Exception:
            log.exception("the task of state %r of %s crashed", call.state, call.execution_arn)
            return TaskFailed(error=RUNTIME, cause="Stepwell failed to execute the task; its log says more.")

    async def _run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        handler = self._handler(call.resource)
        pattern = call.resource.pattern
        if pattern == "request":
            return TaskSucceeded(output=await handler.request(call))
        if pattern == "waitForTaskToken":
            return TaskSubmitted(output=await handler.request(call))
        job = _job(handler)
        if job is None:
            resource = call.resource
            text = refusal(resource.service, resource.action, resource.resource.removeprefix(resource.action))
            raise could_not_start(call.parameters.text, text)
        answer = await job.request(call)
        await submitted(answer)
        return TaskSucceeded(output=await job.result(call, answer))

    def _handler(self, resource: Resource) -> Handler:
        if resource.kind == "sdk":
            return self._sdk
        if resource.kind == "function":
            return self._function
        found = self._optimised.get((resource.service, resource.action))
        return found or Refusal(f"The resource '{resource.text}' cannot be executed as a task")


def _job(handler: Handler) -> JobHandler | None:
    return handler if isinstance(handler, StartExecution) else None


def _cut(text: str | None, most: int) -> str | None:
    return text if text is None or len(text) <= most else text[:most]
