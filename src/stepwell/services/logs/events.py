"""Reading events: GetLogEvents and FilterLogEvents.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html and API_FilterLogEvents.html: at most
10,000 events or 1 MB an answer. A token says a place between events, so what comes later is found by asking again.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.services.logs.paging import directed, event_id, position, read_directed, token
from stepwell.services.logs.patterns import matcher
from stepwell.services.logs.shelf import Group, Shelf, invalid
from stepwell.storage.logs import END_OF_TIME, Key, LogEvent

Answer = dict[str, Any]
ANSWER_EVENTS = 10_000
ANSWER_BYTES = 1_048_576
EVENT_BYTES = 26  # an event's size is its message's and this: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
SEARCHED = 20_000  # events looked at for one answer of FilterLogEvents; then it ends, perhaps empty, with a token


class _Page:
    """Events for one answer, until it is full."""

    def __init__(self, params: Params) -> None:
        self.events: list[LogEvent] = []
        self._left = int(params.get("limit") or ANSWER_EVENTS)
        self._bytes = 0

    def takes(self, event: LogEvent) -> bool:
        """Whether there was room for it."""
        size = len(event.message.encode("utf-8", "replace")) + EVENT_BYTES
        if not self._left or (self.events and self._bytes + size > ANSWER_BYTES):
            return False
        self._left -= 1
        self._bytes += size
        self.events.append(event)
        return True


# ---------------------------------------------------------------------------------------------- GetLogEvents
async def get(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """In the order of time whichever way it is read. At the end of the stream the token comes back that was given."""
    group = await shelf.named(scope, params)
    stream = await shelf.stream(group, params["logStreamName"])
    start, end = params.get("startTime") or 0, _end(params.get("endTime"))
    given = params.get("nextToken")
    down, at = (not params.get("startFromHead"), None) if given is None else read_directed(given)
    page = _Page(params)
    async with aclosing(
        shelf.store.events(group=group.id, stream=stream.id, start=start, end=end, at=at, down=down)
    ) as events:
        async for event in events:
            if not page.takes(event):
                break
    found = page.events[::-1] if down else page.events
    begin = found[0].key if found else (at or Key(start, 0, 0))
    over = _after(found[-1].key) if found else begin
    return {
        "events": [_timed(event) for event in found],
        "nextForwardToken": directed(False, over),
        "nextBackwardToken": directed(True, begin),
    }


def _after(key: Key) -> Key:
    return Key(key.time, key.chunk, key.place + 1)


def _end(given: int | None) -> int:
    return END_OF_TIME if given is None else given


def _timed(event: LogEvent) -> Answer:
    return {"timestamp": event.key.time, "message": event.message, "ingestionTime": event.ingested}


# ---------------------------------------------------------------------------------------------- FilterLogEvents
async def search(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Raises InvalidParameterException for a pattern that cannot be read."""
    group = await shelf.named(scope, params)
    matches = matcher(params.get("filterPattern") or "")
    names = await _streams(shelf, group, params)
    prefix = params.get("logStreamNamePrefix") or ""
    given = position(params.get("nextToken"), bool, int, int, int)
    down = params.get("startFromHead") is False if given is None else given[0]
    at = None if given is None else Key(*given[1:])
    page = _Page(params)
    searched = 0
    left: Key | None = None  # where the next answer goes on
    end = params.get("endTime")
    async with aclosing(
        shelf.store.events(
            group=group.id,
            stream=next(iter(names.values())) if names is not None and len(names) == 1 else None,
            start=params.get("startTime") or 0,
            end=END_OF_TIME if end is None else end + 1,  # an event at this very time is returned
            at=at,
            down=down,
        )
    ) as events:
        async for event in events:
            searched += 1
            ours = event.stream in names if names is not None else event.stream.startswith(prefix)
            if searched > SEARCHED or (ours and matches(event.message) and not page.takes(event)):
                left = _after(event.key) if down else event.key
                break
    answer: Answer = {"events": [_found(event) for event in page.events], "searchedLogStreams": []}
    if left is not None:
        answer["nextToken"] = token(down, *left)
    return answer


async def _streams(shelf: Shelf, group: Group, params: Params) -> dict[str, bytes] | None:
    """The streams asked for by name, with their ids. Raises ResourceNotFoundException, InvalidParameterException."""
    names = params.get("logStreamNames")
    if names is None:
        return None
    if params.get("logStreamNamePrefix") is not None:
        raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
    return {name: (await shelf.stream(group, name)).id for name in names}


def _found(event: LogEvent) -> Answer:
    return {"logStreamName": event.stream, **_timed(event), "eventId": event_id(event.key)}
