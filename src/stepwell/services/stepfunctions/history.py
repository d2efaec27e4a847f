"""GetExecutionHistory: pages of the journal, as pages of the API.

An answer ends early when its documents come to 6 MiB: AWS promises only an upper limit of results.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from stepwell.engine.events import Event, wire_form
from stepwell.engine.journal import ExecutionRow, Journal
from stepwell.engine.pages import events_of_page, payloads_of_page
from stepwell.kernel.arns import Scope
from stepwell.kernel.jsontext import Json
from stepwell.services.stepfunctions.executions import ExecutionOperations
from stepwell.services.stepfunctions.paging import Pager, page_size

Params = Mapping[str, Any]
Answer = dict[str, Any]
PAGES = 8  # of the journal, read at a time
ANSWER_BYTES = 6 * 1_048_576
OPERATION = "GetExecutionHistory"


class HistoryOperations:
    """See the module's docstring."""

    def __init__(self, executions: ExecutionOperations, journal: Journal, pager: Pager) -> None:
        self._executions = executions
        self._journal = journal
        self._pager = pager

    async def get(self, scope: Scope, params: Params) -> Answer:
        row = await self._executions.row(scope, params["executionArn"])
        seen = self._pager.position(OPERATION, scope, params)
        data = params.get("includeExecutionData") is not False
        backward = bool(params.get("reverseOrder"))
        events, more = await self._page(row, None if seen is None else seen[0], backward, page_size(params))
        answer: Answer = {"events": [wire_form(event, data=data) for event in events]}
        if more:
            answer["nextToken"] = self._pager.token(OPERATION, scope, params, [events[-1].id])
        return answer

    async def _page(self, row: ExecutionRow, seen: int | None, backward: bool, size: int) -> tuple[list[Event], bool]:
        """At most ``size`` events beyond the one last seen, and whether there are further ones."""
        events: list[Event] = []
        read = 0
        async with aclosing(self._events(row, seen, backward)) as found:
            async for event in found:
                if len(events) == size or read > ANSWER_BYTES:
                    return events, True
                events.append(event)
                read += _documents_size(event)
        return events, False

    async def _events(self, row: ExecutionRow, seen: int | None, backward: bool) -> AsyncGenerator[Event, None]:
        journal = self._journal
        while True:
            after, before = (0, seen) if backward else (seen or 0, None)
            pages = await journal.pages(row.key, after=after, before=before, limit=PAGES, newest_first=backward)
            if not pages:
                return
            if row.status == "RUNNING":  # its end may have come between the two reads: pages refer to the output
                row = await journal.row_by_key(row.key) or row
            for page in pages:
                numbers = sorted(payloads_of_page(page))
                payloads = await journal.payloads(row.key, numbers) if numbers else {}
                events = list(events_of_page(page, row, payloads))
                for event in reversed(events) if backward else events:
                    if seen is None or (event.id < seen if backward else event.id > seen):
                        yield event
            seen = pages[-1].first if backward else pages[-1].last


def _documents_size(event: Event) -> int:
    details = event.details or {}
    return sum(value.size for value in details.values() if isinstance(value, Json))
