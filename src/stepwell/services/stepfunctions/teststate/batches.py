"""What an ItemBatcher makes of the inputs of a Map's iterations.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

from typing import Any

from stepwell.asl.language.base import QueryLanguage
from stepwell.asl.states.base import runtime
from stepwell.asl.step import Scope
from stepwell.kernel.jsontext import dumps
from stepwell.kernel.limits import DATA_BYTES


class Batcher:
    """A parsed ItemBatcher."""

    def __init__(self, raw: dict[str, Any], language: QueryLanguage) -> None:
        self._items = language.field(raw, "MaxItemsPerBatch")
        self._bytes = language.field(raw, "MaxInputBytesPerBatch")
        shared = raw.get("BatchInput")
        self._shared = None if shared is None else language.template(shared, "ItemBatcher/BatchInput")

    def batches(self, items: list[Any], value: Any, scope: Scope) -> list[dict[str, Any]]:
        """``value`` is what expressions are applied to. Raises StateError."""
        shared = {} if self._shared is None else {"BatchInput": self._shared(value, scope)}
        most = self._limit(self._items, value, scope)
        size_limit = min(self._limit(self._bytes, value, scope) or DATA_BYTES, DATA_BYTES)
        empty = len(dumps({**shared, "Items": []}).encode())
        made: list[list[Any]] = []
        size = 0
        for item in items:
            length = len(dumps(item).encode()) + 1
            if not made or (most and len(made[-1]) >= most) or size + length > size_limit:
                made.append([])
                size = empty
            made[-1].append(item)
            size += length
        return [{**shared, "Items": batch} for batch in made]

    def _limit(self, field: Any, value: Any, scope: Scope) -> int:
        if field is None:
            return 0
        found = field.read(value, scope)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise runtime(f"The {field.name} field must be a positive integer.")
        return found
