"""Map (inline): runs its processor once for each item of an array; its result is the array of their outputs.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stepwell.asl.language.base import Field, QueryLanguage
from stepwell.asl.states.base import State, runtime, within_limit
from stepwell.asl.step import MapLimits, MapPlan, Scope, Step
from stepwell.kernel.jsontext import Json, dumps
from stepwell.kernel.limits import INLINE_MAP_CONCURRENCY

if TYPE_CHECKING:
    from stepwell.asl.model import Block


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


class MapState(State):
    """``ItemProcessor`` with ``ItemSelector``, or the older ``Iterator`` with ``Parameters``; either may mix."""

    type = "Map"
    argument_field = ""  # Parameters is the older name of ItemSelector here
    __slots__ = ("concurrency", "items", "processor", "selector", "tolerated_count", "tolerated_percentage")

    def __init__(self, name: str, pointer: str, raw: dict[str, Any], language: QueryLanguage) -> None:
        super().__init__(name, pointer, raw, language)
        self.processor: Block | None = None
        self.items = language.field(raw, "Items")
        selector = raw.get("ItemSelector", raw.get("Parameters"))
        self.selector: Callable[[Any, Scope], Any] | None = (
            None if selector is None else language.template(selector, "ItemSelector")
        )
        self.concurrency = language.field(raw, "MaxConcurrency")
        self.tolerated_count = language.field(raw, "ToleratedFailureCount")
        self.tolerated_percentage = language.field(raw, "ToleratedFailurePercentage")

    @staticmethod
    def blocks(raw: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """The raw block inside, by its pointer relative to the state."""
        name = "ItemProcessor" if "ItemProcessor" in raw else "Iterator"
        return [(f"/{name}", raw[name])]

    def adopt(self, blocks: list[Block]) -> None:
        self.processor = blocks[0]

    def enter(self, step: Step) -> None:
        step.iterate(self.plan(step))

    def plan(self, step: Step) -> MapPlan:
        """What there is to iterate over. The same input gives the same plan, so it is made anew rather than stored."""
        effective = self.flow.effective_input(step.input, step)
        value = effective.value
        items = value if self.items is None else self.items.read(value, step)
        if not isinstance(items, list):
            cause = _not_an_array(self.items)
            raise runtime(cause) if self.items is None else self.items.mistyped("array", items, cause)
        return MapPlan(
            items=items,
            select=self._selection(effective),
            limits=lambda: self._limits(value, step),
        )

    def _limits(self, value: Any, step: Step) -> MapLimits:
        return MapLimits(
            tolerated_count=_count(self.tolerated_count, value, step),
            tolerated_percentage=_percentage(self.tolerated_percentage, value, step),
            concurrency=self._concurrency(value, step),
        )

    def _selection(self, effective: Json) -> Callable[[Scope, Any], Json]:
        selector = self.selector
        if selector is None:
            return lambda _scope, item: Json(item)
        return lambda scope, _item: within_limit(Json(selector(effective.value, scope)), self.name)

    def _concurrency(self, value: Any, step: Step) -> int:
        field = self.concurrency
        wanted = 0 if field is None else _integer(field, value, step)
        if field is not None and wanted < 0:
            raise field.unusable("MaxConcurrency cannot be negative.")
        return min(wanted, INLINE_MAP_CONCURRENCY) or INLINE_MAP_CONCURRENCY


def _not_an_array(field: Field | None) -> str:
    if field is None or field.literal:
        return 'Reference path "$" must point to array.'
    return f'Reference path "{field.text}" must point to array.'


def _integer(field: Field, value: Any, step: Step) -> int:
    """A whole number; a path may also find one written as text (recorded: MAP_STATE_REFERENCE_IN_MAX_CONCURRENCY_PATH)."""
    found = field.read(value, step)
    if isinstance(found, str) and field.name.endswith("Path") and _WHOLE.fullmatch(found):
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise field.mistyped("integer", found, _refers(field, found, "integer"))
    return found


def _count(field: Field | None, value: Any, step: Step) -> int | None:
    if field is None:
        return None
    count = _integer(field, value, step)
    if count < 0:
        raise field.unusable("ToleratedFailureCount cannot be negative.")
    return count


def _percentage(field: Field | None, value: Any, step: Step) -> float | None:
    if field is None:
        return None
    found = field.read(value, step)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise field.mistyped("number", found, _refers(field, found, "float"))
    if not 0 <= found <= 100:
        raise field.unusable("ToleratedFailurePercentage must be between 0 and 100.")
    return float(found)


def _refers(field: Field, found: Any, kind: str) -> str:
    shown = found if isinstance(found, str) else dumps(found)
    return f'The {field.name} field refers to value "{shown}" which is not a valid {kind}: {field.text}'
