"""Step Functions' door: operation names to methods. What is not served yet is refused by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stepwell.engine.express import Express
from stepwell.engine.journal import Journal
from stepwell.engine.machines import Machines
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import Ids
from stepwell.kernel.keys import KeyRing
from stepwell.kernel.limits import ACTIVITY_POLL_SECONDS
from stepwell.services.stepfunctions import definitions
from stepwell.services.stepfunctions.activities import ActivityOperations
from stepwell.services.stepfunctions.aliases import AliasOperations
from stepwell.services.stepfunctions.callbacks import CallbackOperations
from stepwell.services.stepfunctions.executions import ExecutionOperations
from stepwell.services.stepfunctions.history import HistoryOperations
from stepwell.services.stepfunctions.listing import ListOperations
from stepwell.services.stepfunctions.machines import MachineOperations
from stepwell.services.stepfunctions.paging import Pager
from stepwell.services.stepfunctions.published import PublishedStore
from stepwell.services.stepfunctions.records import ActivityStore, MachineStore
from stepwell.services.stepfunctions.redrive import RedriveOperations
from stepwell.services.stepfunctions.starting import StartOperations
from stepwell.services.stepfunctions.tags import TagOperations
from stepwell.services.stepfunctions.targets import Targets
from stepwell.services.stepfunctions.teststate import TestStateOperation
from stepwell.services.stepfunctions.validation import LogDestinations
from stepwell.services.stepfunctions.versions import VersionOperations
from stepwell.storage.documents import Documents

Operation = Callable[[Scope, Mapping[str, Any]], Awaitable[dict[str, Any]]]


class StepFunctions:
    """Implements ``kernel.caller.Service``."""

    name = "stepfunctions"

    def __init__(
        self,
        *,
        documents: Documents,
        journal: Journal,
        worker: Worker,
        machines: Machines,
        express: Express,
        tokens: Tokens,
        keys: KeyRing,
        clock: Clock,
        ids: Ids,
        poll_seconds: float = ACTIVITY_POLL_SECONDS,
        destinations: LogDestinations | None = None,
    ) -> None:
        pager = Pager(keys, clock)
        store, activity_store = MachineStore(documents, journal), ActivityStore(documents)
        published = PublishedStore(documents)
        version = VersionOperations(store, published, pager, clock)
        alias = AliasOperations(store, published, pager, clock)
        machine = MachineOperations(store, published, version, journal, pager, clock, ids, destinations)
        targets = Targets(store, published, clock, ids)
        self._starting = starting = StartOperations(targets, machines, worker, express, clock, ids)
        execution = ExecutionOperations(store, published, machine, journal, worker, clock)
        redrive = RedriveOperations(execution, worker, clock, ids)
        listing = ListOperations(store, published, journal, pager)
        history = HistoryOperations(execution, journal, pager)
        activity = ActivityOperations(activity_store, worker, pager, clock, poll_seconds=poll_seconds)
        callback = CallbackOperations(journal, worker, tokens)
        tag = TagOperations(store, activity_store)
        self.describe = execution.describe_arn
        self.operations: dict[str, Operation] = {
            "CreateStateMachine": machine.create,
            "UpdateStateMachine": machine.update,
            "DeleteStateMachine": machine.delete,
            "DescribeStateMachine": machine.describe,
            "ListStateMachines": machine.list,
            "ValidateStateMachineDefinition": definitions.validate,
            "PublishStateMachineVersion": version.publish,
            "DeleteStateMachineVersion": version.delete,
            "ListStateMachineVersions": version.list,
            "CreateStateMachineAlias": alias.create,
            "UpdateStateMachineAlias": alias.update,
            "DescribeStateMachineAlias": alias.describe,
            "DeleteStateMachineAlias": alias.delete,
            "ListStateMachineAliases": alias.list,
            "StartExecution": starting.start,
            "StartSyncExecution": starting.start_sync,
            "DescribeExecution": execution.describe,
            "DescribeStateMachineForExecution": execution.describe_machine,
            "ListExecutions": listing.list,
            "StopExecution": execution.stop,
            "RedriveExecution": redrive.redrive,
            "GetExecutionHistory": history.get,
            "CreateActivity": activity.create,
            "DeleteActivity": activity.delete,
            "DescribeActivity": activity.describe,
            "ListActivities": activity.list,
            "GetActivityTask": activity.get_task,
            "SendTaskSuccess": callback.success,
            "SendTaskFailure": callback.failure,
            "SendTaskHeartbeat": callback.heartbeat,
            "TestState": TestStateOperation(express, clock, ids).test,
            "TagResource": tag.tag,
            "UntagResource": tag.untag,
            "ListTagsForResource": tag.list,
        }

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """Raises ServiceError with AWS's codes; UnknownOperationException for an operation that is not served."""
        method = self.operations.get(operation)
        if method is None:
            raise ServiceError(
                "UnknownOperationException", f"{operation} is not supported yet by this version of Stepwell."
            )
        if operation == "StartExecution" and context.idempotency_key is not None:
            return await self._starting.start(context.scope, params, once=context.idempotency_key)
        return await method(context.scope, params)
