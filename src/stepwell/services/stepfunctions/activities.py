"""Activities: create, delete, describe, list, and the polls of their workers.

Recorded: test_sfn_api_activities. Order of ListActivities (by name) is assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.limits import ACTIVITY_POLL_SECONDS
from stepwell.services.stepfunctions import faults, validation
from stepwell.services.stepfunctions.naming import activity_arn, arn_of, check_name, own_name
from stepwell.services.stepfunctions.paging import Pager, page_size
from stepwell.services.stepfunctions.records import ActivityRecord, ActivityStore, repeated
from stepwell.services.stepfunctions.tags import check_tags

Params = Mapping[str, Any]
Answer = dict[str, Any]
POLLERS = 1_000  # of one activity at a time: AWS's service quotas


class ActivityOperations:
    """See the module's docstring."""

    def __init__(
        self,
        store: ActivityStore,
        worker: Worker,
        pager: Pager,
        clock: Clock,
        *,
        poll_seconds: float = ACTIVITY_POLL_SECONDS,
    ) -> None:
        self._store = store
        self._worker = worker
        self._pager = pager
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._polling: Counter[str] = Counter()

    async def create(self, scope: Scope, params: Params) -> Answer:
        """Idempotent by name; other tags are ignored (API reference, CreateActivity)."""
        name = check_name(params["name"])
        validation.encryption(params.get("encryptionConfiguration"))
        arn = activity_arn(scope, name)
        tags = check_tags({}, params.get("tags") or (), arn)
        record = ActivityRecord(scope=scope, arn=arn, name=name, created=round(self._clock.now(), 3), tags=tags)

        async def create() -> Answer:
            there = await self._store.find(scope, name)
            if there is None:
                await self._store.save(record)
                there = record
            return {"activityArn": there.arn, "creationDate": there.created}

        return await repeated(create)

    async def delete(self, scope: Scope, params: Params) -> Answer:
        name = own_name(arn_of(params["activityArn"], "activity"), scope)
        if name is not None:
            await self._store.delete(scope, name)
        return {}

    async def describe(self, scope: Scope, params: Params) -> Answer:
        record = await self._store.by_arn(scope, params["activityArn"])
        return {**_listed(record), "encryptionConfiguration": validation.OWNED_KEY}

    async def list(self, scope: Scope, params: Params) -> Answer:
        size = page_size(params)
        after = self._pager.position("ListActivities", scope, params)
        found = await self._store.page(scope, None if after is None else after[0], size + 1)
        answer: Answer = {"activities": [_listed(record) for record in found[:size]]}
        if len(found) > size:
            answer["nextToken"] = self._pager.token("ListActivities", scope, params, [found[size - 1].name])
        return answer

    async def get_task(self, scope: Scope, params: Params) -> Answer:
        """Waits up to a minute for a task; an empty answer if there was none."""
        arn = (await self._store.by_arn(scope, params["activityArn"])).arn
        if self._polling[arn] >= POLLERS:
            raise faults.too_many_pollers(arn)
        self._polling[arn] += 1
        try:
            task = await self._worker.activities.poll(arn, params.get("workerName"), self._poll_seconds)
        finally:
            self._polling[arn] -= 1
            if not self._polling[arn]:
                del self._polling[arn]
        return {} if task is None else {"taskToken": task.token, "input": task.input}


def _listed(record: ActivityRecord) -> Answer:
    return {"activityArn": record.arn, "name": record.name, "creationDate": record.created}
