"""What an execution is to be started from: a machine as it is now, one of its versions, or an alias's choice of two.

Read from memory: what was looked up in the last 250 ms is taken as it was, unless this server changed the machine since.
AWS's promise is weaker ("eventually consistent", API reference, UpdateStateMachine and UpdateStateMachineAlias).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from stepwell.engine.association import started_by
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import CheckFailed
from stepwell.kernel.ids import Ids
from stepwell.services.stepfunctions import faults
from stepwell.services.stepfunctions.naming import arn_of, own_parts, version_number
from stepwell.services.stepfunctions.published import PublishedStore
from stepwell.services.stepfunctions.records import DELETING, MachineRecord, MachineStore, as_of, repeated

FRESH_SECONDS = 0.250
CACHED = 2_000


class Target(NamedTuple):
    """The machine with the settings to start with, and what the execution keeps of the choice (``naming.started_by``)."""

    record: MachineRecord
    started_by: str | None


class _Plan(NamedTuple):
    """What an ARN stands for. ``weight``: how often the first target is taken, in per cent."""

    targets: tuple[Target, ...]
    weight: int


class Targets:
    """See the module's docstring."""

    def __init__(self, machines: MachineStore, published: PublishedStore, clock: Clock, ids: Ids) -> None:
        self._machines = machines
        self._published = published
        self._clock = clock
        self._ids = ids
        self._cache: OrderedDict[str, tuple[float, _Plan]] = OrderedDict()
        machines.listeners.append(self._forget)

    async def choose(self, scope: Scope, arn: str) -> Target:
        """Raises InvalidArn, StateMachineDoesNotExist, StateMachineDeleting."""
        targets, weight = await self._plan(scope, arn)
        return targets[0 if len(targets) == 1 or self._ids.random() * 100 < weight else 1]

    async def _plan(self, scope: Scope, arn: str) -> _Plan:
        cached = self._cache.get(arn)
        now = self._clock.now()
        if cached is not None and cached[0] >= now and cached[1].targets[0].record.scope == scope:
            return cached[1]
        plan = await repeated(lambda: self._read(scope, arn))
        self._cache[arn] = (now + FRESH_SECONDS, plan)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return plan

    def _forget(self, machine: str) -> None:
        for arn in [arn for arn in self._cache if arn.startswith(machine) and arn[len(machine) :][:1] in {"", ":"}]:
            del self._cache[arn]

    # ------------------------------------------------------------------ reading
    async def _read(self, scope: Scope, arn: str) -> _Plan:
        """Raises CheckFailed if an alias changed while it was read."""
        parts = own_parts(arn_of(arn, "stateMachine"), scope)
        record = None if parts is None else await self._machines.find(scope, parts[0])
        if parts is None or record is None:
            raise faults.machine_missing(arn)
        if record.status == DELETING:
            raise faults.machine_deleting(arn)
        qualifier = parts[1]
        if qualifier is None:
            return _Plan((Target(record, None),), 100)
        number = version_number(qualifier)
        if number is not None:
            target = await self._version(record, None, number)
            plan = None if target is None else _Plan((target,), 100)
        else:
            plan = await self._alias(record, qualifier)
        if plan is None:
            raise faults.machine_missing(arn)
        return plan

    async def _alias(self, record: MachineRecord, name: str) -> _Plan | None:
        alias = await self._published.alias(record.scope, record.name, name)
        if alias is None:
            return None
        targets = [await self._version(record, name, route.number) for route in alias.routes]
        there = tuple(target for target in targets if target is not None)
        if len(there) < len(
            targets
        ):  # a version that an alias leads to cannot be deleted: this one leads elsewhere now
            raise CheckFailed("alias")
        return _Plan(there, alias.routes[0].weight)

    async def _version(self, record: MachineRecord, alias: str | None, number: int) -> Target | None:
        version = await self._published.version(record.scope, record.name, number)
        if version is None:
            return None
        return Target(as_of(record, version.revision), started_by(record.arn, alias, number))
