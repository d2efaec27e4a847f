"""The Step Functions service on an in-memory database with a manual clock, for tests/unit/test_sfn_*."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stepwell.engine.express import Express
from stepwell.engine.machines import Machines
from stepwell.engine.tasks import Submitted, TaskCall, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Service
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from stepwell.kernel.keys import KeyRing
from stepwell.services.logs import Delivery, Destinations, Logs, Shelf
from stepwell.services.stepfunctions import AcknowledgedExpress, StepFunctions, Watcher
from stepwell.storage.bundle import Storage, open_storage
from stepwell.storage.logs import LogStore
from stepwell.wire.models import Models
from stepwell.wire.validation import Validator

ROLE = "arn:aws:iam::000000000000:role/r"
PASS: dict[str, Any] = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": {"a": 1}, "End": True}}}
WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
FAIL: dict[str, Any] = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}
MODELS, VALIDATOR = Models(), Validator()
KEYS = KeyRing({1: b"k" * 32})


class StubRunner:
    """Echoes parameters; a task that waits for its token is accepted, and its token remembered."""

    def __init__(self) -> None:
        self.calls: list[TaskCall] = []
        self.answer: Callable[[TaskCall], TaskOutcome] | None = None

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        del submitted
        self.calls.append(call)
        if self.answer is not None:
            return self.answer(call)
        if call.resource.pattern == "waitForTaskToken":
            return TaskSubmitted(output=Json({}))
        return TaskSucceeded(output=call.parameters)


class House:
    """One server's worth of objects. ``do`` calls an operation as the wire does, constraints and result checked.

    With ``logs`` state machines may log to groups that are there, and to no others; ``log`` calls CloudWatch Logs.
    """

    def __init__(
        self, storage: Storage, clock: ManualClock, *, limit: int = 100, seed: int = 7, logs: bool = False
    ) -> None:
        self.storage, self.clock = storage, clock
        self.ids = SeededIds(seed)
        self.tokens = Tokens(KEYS)
        self.runner = StubRunner()
        self.machines = Machines(storage.documents.definition)
        self.shelf = Shelf(storage.documents, LogStore(storage.database), clock, self.ids)
        self.logs, self.delivery = Logs(self.shelf), Delivery(self.shelf, clock)
        self.worker = Worker(
            storage.journal, self.machines, self.runner, clock, self.ids, self.tokens, events=self.delivery
        )
        store = AcknowledgedExpress(storage.documents)
        self.express = Express(self.machines, self.runner, store, clock, self.ids, limit=limit, events=self.delivery)
        clock.settlers[:] = [self.worker.settle, self.express.settle, self.delivery.settle]
        self.sfn = StepFunctions(
            documents=storage.documents,
            journal=storage.journal,
            worker=self.worker,
            machines=self.machines,
            express=self.express,
            tokens=self.tokens,
            keys=KEYS,
            clock=clock,
            ids=self.ids,
            destinations=Destinations(self.shelf) if logs else None,
        )
        self.watcher = Watcher(self.worker, self.sfn.describe)
        self.scope = Scope()

    async def do(self, operation: str, **params: Any) -> Any:
        return await self._call(self.sfn, operation, params)

    async def log(self, operation: str, **params: Any) -> Any:
        return await self._call(self.logs, operation, params)

    async def _call(self, service: Service, operation: str, params: dict[str, Any]) -> Any:
        model = MODELS.operation(service.name, operation)
        VALIDATOR.validate(model, params)
        result = await service.call(operation, params, CallContext(scope=self.scope))
        known = set(model.output_shape.members) if model.output_shape else set()
        assert set(result) <= known, set(result) - known
        return result

    async def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of the error that the call must raise."""
        with pytest.raises(ServiceError) as caught:
            await self.do(operation, **params)
        assert caught.value.status < 500
        return caught.value.code, caught.value.message

    async def machine(self, definition: Any = None, name: str = "m", **more: Any) -> str:
        text = json.dumps(PASS if definition is None else definition)
        made = await self.do("CreateStateMachine", name=name, definition=text, roleArn=ROLE, **more)
        return str(made["stateMachineArn"])

    async def run(self, arn: str, **params: Any) -> Any:
        """Start a Standard execution, let it go as far as it can, and describe it."""
        started = await self.do("StartExecution", stateMachineArn=arn, **params)
        await self.clock.settle()
        return await self.do("DescribeExecution", executionArn=started["executionArn"])


@asynccontextmanager
async def open_house(clock: ManualClock | None = None, **options: Any) -> AsyncIterator[House]:
    storage = await open_storage("sqlite::memory:")
    await storage.membership.join()
    made = House(storage, clock or ManualClock(), **options)
    try:
        yield made
    finally:
        await made.express.shut_down(0)
        await made.worker.shut_down(0)
        await storage.close()
