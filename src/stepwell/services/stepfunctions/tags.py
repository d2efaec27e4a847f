"""Tags of state machines and activities.

Recorded: test_sfn_api_tagging. Rules: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Tag.html; the texts of
refusals are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.limits import TAGS
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.naming import arn_of, own_name
from stepwell.services.stepfunctions.records import ActivityRecord, ActivityStore, MachineRecord, MachineStore, repeated

Params = Mapping[str, Any]
Answer = dict[str, Any]
_ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")  # Unicode letters, digits, white space and these


def check_tags(old: Mapping[str, str], given: Iterable[Mapping[str, str]], arn: str) -> dict[str, str]:
    """Old tags with the given ones added or replaced; raises TooManyTags, ValidationException."""
    merged = {**old, **{tag["key"]: tag.get("value") or "" for tag in given}}
    for key, value in merged.items():
        if key.lower().startswith("aws:") or not _ALLOWED.fullmatch(key) or not _ALLOWED.fullmatch(value):
            raise faults.validation(f"Invalid tag: '{key}'")
    if len(merged) > TAGS:
        raise faults.too_many_tags(arn)
    return merged


class TagOperations:
    """See the module's docstring."""

    def __init__(self, machines: MachineStore, activities: ActivityStore) -> None:
        self._machines = machines
        self._activities = activities

    async def tag(self, scope: Scope, params: Params) -> Answer:
        arn, given = params["resourceArn"], params["tags"]

        async def change() -> Answer:
            record = await self._resource(scope, arn)
            return await self._save(record, check_tags(record.tags, given, arn))

        return await repeated(change)

    async def untag(self, scope: Scope, params: Params) -> Answer:
        gone = set(params["tagKeys"])

        async def change() -> Answer:
            record = await self._resource(scope, params["resourceArn"])
            return await self._save(record, {k: v for k, v in record.tags.items() if k not in gone})

        return await repeated(change)

    async def list(self, scope: Scope, params: Params) -> Answer:
        record = await self._resource(scope, params["resourceArn"])
        return {"tags": [{"key": key, "value": value} for key, value in record.tags.items()]}

    async def _resource(self, scope: Scope, text: str) -> MachineRecord | ActivityRecord:
        arn = arn_of(text, "stateMachine", "activity")
        name = own_name(arn, scope)
        found: MachineRecord | ActivityRecord | None = None
        if name is not None and arn.kind == "activity":
            found = await self._activities.find(scope, name)
        elif name is not None:
            found = await self._machines.find(scope, name)
        if found is None:
            raise faults.resource_missing(text)
        return found

    async def _save(self, record: MachineRecord | ActivityRecord, tags: dict[str, str]) -> Answer:
        if tags != record.tags and isinstance(record, MachineRecord):
            await self._machines.touch(replace(record, tags=tags))
        elif tags != record.tags and isinstance(record, ActivityRecord):
            await self._activities.save(replace(record, tags=tags))
        return {}
