"""Log streams: create, delete, describe."""

from __future__ import annotations

from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.kernel.errors import CheckFailed
from stepwell.services.logs.paging import position, token
from stepwell.services.logs.shelf import ID_BYTES, Group, Shelf, exists, invalid
from stepwell.storage.logs import LogStream

Answer = dict[str, Any]
PAGE = 50


async def create(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await shelf.group(scope, params["logGroupName"])
    try:
        await shelf.store.create_stream(group.id, params["logStreamName"], shelf.ids.token(ID_BYTES), shelf.now())
    except CheckFailed:
        raise exists("The specified log stream already exists") from None
    return {}


async def delete(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await shelf.group(scope, params["logGroupName"])
    stream = await shelf.stream(group, params["logStreamName"])
    await shelf.store.delete_stream(stream.id)
    return {}


async def describe(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """By name, or by the time of the last event; a stream without events counts as oldest (assumed)."""
    group = await shelf.named(scope, params)
    limit = int(params.get("limit") or PAGE)
    by_time = params.get("orderBy") == "LastEventTime"
    found = await (_by_time if by_time else _by_name)(shelf, group, params, limit + 1)
    answer: Answer = {"logStreams": [_shown(group, stream) for stream in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        answer["nextToken"] = token(last.last, last.name) if by_time else token(last.name)
    return answer


async def _by_name(shelf: Shelf, group: Group, params: Params, limit: int) -> list[LogStream]:
    after = position(params.get("nextToken"), str)
    return await shelf.store.streams(
        group.id,
        prefix=params.get("logStreamNamePrefix") or "",
        after=None if after is None else after[0],
        limit=limit,
        down=bool(params.get("descending")),
    )


async def _by_time(shelf: Shelf, group: Group, params: Params, limit: int) -> list[LogStream]:
    if params.get("logStreamNamePrefix") is not None:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    after = position(params.get("nextToken"), int, str)
    return await shelf.store.recent_streams(
        group.id,
        after=None if after is None else (after[0], after[1]),
        limit=limit,
        down=bool(params.get("descending")),
    )


def _shown(group: Group, stream: LogStream) -> Answer:
    shown: Answer = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # of streams AWS says nothing else since 2019 (API reference, LogStream)
    }
    if stream.ingested:
        shown |= {
            "firstEventTimestamp": stream.first,
            "lastEventTimestamp": stream.last,
            "lastIngestionTime": stream.ingested,
        }
    return shown
