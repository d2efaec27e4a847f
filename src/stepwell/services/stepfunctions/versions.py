"""Versions of state machines: publish, delete, list, describe.

Recorded: test_sfn_api_versioning. A version belongs to a revision; publishing a revision again gives the version it has. That
deleting a version that is not there is well, and that a machine that is not there has an empty list of versions, follows from
the errors these operations are documented to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.naming import arn_of, own_name, own_parts, version_number
from stepwell.services.stepfunctions.paging import Pager, page_size
from stepwell.services.stepfunctions.published import PublishedStore, VersionRecord, delete_version, publish
from stepwell.services.stepfunctions.records import DELETING, MachineRecord, MachineStore, changed, repeated

Params = Mapping[str, Any]
Answer = dict[str, Any]
FIRST_REVISION = "INITIAL"  # how PublishStateMachineVersion calls the revision without an id
ONLY_WITH_PUBLISH = "Version description can only be set when publish is true"
OTHER_REVISION = "The current revision of the state machine does not match the given revisionId."  # assumed
NO_VERSION = "Not the ARN of a state machine version: {arn}"  # assumed


def to_publish(params: Params) -> bool:
    """Whether CreateStateMachine or UpdateStateMachine are to publish a version. Raises ValidationException."""
    if params.get("publish"):
        return True
    if params.get("versionDescription") is not None:
        raise faults.validation(ONLY_WITH_PUBLISH)
    return False


def version_arn(machine: str, number: int) -> str:
    return f"{machine}:{number}"


class VersionOperations:
    """See the module's docstring."""

    def __init__(self, machines: MachineStore, published: PublishedStore, pager: Pager, clock: Clock) -> None:
        self._machines = machines
        self._published = published
        self._pager = pager
        self._clock = clock

    # ------------------------------------------------------------------ publish
    async def publish(self, scope: Scope, params: Params) -> Answer:
        """Idempotent by revision; a different description changes nothing then (assumed)."""
        arn_of(params["stateMachineArn"], "stateMachine")
        return await repeated(lambda: self._publish(scope, params))

    async def _publish(self, scope: Scope, params: Params) -> Answer:
        arn = params["stateMachineArn"]
        record = await self._machines.by_arn(scope, arn)
        if record.status == DELETING:
            raise faults.machine_deleting(arn)
        revision = params.get("revisionId")
        if revision is not None and revision != (record.revision or FIRST_REVISION):
            raise faults.conflict(OTHER_REVISION)
        there = None if record.latest is None else await self._published.version(scope, record.name, record.latest)
        if there is not None:
            return _made(record, there.number, there.created)
        now = round(self._clock.now(), 3)
        new, changes = publish(record, params.get("description"), now)
        await self._machines.touch(new, changes)
        return _made(new, new.published, now)

    # ------------------------------------------------------------------ delete
    async def delete(self, scope: Scope, params: Params) -> Answer:
        """Executions of the version go on. Raises InvalidArn, ConflictException while an alias leads to it."""
        arn = params["stateMachineVersionArn"]
        parsed = arn_of(arn, "stateMachine")
        number = version_number(parsed.names[1] if len(parsed.names) > 1 else None)
        if number is None:
            raise faults.invalid_arn(NO_VERSION.format(arn=arn))
        parts = own_parts(parsed, scope)
        if parts is None:
            return {}
        return await repeated(lambda: self._delete(scope, parts[0], number))

    async def _delete(self, scope: Scope, machine: str, number: int) -> Answer:
        record = await self._machines.find(scope, machine)
        if record is None or await self._published.version(scope, machine, number) is None:
            return {}
        using = [alias.name for alias in await self._published.aliases(scope, machine) if alias.leads_to(number)]
        if using:
            raise faults.version_in_use(using)
        latest = None if record.latest == number else record.latest
        new = changed(record, versions=record.versions - 1, latest=latest)
        await self._machines.touch(new, [delete_version(record, number)])
        return {}

    # ------------------------------------------------------------------ reads
    async def list(self, scope: Scope, params: Params) -> Answer:
        """Newest first."""
        arn = arn_of(params["stateMachineArn"], "stateMachine")
        size = page_size(params)
        before = self._pager.position("ListStateMachineVersions", scope, params)
        name = own_name(arn, scope)
        if name is None:
            return {"stateMachineVersions": []}
        found = await self._published.versions(scope, name, None if before is None else before[0], size + 1)
        shown = [
            {"stateMachineVersionArn": version_arn(str(arn), version.number), "creationDate": version.created}
            for version in found[:size]
        ]
        answer: Answer = {"stateMachineVersions": shown}
        if len(found) > size:
            position = [found[size - 1].number]
            answer["nextToken"] = self._pager.token("ListStateMachineVersions", scope, params, position)
        return answer

    async def described(self, record: MachineRecord, qualifier: str) -> VersionRecord | None:
        """The version that a qualifier of this machine stands for; of an alias the one that most executions go to.

        What DescribeStateMachine shows of an alias with two routes is assumed.
        """
        number = version_number(qualifier)
        if number is None:
            alias = await self._published.alias(record.scope, record.name, qualifier)
            if alias is None:
                return None
            number = max(alias.routes, key=lambda route: route.weight).number
        return await self._published.version(record.scope, record.name, number)


def _made(record: MachineRecord, number: int, created: float) -> Answer:
    return {"creationDate": created, "stateMachineVersionArn": version_arn(record.arn, number)}
