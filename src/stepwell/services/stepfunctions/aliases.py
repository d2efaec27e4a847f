"""Aliases of state machines: create, update, describe, delete, list.

Recorded: test_sfn_api_aliasing. An alias leads to one version, or to two of the same machine with weights that come to 100.
Order of ListStateMachineAliases: by name, which is all that the recordings tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.naming import arn_of, machine_arn, own_parts, version_number
from stepwell.services.stepfunctions.paging import Pager, page_size
from stepwell.services.stepfunctions.published import (
    ALIASES,
    AliasRecord,
    PublishedStore,
    Route,
    delete_alias,
    put_alias,
)
from stepwell.services.stepfunctions.records import DELETING, MachineRecord, MachineStore, changed, repeated
from stepwell.services.stepfunctions.versions import version_arn

Params = Mapping[str, Any]
Answer = dict[str, Any]
WHOLE = 100  # what the weights come to

# Texts but the first are assumed.
_WRONG_SUM = "Sum of routing configuration weights must equal 100. Received: {weights}"
_NO_VERSIONS = "Routing configuration must only have ARNs of state machine versions. Received: [{arns}]"
_TWO_MACHINES = "Routing configuration must have versions of the same state machine. Received: [{arns}]"
_SAME_VERSION = "Routing configuration must have different versions. Received: [{arns}]"
_NOTHING_TO_UPDATE = "Either the description or the routing configuration must be specified"
_NO_ALIAS = "Not the ARN of a state machine alias: {arn}"


class AliasOperations:
    """See the module's docstring."""

    def __init__(self, machines: MachineStore, published: PublishedStore, pager: Pager, clock: Clock) -> None:
        self._machines = machines
        self._published = published
        self._pager = pager
        self._clock = clock

    # ------------------------------------------------------------------ create
    async def create(self, scope: Scope, params: Params) -> Answer:
        """Idempotent: the same name, description and routes give the alias that is there, else ConflictException."""
        machine, routes = _routing(scope, params["routingConfiguration"])
        return await repeated(lambda: self._create(scope, machine, routes, params))

    async def _create(self, scope: Scope, machine: str | None, routes: tuple[Route, ...], params: Params) -> Answer:
        record = await self._routed(scope, machine, params)
        there = await self._published.alias(scope, record.name, params["name"])
        if there is not None:
            if (there.description, there.routes) != (params.get("description"), routes):
                raise faults.alias_exists()
            return {"stateMachineAliasArn": _arn(record, there), "creationDate": there.created}
        if record.aliases >= ALIASES:
            raise faults.quota_exceeded("state machine aliases", ALIASES, record.arn)
        now = round(self._clock.now(), 3)
        alias = AliasRecord(
            name=params["name"], created=now, updated=now, description=params.get("description"), routes=routes
        )
        await self._published_versions(record, params)
        await self._machines.touch(changed(record, aliases=record.aliases + 1), [put_alias(record, alias)])
        return {"stateMachineAliasArn": _arn(record, alias), "creationDate": now}

    async def _routed(self, scope: Scope, machine: str | None, params: Params) -> MachineRecord:
        """The machine whose versions are routed to. Raises ResourceNotFound, StateMachineDeleting."""
        record = None if machine is None else await self._machines.find(scope, machine)
        if record is None:
            raise faults.reference_missing(_arns(params["routingConfiguration"])[0])
        return _living(record)

    async def _published_versions(self, record: MachineRecord, params: Params) -> None:
        """Raises ResourceNotFound unless all versions of the request's routes are there."""
        for arn in _arns(params["routingConfiguration"]):
            number = int(arn.rpartition(":")[2])
            if await self._published.version(record.scope, record.name, number) is None:
                raise faults.reference_missing(arn)

    # ------------------------------------------------------------------ update, delete
    async def update(self, scope: Scope, params: Params) -> Answer:
        """An update that changes nothing leaves the date of the last one (assumed)."""
        machine, name = _own(scope, params["stateMachineAliasArn"])
        given = params.get("routingConfiguration")
        if given is None and params.get("description") is None:
            raise faults.validation(_NOTHING_TO_UPDATE)
        if given is not None and _routing(scope, given)[0] != machine:
            raise faults.validation(_TWO_MACHINES.format(arns=", ".join(_arns(given))))
        return await repeated(lambda: self._update(scope, machine, name, params))

    async def _update(self, scope: Scope, machine: str, name: str, params: Params) -> Answer:
        record, old = await self._found(scope, machine, name, params)
        new = old
        if params.get("description") is not None:
            new = replace(new, description=params["description"])
        if params.get("routingConfiguration") is not None:
            await self._published_versions(record, params)
            new = replace(new, routes=_routing(scope, params["routingConfiguration"])[1])
        if new != old:
            new = replace(new, updated=round(self._clock.now(), 3))
            await self._machines.touch(record, [put_alias(record, new)])
        return {"updateDate": new.updated}

    async def delete(self, scope: Scope, params: Params) -> Answer:
        machine, name = _own(scope, params["stateMachineAliasArn"])

        async def once() -> Answer:
            record, alias = await self._found(scope, machine, name, params)
            new = changed(record, aliases=record.aliases - 1)
            await self._machines.touch(new, [delete_alias(record, alias.name)])
            return {}

        return await repeated(once)

    async def _found(self, scope: Scope, machine: str, name: str, params: Params) -> tuple[MachineRecord, AliasRecord]:
        record = await self._machines.find(scope, machine)
        alias = None if record is None else await self._published.alias(scope, machine, name)
        if record is None or alias is None:
            raise faults.reference_missing(params["stateMachineAliasArn"])
        return record, alias

    # ------------------------------------------------------------------ reads
    async def describe(self, scope: Scope, params: Params) -> Answer:
        machine, name = _own(scope, params["stateMachineAliasArn"])
        record, alias = await self._found(scope, machine, name, params)
        answer: Answer = {
            "stateMachineAliasArn": _arn(record, alias),
            "name": alias.name,
            "routingConfiguration": [
                {"stateMachineVersionArn": version_arn(record.arn, route.number), "weight": route.weight}
                for route in alias.routes
            ],
            "creationDate": alias.created,
            "updateDate": alias.updated,
        }
        if alias.description is not None:
            answer["description"] = alias.description
        return answer

    async def list(self, scope: Scope, params: Params) -> Answer:
        """All of a machine, or those that lead to a version."""
        arn = params["stateMachineArn"]
        parts = own_parts(arn_of(arn, "stateMachine"), scope)
        record = None if parts is None else await self._machines.find(scope, parts[0])
        if parts is None or record is None or (parts[1] is not None and version_number(parts[1]) is None):
            raise faults.machine_missing(arn)
        found = await self._published.aliases(scope, _living(record).name)
        number = version_number(parts[1])
        if number is not None:
            if await self._published.version(scope, record.name, number) is None:
                raise faults.reference_missing(arn)
            found = [alias for alias in found if alias.leads_to(number)]
        return self._page(scope, params, record, found)

    def _page(self, scope: Scope, params: Params, record: MachineRecord, found: Sequence[AliasRecord]) -> Answer:
        size = page_size(params)
        after = self._pager.position("ListStateMachineAliases", scope, params)
        left = [alias for alias in found if after is None or alias.name > after[0]]
        shown = left[:size]
        answer: Answer = {
            "stateMachineAliases": [
                {"stateMachineAliasArn": _arn(record, alias), "creationDate": alias.created} for alias in shown
            ]
        }
        if len(left) > size:
            answer["nextToken"] = self._pager.token("ListStateMachineAliases", scope, params, [shown[-1].name])
        return answer


def _routing(scope: Scope, given: Sequence[Mapping[str, Any]]) -> tuple[str | None, tuple[Route, ...]]:
    """Machine and routes of a routing configuration; no machine if it is not of this account and region.

    Raises InvalidArn, ValidationException.
    """
    weights = [route["weight"] for route in given]
    if sum(weights) != WHOLE:
        raise faults.validation(_WRONG_SUM.format(weights=weights))
    parsed = [arn_of(arn, "stateMachine") for arn in _arns(given)]
    shown = ", ".join(_arns(given))
    numbers = [version_number(arn.names[1]) if len(arn.names) > 1 else None for arn in parsed]
    routes = tuple(Route(n, weight) for n, weight in zip(numbers, weights, strict=True) if n is not None)
    if len(routes) < len(parsed):
        raise faults.validation(_NO_VERSIONS.format(arns=shown))
    machines = {own_parts(arn, scope) and arn.names[0] for arn in parsed}
    if len(machines) > 1:
        raise faults.validation(_TWO_MACHINES.format(arns=shown))
    if len(set(numbers)) < len(numbers):
        raise faults.validation(_SAME_VERSION.format(arns=shown))
    return machines.pop(), routes


def _arns(given: Sequence[Mapping[str, Any]]) -> list[str]:
    return [route["stateMachineVersionArn"] for route in given]


def _own(scope: Scope, arn: str) -> tuple[str, str]:
    """Machine and alias that an alias's ARN names. Raises InvalidArn, ResourceNotFound for another account or region."""
    parsed = arn_of(arn, "stateMachine")
    if len(parsed.names) < 2 or version_number(parsed.names[1]) is not None:
        raise faults.invalid_arn(_NO_ALIAS.format(arn=arn))
    parts = own_parts(parsed, scope)
    if parts is None or parts[1] is None:
        raise faults.reference_missing(arn)
    return parts[0], parts[1]


def _living(record: MachineRecord) -> MachineRecord:
    if record.status == DELETING:
        raise faults.machine_deleting(record.arn)
    return record


def _arn(record: MachineRecord, alias: AliasRecord) -> str:
    return f"{machine_arn(record.scope, record.name)}:{alias.name}"
