"""Pages: the events of one decision as one blob, and back.

A page is a table of texts and the events that refer to it; a text that several events share stands there once (see
``references``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from stepwell.engine.events import DOCUMENTS, Event, PlainEvent
from stepwell.engine.journal import ExecutionRow, Page
from stepwell.engine.references import FIRST_PAYLOAD, Payloads, resolver
from stepwell.kernel.jsontext import Json


def page_of(events: list[PlainEvent], payloads: Payloads) -> Page | None:
    if not events:
        return None
    texts: dict[str, int] = {}
    rows = []
    for number, previous, time, kind, details in events:
        written = details
        if details and (documents := DOCUMENTS[kind]):
            written = dict(details)
            for name in documents:
                document = details.get(name)
                if document is not None:
                    shared = payloads.shared(document)
                    written[name] = texts.setdefault(document.text, len(texts)) if shared is None else shared
        rows.append((number, previous, time, kind, written))
    return Page(events[0][0], events[-1][0], orjson.dumps((list(texts), rows)))


def payloads_of_page(page: Page) -> set[int]:
    """Numbers of the payload rows that a page's events refer to."""
    _, rows = orjson.loads(page.body)
    return {
        FIRST_PAYLOAD - details[name]
        for _, _, _, kind, details in rows
        if details
        for name in DOCUMENTS[kind]
        if isinstance(details.get(name), int) and details[name] <= FIRST_PAYLOAD
    }


def events_of_page(page: Page, row: ExecutionRow, payloads: Mapping[int, str]) -> Iterable[Event]:
    """The events of a page with their documents."""
    texts, rows = orjson.loads(page.body)
    resolve = resolver(row, payloads)
    table = [Json(text=text) for text in texts]
    for number, previous, time, kind, details in rows:
        for name in DOCUMENTS[kind] if details else ():
            reference = details.get(name)
            if reference is not None:
                details[name] = table[reference] if reference >= 0 else resolve(reference)
        yield Event(number, previous, time, kind, details)
