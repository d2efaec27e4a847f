"""State machines: create, update, delete, describe, list.

Recorded: test_sfn_api, test_sfn_api_express, test_sfn_api_logs, test_sfn_api_versioning. A machine is deleted when its last
execution has ended; until then it is DELETING, its versions and aliases are gone at once. Order of ListStateMachines
(by name) is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stepwell.asl.references import variable_references
from stepwell.asl.source import load_json_definition
from stepwell.engine.journal import Journal
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import Ids
from stepwell.services.stepfunctions import faults, validation
from stepwell.services.stepfunctions.naming import arn_of, check_name, machine_arn, own_name, own_parts
from stepwell.services.stepfunctions.paging import Pager, page_size
from stepwell.services.stepfunctions.published import PublishedStore, VersionRecord, publish
from stepwell.services.stepfunctions.records import (
    ACTIVE,
    DELETING,
    MachineRecord,
    MachineStore,
    as_of,
    changed,
    hash_of,
    repeated,
)
from stepwell.services.stepfunctions.tags import check_tags
from stepwell.services.stepfunctions.versions import VersionOperations, to_publish, version_arn
from stepwell.storage.documents import Change

Params = Mapping[str, Any]
Answer = dict[str, Any]
FIRST_VERSION = 1
WITHHELD = "{}"  # the definition with includedData METADATA_ONLY (API reference, DescribeStateMachine)
NOTHING_TO_UPDATE = (
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
)
_UPDATABLE = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")


class MachineOperations:
    """See the module's docstring."""

    def __init__(
        self,
        store: MachineStore,
        published: PublishedStore,
        versions: VersionOperations,
        journal: Journal,
        pager: Pager,
        clock: Clock,
        ids: Ids,
        destinations: validation.LogDestinations | None = None,
    ) -> None:
        self._store = store
        self._published = published
        self._versions = versions
        self._journal = journal
        self._pager = pager
        self._clock = clock
        self._ids = ids
        self._destinations = destinations

    # ------------------------------------------------------------------ create
    async def create(self, scope: Scope, params: Params) -> Answer:
        """Idempotent: the same name, definition, type, configurations and publishing give the machine that is there.

        A different role or other tags are ignored (API reference, CreateStateMachine).
        """
        record = self._new(scope, params)
        await validation.destination(record.logging, scope, self._destinations)
        return await repeated(lambda: self._create(record, params["definition"]))

    def _new(self, scope: Scope, params: Params) -> MachineRecord:
        name, kind = check_name(params["name"]), params.get("type") or "STANDARD"
        created_with = [True, params.get("versionDescription")] if to_publish(params) else None
        now = round(self._clock.now(), 3)
        arn = machine_arn(scope, name)
        return MachineRecord(
            scope=scope,
            arn=arn,
            name=name,
            type=kind,
            role=validation.role(params["roleArn"]),
            logging=validation.logging(params.get("loggingConfiguration")),
            tracing=validation.tracing(params.get("tracingConfiguration")),
            encryption=validation.encryption(params.get("encryptionConfiguration")),
            definition=hash_of(validation.definition(params["definition"], kind)),
            created=now,
            updated=now,
            revision=None,
            status=ACTIVE,
            tags=check_tags({}, params.get("tags") or (), arn),
            created_with=created_with,
        )

    async def _create(self, record: MachineRecord, definition: str) -> Answer:
        there = await self._store.find(record.scope, record.name)
        if there is None:
            new, changes = _creation(record)
            await self._store.save(new, definition, changes)
            there = new
        elif there.status == DELETING:
            raise faults.machine_deleting(record.arn)
        elif _identity(there) != _identity(record):
            raise faults.machine_exists(record.arn)
        answer: Answer = {"stateMachineArn": there.arn, "creationDate": there.created}
        if there.created_with is not None:
            answer["stateMachineVersionArn"] = version_arn(there.arn, FIRST_VERSION)
        return answer

    # ------------------------------------------------------------------ update, delete
    async def update(self, scope: Scope, params: Params) -> Answer:
        """An update that changes nothing makes no revision (recorded: test_update_logging_configuration).

        With ``publish`` the machine has a version of its revision afterwards, made now or before (recorded:
        test_empty_revision_with_publish_and_no_publish_on_creation).
        """
        arn_of(params["stateMachineArn"], "stateMachine")
        if all(params.get(name) is None for name in _UPDATABLE):
            raise ServiceError("MissingRequiredParameter", NOTHING_TO_UPDATE)
        to_publish(params)
        if params.get("loggingConfiguration") is not None:
            logging = validation.logging(params["loggingConfiguration"])
            await validation.destination(logging, scope, self._destinations)
        return await repeated(lambda: self._update(scope, params))

    async def _update(self, scope: Scope, params: Params) -> Answer:
        arn = params["stateMachineArn"]
        old = await self._store.by_arn(scope, arn)
        if old.status == DELETING:
            raise faults.machine_deleting(arn)
        new = changed(old, **_updates(old, params))
        updated = max(round(self._clock.now(), 3), round(old.updated + 0.001, 3))
        if new == old:
            return await self._published_again(old, params, updated)
        new = changed(new, updated=updated, revision=self._ids.uuid(), latest=None)
        changes: list[Change] = []
        if params.get("publish"):
            new, changes = publish(new, params.get("versionDescription"), updated)
        await self._store.save(new, params.get("definition"), changes)
        return _updated(new, updated, params)

    async def _published_again(self, old: MachineRecord, params: Params, updated: float) -> Answer:
        """Of an update that changes nothing."""
        if not params.get("publish") or old.latest is not None:
            return _updated(old, updated, params)
        new, changes = publish(old, params.get("versionDescription"), updated)
        await self._store.touch(new, changes)
        return _updated(new, updated, params)

    async def delete(self, scope: Scope, params: Params) -> Answer:
        """Deleting what is not there is well (recorded: test_create_describe_delete)."""
        name = own_name(arn_of(params["stateMachineArn"], "stateMachine"), scope)
        if name is None:
            return {}
        return await repeated(lambda: self._delete(scope, name))

    async def _delete(self, scope: Scope, name: str) -> Answer:
        record = await self._store.find(scope, name)
        if record is None or record.status == DELETING:
            return {}
        gone = await self._published.all_gone(record)
        if not record.express and await self._journal.open_count(record.arn):
            nothing_left = {"versions": 0, "aliases": 0, "latest": None}
            await self._store.touch(changed(record, status=DELETING, **nothing_left), gone)
        else:
            await self._store.delete(record, gone)
        return {}

    # ------------------------------------------------------------------ reads
    async def describe(self, scope: Scope, params: Params) -> Answer:
        """A version is described with its own ARN, date and description."""
        record, version = await self._describable(scope, params["stateMachineArn"])
        if version is not None:
            record = as_of(record, version.revision)
        answer = {
            "stateMachineArn": record.arn if version is None else version_arn(record.arn, version.number),
            "name": record.name,
            "status": record.status,
            **await self.definition_members(record.definition, params),
            "roleArn": record.role,
            "type": record.type,
            "creationDate": record.created if version is None else version.created,
            "loggingConfiguration": record.logging,
            "tracingConfiguration": record.tracing,
            "revisionId": record.revision,
            "encryptionConfiguration": record.encryption,
            "description": None if version is None else version.description,
        }
        return {name: value for name, value in answer.items() if value is not None}

    async def _describable(self, scope: Scope, arn: str) -> tuple[MachineRecord, VersionRecord | None]:
        """The machine, and the version if the ARN is a version's or an alias's."""
        parts = own_parts(arn_of(arn, "stateMachine"), scope)
        record = None if parts is None else await self._store.find(scope, parts[0])
        if parts is None or record is None:
            raise faults.machine_missing(arn)
        if parts[1] is None:
            return record, None
        version = await self._versions.described(record, parts[1])
        if version is None:
            raise faults.machine_missing(arn)
        return record, version

    async def definition_members(self, hash_: str, params: Params) -> Answer:
        """A definition's text and the variables its states read, unless the request wants metadata only.

        Without any variable there is no ``variableReferences`` (recorded: test_create_describe_delete).
        """
        if params.get("includedData") == "METADATA_ONLY":
            return {"definition": WITHHELD}
        text = await self._store.definition(hash_)
        references = _references(text)
        return {"definition": text, "variableReferences": references} if references else {"definition": text}

    async def list(self, scope: Scope, params: Params) -> Answer:
        size = page_size(params)
        after = self._pager.position("ListStateMachines", scope, params)
        found = await self._store.page(scope, None if after is None else after[0], size + 1)
        shown = [
            _listed(record)
            for record in found[:size]
            if record.status == ACTIVE or await self._store.find(scope, record.name) is not None
        ]
        answer: Answer = {"stateMachines": shown}
        if len(found) > size:
            answer["nextToken"] = self._pager.token("ListStateMachines", scope, params, [found[size - 1].name])
        return answer


@lru_cache(maxsize=16)  # texts of up to 1 MiB
def _references(definition: str) -> dict[str, list[str]]:
    return variable_references(load_json_definition(definition))


def _creation(record: MachineRecord) -> tuple[MachineRecord, list[Change]]:
    """A new machine, and what else there is to write: its first version, if it has one."""
    if record.created_with is None:
        return record, []
    return publish(record, record.created_with[1], record.created)


def _identity(record: MachineRecord) -> tuple[object, ...]:
    """What makes two CreateStateMachine requests the same (API reference, CreateStateMachine)."""
    return (
        record.definition,
        record.type,
        record.logging,
        record.tracing,
        record.encryption or validation.OWNED_KEY,
        record.created_with,
    )


def _updates(old: MachineRecord, params: Params) -> dict[str, Any]:
    updates: dict[str, Any] = {}
    if params.get("definition") is not None:
        updates["definition"] = hash_of(validation.definition(params["definition"], old.type))
    if params.get("roleArn") is not None:
        updates["role"] = validation.role(params["roleArn"])
    if params.get("loggingConfiguration") is not None:
        updates["logging"] = validation.logging(params["loggingConfiguration"])
    if params.get("tracingConfiguration") is not None:
        updates["tracing"] = validation.tracing(params["tracingConfiguration"])
    if params.get("encryptionConfiguration") is not None:
        updates["encryption"] = validation.encryption(params["encryptionConfiguration"])
    return updates


def _updated(record: MachineRecord, when: float, params: Params) -> Answer:
    answer: Answer = {"updateDate": when}
    if record.revision is not None:
        answer["revisionId"] = record.revision
    if params.get("publish") and record.latest is not None:
        answer["stateMachineVersionArn"] = version_arn(record.arn, record.latest)
    return answer


def _listed(record: MachineRecord) -> Answer:
    return {
        "stateMachineArn": record.arn,
        "name": record.name,
        "type": record.type,
        "creationDate": record.created,
    }
