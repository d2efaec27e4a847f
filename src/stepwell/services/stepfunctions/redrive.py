"""RedriveExecution: an execution that ended unsuccessfully goes on from where it stood (see ``engine.redrive``).

Whether it may is said by DescribeExecution in the same words (API reference: redriveStatus is NOT_REDRIVABLE if
RedriveExecution would be refused). A repeated request, told by its client token for 15 minutes, gets the first one's answer.
That the refusal's message is the reason itself is assumed.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.engine import codec
from stepwell.engine.journal import ExecutionRow
from stepwell.engine.messages import Redrive
from stepwell.engine.redrive import redriven_at
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import Ids
from stepwell.services.stepfunctions.executions import ExecutionOperations

Params = Mapping[str, Any]
Answer = dict[str, Any]
LOOKS = 5  # at an execution that others stop and redrive meanwhile
TRY_AGAIN = "The execution is being changed by other requests; try again"


class RedriveOperations:
    """See the module's docstring."""

    def __init__(self, executions: ExecutionOperations, worker: Worker, clock: Clock, ids: Ids) -> None:
        self._executions = executions
        self._worker = worker
        self._clock = clock
        self._ids = ids

    async def redrive(self, scope: Scope, params: Params) -> Answer:
        """Durable when it returns. Raises InvalidArn, ExecutionDoesNotExist, ExecutionNotRedrivable, StorageError."""
        token = params.get("clientToken") or self._ids.uuid()
        for _ in range(LOOKS):
            row = await self._executions.row(scope, params["executionArn"])
            when = self._redriven(row, token)
            if when is not None:
                return {"redriveDate": when}
            reason = await self._executions.not_redrivable(scope, row)
            if reason is not None:
                raise ServiceError("ExecutionNotRedrivable", reason)
            await self._worker.tell(row.key, Redrive(token))
        raise ServiceError("ThrottlingException", TRY_AGAIN)

    def _redriven(self, row: ExecutionRow, token: str) -> float | None:
        return redriven_at(codec.redrive_record(row).tokens, token, self._clock.now())
