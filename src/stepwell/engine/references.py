"""References to documents: how pages and frames name a document that is stored elsewhere.

Documents are written once. A text of more than 4 KiB has a row of its own (a payload), and the execution's input and output
are on its row; so an unchanged document is not written again.

::

    reference in a page:   n >= 0  the page's own table     -1 input   -2 output   <= -10 payload -(n) - 10
    reference in a frame:  text (a string), or a negative number as above
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from stepwell.engine.journal import PAYLOAD_BYTES, ExecutionRow, PayloadRow
from stepwell.engine.state import Execution
from stepwell.kernel.jsontext import Json

INPUT, OUTPUT, FIRST_PAYLOAD = -1, -2, -10
REMEMBERED_PAYLOADS = 64

Reference = int | str
Resolve = Callable[[Reference | None], Json | None]


class Payloads:
    """Turns documents into references, collecting the payload rows that are new."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.rows: list[PayloadRow] = []

    def shared(self, document: Json) -> int | None:
        """A reference that needs no place in the page or frame, or None."""
        execution = self.execution
        if document is execution.input:
            return INPUT
        if document is execution.output:
            return OUTPUT
        if document.size <= PAYLOAD_BYTES:
            return None
        text = document.text
        digest = digest_of(text)
        number = execution.payloads.get(digest)
        if number is None:
            execution.last_payload = number = execution.last_payload + 1
            execution.payloads[digest] = number
            self.rows.append(PayloadRow(number, text))
        return FIRST_PAYLOAD - number

    def inline(self, document: Json | None) -> Reference | None:
        if document is None:
            return None
        shared = self.shared(document)
        return document.text if shared is None else shared

    def forget_old(self) -> None:
        known = self.execution.payloads
        for digest in list(known)[: max(0, len(known) - REMEMBERED_PAYLOADS)]:
            del known[digest]


def digest_of(text: str) -> bytes:
    """What an execution remembers of a large text: the texts themselves would fill the memory."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def resolver(row: ExecutionRow, payloads: Mapping[int, str]) -> Resolve:
    """Document of a frame's or task's reference."""
    start = Json(text=row.input)
    end = None if row.output is None else Json(text=row.output)

    def resolve(reference: Reference | None) -> Json | None:
        if reference is None:
            return None
        if isinstance(reference, str):
            return Json(text=reference)
        if reference == INPUT:
            return start
        return end if reference == OUTPUT else Json(text=payloads[FIRST_PAYLOAD - reference])

    return resolve
