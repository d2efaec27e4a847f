"""PutLogEvents.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html: events that are too old or too
new are left out and the answer says which; the sequence token is ignored.
"""

from __future__ import annotations

from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.kernel.errors import CheckFailed
from stepwell.services.logs.shelf import NO_STREAM, Group, Shelf, invalid, missing
from stepwell.storage.logs import Entry

Answer = dict[str, Any]
BATCH_BYTES = 1_048_576
EVENT_BYTES = 26
HOUR = 3_600_000
DAY = 24 * HOUR
OLDEST, NEWEST = 14 * DAY, 2 * HOUR
SEQUENCE = (
    "49590302388344175104478096713118144545345456424542424242"  # never looked at by anyone: 56 digits, like AWS's
)


async def put(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    group = await shelf.group(scope, params["logGroupName"])
    stream = await shelf.stream(group, params["logStreamName"])
    entries = [(event["timestamp"], event["message"].encode("utf-8", "replace")) for event in params["logEvents"]]
    _check(entries)
    now = shelf.now()
    rejected = _rejected([time for time, _ in entries], group, now)
    first = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
    accepted = entries[first : rejected.get("tooNewLogEventStartIndex")]
    try:
        await shelf.store.append(group.id, stream.id, accepted, now)
    except CheckFailed:
        raise missing(NO_STREAM) from None
    answer: Answer = {"nextSequenceToken": SEQUENCE}
    if rejected:
        answer["rejectedLogEventsInfo"] = rejected
    return answer


def _check(entries: list[Entry]) -> None:
    times = [time for time, _ in entries]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > DAY:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    if sum(len(message) + EVENT_BYTES for _, message in entries) > BATCH_BYTES:
        raise invalid("Upload too large: the batch of log events exceeds 1048576 bytes.")


def _rejected(times: list[int], group: Group, now: int) -> dict[str, int]:
    """Times are in order, so an index says all; the ends are exclusive (assumed)."""
    rejected = {}
    if old := sum(time < now - OLDEST for time in times):
        rejected["tooOldLogEventEndIndex"] = old
    if group.retention is not None and (expired := sum(time < now - group.retention * DAY for time in times)):
        rejected["expiredLogEventEndIndex"] = expired
    if new := sum(time > now + NEWEST for time in times):
        rejected["tooNewLogEventStartIndex"] = len(times) - new
    return rejected
