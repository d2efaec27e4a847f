"""``events:putEvents``: objects as Detail, the execution among the Resources, and a failed entry fails the task.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html; recorded: test_put_events_base,
test_put_events_mixed_malformed_detail (no metadata in the result, EventBridge.FailedEntry, order of resources).
"""

from __future__ import annotations

from typing import Any

from stepwell.engine.tasks import TaskCall
from stepwell.integrations.handlers import context_of, text_of
from stepwell.integrations.optimised.plain import PlainHandler
from stepwell.kernel.errors import StateError
from stepwell.kernel.jsontext import Json, dumps

FAILED_ENTRY = "EventBridge.FailedEntry"


class PutEvents(PlainHandler):
    async def request(self, call: TaskCall) -> Json:
        output, _ = await self.invoke(call, context_of(call))
        if output.get("FailedEntryCount"):
            raise StateError(FAILED_ENTRY, dumps(output))
        return Json(output)


def prepare_entries(call: TaskCall, given: dict[str, Any]) -> dict[str, Any]:
    entries = given.get("Entries")
    if not isinstance(entries, list):
        return given
    return given | {"Entries": [_entry(call, entry) for entry in entries]}


def _entry(call: TaskCall, entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    resources = entry.get("Resources")
    own = list(resources) if isinstance(resources, list) else []
    changed = entry | {"Resources": [*own, call.machine_arn, call.execution_arn]}
    if changed.get("Detail") is not None:
        changed["Detail"] = text_of(changed["Detail"])
    return changed
