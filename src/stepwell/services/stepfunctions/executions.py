"""Standard executions: describe, stop, and the machine an execution was started from.

Recorded: test_sfn_api, test_sfn_api_versioning, base__test_base. Express executions are known to none of these operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.engine import codec
from stepwell.engine.association import VERSION_ARN, associated
from stepwell.engine.journal import ExecutionRow, Journal
from stepwell.engine.messages import Stop
from stepwell.engine.redrive import MOST_EVENTS
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Arn, Scope, scope_of
from stepwell.kernel.clock import Clock
from stepwell.kernel.limits import STANDARD_SECONDS
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.machines import MachineOperations
from stepwell.services.stepfunctions.naming import arn_of
from stepwell.services.stepfunctions.published import PublishedStore
from stepwell.services.stepfunctions.records import DELETING, MachineStore, Revision

Params = Mapping[str, Any]
Answer = dict[str, Any]
INCLUDED = {"included": True}
REDRIVE_SECONDS = 14 * 86_400.0  # after the end: AWS's service quotas
_TIMEOUT = "States.Timeout"

# Why an execution cannot be redriven (API reference, DescribeExecution; the first is recorded).
_CLOSED_TO_REDRIVE = "Execution is {status} and cannot be redriven"
_TOO_OLD = "Execution redrivable period exceeded"
_TOO_LONG = "Execution has exceeded the max execution time"
_TOO_MUCH_HISTORY = "Execution history event limit exceeded"
_MACHINE_GOES = "State machine is in DELETING status"


class ExecutionOperations:
    """See the module's docstring."""

    def __init__(
        self,
        store: MachineStore,
        published: PublishedStore,
        machines: MachineOperations,
        journal: Journal,
        worker: Worker,
        clock: Clock,
    ) -> None:
        self._store = store
        self._published = published
        self._machines = machines
        self._journal = journal
        self._worker = worker
        self._clock = clock

    async def row(self, scope: Scope, arn: str) -> ExecutionRow:
        """Raises InvalidArn, ExecutionDoesNotExist."""
        parsed = arn_of(arn, "execution")
        row = await self._journal.row(arn) if scope_of(parsed) == scope else None
        if row is None:
            raise faults.execution_missing(arn)
        return row

    # ------------------------------------------------------------------ describe
    async def describe(self, scope: Scope, params: Params) -> Answer:
        row = await self.row(scope, params["executionArn"])
        return await self._described(scope, row, data=params.get("includedData") != "METADATA_ONLY")

    async def describe_arn(self, arn: str) -> Answer:
        """DescribeExecution's answer for whoever has the ARN. Raises InvalidArn, ExecutionDoesNotExist."""
        return await self.describe(scope_of(arn_of(arn, "execution")), {"executionArn": arn})

    async def _described(self, scope: Scope, row: ExecutionRow, *, data: bool) -> Answer:
        reason = await self.not_redrivable(scope, row)
        answer = {**brief(row), "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE"}
        if reason:
            answer["redriveStatusReason"] = reason
        if row.trace_header is not None:
            answer["traceHeader"] = row.trace_header
        if data:
            answer |= {"input": row.input, "inputDetails": INCLUDED}
            answer |= shown_error(row.status, row.error, row.cause)
            if row.output is not None:
                answer |= {"output": row.output, "outputDetails": INCLUDED}
        return answer

    async def not_redrivable(self, scope: Scope, row: ExecutionRow) -> str | None:
        """AWS's reason why RedriveExecution would refuse it; None if it would not."""
        now = self._clock.now()
        if row.status in {"RUNNING", "SUCCEEDED"}:
            return _CLOSED_TO_REDRIVE.format(status=row.status)
        if row.stopped is not None and now > row.stopped + REDRIVE_SECONDS:
            return _TOO_OLD
        if now > row.started + STANDARD_SECONDS:
            return _TOO_LONG
        if codec.last_event(row) > MOST_EVENTS:
            return _TOO_MUCH_HISTORY
        machine = await self._store.find(scope, Arn.parse(row.machine_arn).names[0])
        return _MACHINE_GOES if machine is None or machine.status == DELETING else None

    async def describe_machine(self, scope: Scope, params: Params) -> Answer:
        """DescribeStateMachineForExecution: as it was when the execution started."""
        row = await self.row(scope, params["executionArn"])
        machine = Arn.parse(row.machine_arn).names[0]
        answer: Answer = {
            "stateMachineArn": row.machine_arn,
            "name": machine,
            **await self._machines.definition_members(row.definition, params),
        }
        revision = await self._revision(scope, machine, row)
        if revision is not None:
            answer |= {
                "roleArn": revision.role,
                "updateDate": revision.updated,
                "loggingConfiguration": revision.logging,
                "tracingConfiguration": revision.tracing,
                "revisionId": revision.revision,
                "encryptionConfiguration": revision.encryption,
            }
        return {name: value for name, value in answer.items() if value is not None}

    async def _revision(self, scope: Scope, machine: str, row: ExecutionRow) -> Revision | None:
        version = associated(row.version).get(VERSION_ARN)
        if version is not None:
            revision = await self._published.revision(scope, machine, int(version.rpartition(":")[2]))
            if revision is not None and revision.definition == row.definition:
                return revision
        return await self._store.revision_at(scope, machine, row.started, row.definition)

    # ------------------------------------------------------------------ stop
    async def stop(self, scope: Scope, params: Params) -> Answer:
        """An execution that has ended already stays as it is; the answer says when that was (assumed)."""
        row = await self.row(scope, params["executionArn"])
        if row.status == "RUNNING":
            await self._worker.tell(row.key, Stop(params.get("error"), params.get("cause")))
            row = await self.row(scope, row.arn)
        return {"stopDate": row.stopped}


def brief(row: ExecutionRow) -> Answer:
    """What DescribeExecution and ListExecutions both show."""
    answer: Answer = {
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        **associated(row.version),
        "name": row.name,
        "status": row.status,
        "startDate": row.started,
    }
    if row.stopped is not None:
        answer["stopDate"] = row.stopped
    redriven = codec.redrive_record(row)
    answer["redriveCount"] = redriven.times
    if redriven.last is not None:
        answer["redriveDate"] = redriven.last
    return answer


def shown_error(status: str, error: str | None, cause: str | None) -> Answer:
    """``error`` and ``cause`` as far as there are any.

    That an execution ran out of time is said by its status alone: https://github.com/floci-io/floci/issues/2733.
    """
    shown = {}
    if error is not None and not (status == "TIMED_OUT" and error == _TIMEOUT):
        shown["error"] = error
    if cause is not None:
        shown["cause"] = cause
    return shown
