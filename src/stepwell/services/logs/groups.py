"""Log groups: create, delete, describe, retention, tags.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html and its neighbours. A deleted
group's events go in the background; a new group of the same name begins empty.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.kernel.errors import CheckFailed
from stepwell.services.logs.paging import position, token
from stepwell.services.logs.shelf import (
    CHORE,
    GROUP,
    ID_BYTES,
    NO_GROUP,
    SYSTEM,
    Group,
    Shelf,
    aborted,
    exists,
    group_of,
    invalid,
    missing,
    name_in,
)
from stepwell.storage.documents import Delete, Put

Answer = dict[str, Any]
PAGE = 50
TAGS = 50
# API reference, PutRetentionPolicy
_DAYS = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"
RETENTION_DAYS = tuple(map(int, _DAYS.split()))
CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
_REFUSED = ("kmsKeyId", "deletionProtectionEnabled")


async def create(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Keys of the customer's, deletion protection and further classes are refused by name."""
    for member in _REFUSED:
        if params.get(member):
            raise invalid(f"{member} is not supported yet by this version of Stepwell.")
    kind = params.get("logGroupClass") or CLASSES[0]
    if kind not in CLASSES:
        raise invalid(f"The log group class {kind} is not supported yet by this version of Stepwell.")
    group = Group(
        scope=scope,
        name=params["logGroupName"],
        id=shelf.ids.token(ID_BYTES),
        created=shelf.now(),
        retention=None,
        kind=kind,
        tags=_merged({}, params.get("tags") or {}),
        version=0,
    )
    try:
        await _save(shelf, group)
    except CheckFailed:
        raise exists("The specified log group already exists") from None
    return {}


async def delete(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await shelf.group(scope, params["logGroupName"])
    gone = Put(SYSTEM, CHORE, group.id.hex(), {"gone": True})
    try:
        await shelf.documents.write([Delete(scope, GROUP, group.name, expect=group.version), gone])
    except CheckFailed:
        raise aborted() from None
    return {}


async def describe(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """In the order of their names. With a pattern only name, ARN and time are shown (API reference)."""
    prefix, pattern = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters.")
    if params.get("includeLinkedAccounts") or params.get("accountIdentifiers"):
        raise invalid("Linked accounts are not supported by Stepwell.")
    after = position(params.get("nextToken"), str)
    limit = int(params.get("limit") or PAGE)
    found: list[Group] = []
    async with aclosing(_groups(shelf, scope, prefix or "", None if after is None else after[0])) as groups:
        async for group in groups:
            if _wanted(group, params, pattern):
                found.append(group)
            if len(found) > limit:
                break
    shown = found[:limit]
    answer: Answer = {"logGroups": [await _shown(shelf, group, brief=pattern is not None) for group in shown]}
    if len(found) > limit:
        answer["nextToken"] = token(shown[-1].name)
    return answer


async def _groups(shelf: Shelf, scope: Scope, prefix: str, after: str | None) -> AsyncGenerator[Group, None]:
    while documents := await shelf.documents.list(scope, GROUP, prefix=prefix, after=after, limit=PAGE + 1):
        for document in documents:
            yield group_of(scope, document)
        after = documents[-1].key


def _wanted(group: Group, params: Params, pattern: str | None) -> bool:
    identifiers = params.get("logGroupIdentifiers")
    named = not identifiers or any(group.name == (name_in(group.scope, text) or text) for text in identifiers)
    kind = params.get("logGroupClass")
    return named and (pattern is None or pattern in group.name) and kind in {None, group.kind}


async def _shown(shelf: Shelf, group: Group, *, brief: bool) -> Answer:
    shown: Answer = {"logGroupName": group.name, "creationTime": group.created, "arn": f"{group.arn}:*"}
    if brief:
        return shown
    shown |= {
        "metricFilterCount": 0,
        "storedBytes": await shelf.store.stored_bytes(group.id),
        "logGroupClass": group.kind,
        "logGroupArn": group.arn,
    }
    if group.retention is not None:
        shown["retentionInDays"] = group.retention
    return shown


# ---------------------------------------------------------------------------------------------- retention
async def put_retention(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    days = params["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(map(str, RETENTION_DAYS))
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )
    return await _changed(shelf, scope, params["logGroupName"], retention=days)


async def delete_retention(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    return await _changed(shelf, scope, params["logGroupName"], retention=None)


async def _changed(shelf: Shelf, scope: Scope, name: str, **members: Any) -> Answer:
    try:
        await _save(shelf, replace(await shelf.group(scope, name), **members))
    except CheckFailed:
        raise aborted() from None
    return {}


async def _save(shelf: Shelf, group: Group) -> None:
    """Raises CheckFailed."""
    key, days = group.id.hex(), group.retention
    chore = Delete(SYSTEM, CHORE, key) if days is None else Put(SYSTEM, CHORE, key, {"days": days})
    await shelf.documents.write([Put(group.scope, GROUP, group.name, group.body(), expect=group.version), chore])


# ---------------------------------------------------------------------------------------------- tags
async def tag(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await _tagged(shelf, params, scope)
    return await _changed(shelf, scope, group.name, tags=_merged(group.tags, params["tags"]))


async def untag(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await _tagged(shelf, params, scope)
    left = {key: value for key, value in group.tags.items() if key not in params["tagKeys"]}
    return await _changed(shelf, scope, group.name, tags=left)


async def list_tags(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    return {"tags": (await _tagged(shelf, params, scope)).tags}


async def _tagged(shelf: Shelf, params: Params, scope: Scope) -> Group:
    name = name_in(scope, params["resourceArn"])
    if name is None:
        raise missing(NO_GROUP)
    return await shelf.group(scope, name)


def _merged(old: dict[str, str], new: Params) -> dict[str, str]:
    tags = {**old, **new}
    if len(tags) > TAGS:
        raise invalid(f"A log group has at most {TAGS} tags.")
    return tags
