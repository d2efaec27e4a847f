"""StartExecution and StartSyncExecution.

Recorded: test_invalid_start_execution_input, test_start_execution_idempotent, express__*. A Standard execution's name is taken
until 90 days after its end; the same name and input while it runs is the same request again (API reference, StartExecution).
A machine that was just updated or deleted by another server may still be started as it was, for 250 ms (see ``targets``).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any

from stepwell.engine.execution_log import plan_of
from stepwell.engine.express import ID_BYTES, Express, new_execution_key
from stepwell.engine.journal import Key, partition_of
from stepwell.engine.machines import Machines
from stepwell.engine.state import Execution
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions import faults, validation
from stepwell.services.stepfunctions.executions import shown_error
from stepwell.services.stepfunctions.naming import check_name, execution_arn, express_arn
from stepwell.services.stepfunctions.targets import Target, Targets

Params = Mapping[str, Any]
Answer = dict[str, Any]
BILLED_MILLISECONDS = 100  # Express workflows are billed in steps of these, and of
BILLED_MEGABYTES = 64  # these: recorded test_base[BASE_PASS_RESULT]
INCLUDED = {"included": True}


class StartOperations:
    """See the module's docstring."""

    def __init__(
        self, targets: Targets, machines: Machines, worker: Worker, express: Express, clock: Clock, ids: Ids
    ) -> None:
        self._targets = targets
        self._machines = machines
        self._worker = worker
        self._express = express
        self._clock = clock
        self._ids = ids

    async def start(self, scope: Scope, params: Params, *, once: str | None = None) -> Answer:
        """``once`` is the idempotency key of a task: repeated after a crash, its call finds what the first one started."""
        target, document = await self._prepare(scope, params)
        execution = await self._execution(target, document, params)
        if once is not None and not execution.express:
            execution.key = Key(execution.key.pid, sha256(once.encode()).digest()[:ID_BYTES])
        if execution.express:
            await self._express.start(execution)
        else:
            taken = await self._worker.start(execution)
            if taken is not None:
                ours = once is not None and taken.key == execution.key
                if not ours and (taken.status != "RUNNING" or taken.input != document.text):
                    raise faults.execution_exists(execution.arn)
                return {"executionArn": taken.arn, "startDate": taken.started}
        return {"executionArn": execution.arn, "startDate": execution.started}

    async def start_sync(self, scope: Scope, params: Params) -> Answer:
        """Runs in memory alone; a failed execution is an answer like any other."""
        target, document = await self._prepare(scope, params)
        if not target.record.express:
            raise faults.wrong_type()
        execution = await self._express.sync(await self._execution(target, document, params))
        return _sync_answer(execution, data=params.get("includedData") != "METADATA_ONLY")

    async def _prepare(self, scope: Scope, params: Params) -> tuple[Target, Json]:
        name = params.get("name")
        if name is not None:
            check_name(name)
        target = await self._targets.choose(scope, params["stateMachineArn"])
        return target, validation.execution_input(params.get("input"))

    async def _execution(self, target: Target, document: Json, params: Params) -> Execution:
        record = target.record
        machine = self._machines.known(record.definition) or await self._machines.get(record.definition)
        name = params.get("name") or self._ids.uuid()
        now = round(self._clock.now(), 3)
        if record.express:
            arn, pid = express_arn(record.scope, record.name, name, self._ids.uuid()), 0
        else:
            arn = execution_arn(record.scope, record.name, name)
            pid = partition_of(arn)
        return Execution(
            key=new_execution_key(pid, now, self._ids),
            arn=arn,
            name=name,
            machine=machine,
            machine_arn=record.arn,
            machine_name=record.name,
            role_arn=record.role,
            scope=record.scope,
            definition=record.definition,
            started=now,
            input=document,
            express=record.express,
            version=target.started_by,
            trace_header=params.get("traceHeader") or None,
            log=plan_of(record.logging),
            frames={},
            payloads={},
            tasks={},
        )


def _sync_answer(execution: Execution, *, data: bool) -> Answer:
    """StartSyncExecution's answer. Without data the members that may hold some are left out (assumed)."""
    stopped = execution.started if execution.stopped is None else execution.stopped
    steps = max(1, ceil(round((stopped - execution.started) * 1000, 3) / BILLED_MILLISECONDS))
    answer: Answer = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "startDate": execution.started,
        "stopDate": stopped,
        "status": execution.status,
        "billingDetails": {
            "billedDurationInMilliseconds": steps * BILLED_MILLISECONDS,
            "billedMemoryUsedInMB": BILLED_MEGABYTES,
        },
    }
    if data:
        # outputDetails is there although a failed execution has no output (recorded: test_base[BASE_RAISE_FAILURE]).
        answer |= {"input": execution.input.text, "inputDetails": INCLUDED, "outputDetails": INCLUDED}
        answer |= shown_error(execution.status, execution.error, execution.cause)
        if execution.output is not None:
            answer["output"] = execution.output.text
    if execution.trace_header is not None:
        answer["traceHeader"] = execution.trace_header
    return answer
