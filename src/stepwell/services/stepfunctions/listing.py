"""ListExecutions: of a machine, of one of its versions, or of an alias.

Those of a version or alias are picked from the machine's, so a page may be short, or empty, and still have a next one:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html promises only an upper limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepwell.engine.association import ALIAS_ARN, VERSION_ARN, associated
from stepwell.engine.journal import ExecutionRow, Journal, Status
from stepwell.kernel.arns import Scope
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.executions import brief
from stepwell.services.stepfunctions.naming import arn_of, own_parts, version_number
from stepwell.services.stepfunctions.paging import Pager, page_size
from stepwell.services.stepfunctions.published import PublishedStore
from stepwell.services.stepfunctions.records import MachineRecord, MachineStore

Params = Mapping[str, Any]
Answer = dict[str, Any]
AT_ONCE, LOOKED_AT = 100, 1_000  # executions read, and read for one page, to find those of a version or alias
NO_MACHINE = "Must provide a StateMachine ARN or MapRun ARN"


class ListOperations:
    """See the module's docstring."""

    def __init__(self, store: MachineStore, published: PublishedStore, journal: Journal, pager: Pager) -> None:
        self._store = store
        self._published = published
        self._journal = journal
        self._pager = pager

    async def list(self, scope: Scope, params: Params) -> Answer:
        """Newest first. Of a version or alias a page may be short, or empty, and still have a next one."""
        arn = _machine_to_list(params)
        record, member = await self._listed(scope, arn)
        if record.express:
            raise faults.wrong_type()
        seen = self._pager.position("ListExecutions", scope, params)
        after = None if seen is None else (seen[0], bytes.fromhex(seen[1]))
        status, size = params.get("statusFilter"), page_size(params)
        rows: Sequence[ExecutionRow]
        if member is None:
            rows = await self._journal.rows(record.arn, status=status, after=after, limit=size + 1)
            last = rows[size - 1] if len(rows) > size else None
        else:
            rows, last = await self._associated(record.arn, (member, arn), status, after, size)
        answer: Answer = {"executions": [brief(row) for row in rows[:size]]}
        if last is not None:
            position = [last.started, last.key.id.hex()]
            answer["nextToken"] = self._pager.token("ListExecutions", scope, params, position)
        return answer

    async def _listed(self, scope: Scope, arn: str) -> tuple[MachineRecord, str | None]:
        """The machine, and the member by which its executions are picked, if the ARN is a version's or an alias's.

        Raises StateMachineDoesNotExist, and ResourceNotFound for a version or alias that is not there (assumed).
        """
        parts = own_parts(arn_of(arn, "stateMachine"), scope)
        record = None if parts is None else await self._store.find(scope, parts[0])
        if parts is None or record is None:
            raise faults.machine_missing(arn)
        if parts[1] is None:
            return record, None
        number = version_number(parts[1])
        if number is None:
            found: object = await self._published.alias(scope, record.name, parts[1])
        else:
            found = await self._published.version(scope, record.name, number)
        if found is None:
            raise faults.reference_missing(arn)
        return record, ALIAS_ARN if number is None else VERSION_ARN

    async def _associated(
        self, machine: str, wanted: tuple[str, str], status: Status | None, after: tuple[float, bytes] | None, size: int
    ) -> tuple[Sequence[ExecutionRow], ExecutionRow | None]:
        """Rows with a member of this value, and the last one looked at if there are more."""
        member, arn = wanted
        found: list[ExecutionRow] = []
        for _ in range(LOOKED_AT // AT_ONCE):
            rows = await self._journal.rows(machine, status=status, after=after, limit=AT_ONCE)
            for at, row in enumerate(rows):
                if associated(row.version).get(member) != arn:
                    continue
                found.append(row)
                if len(found) == size:
                    return found, row if at + 1 < len(rows) or len(rows) == AT_ONCE else None
            if len(rows) < AT_ONCE:
                return found, None
            last = rows[-1]
            after = (last.started, last.key.id)
        return found, last


def _machine_to_list(params: Params) -> str:
    """Texts but the first are assumed; that the filters are refused is the API reference's word (ListExecutions)."""
    if params.get("mapRunArn") is not None:
        raise faults.not_yet("mapRunArn")
    arn: str | None = params.get("stateMachineArn")
    if arn is None:
        raise faults.validation(NO_MACHINE)  # https://github.com/cloudquery/cloudquery/pull/7911
    if params.get("statusFilter") == "PENDING_REDRIVE":
        raise faults.validation("Must provide a MapRun ARN when statusFilter is PENDING_REDRIVE")
    if params.get("redriveFilter") is not None:
        raise faults.validation("redriveFilter is only valid with a MapRun ARN")
    return arn
