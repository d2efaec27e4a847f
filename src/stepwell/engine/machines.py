"""Machines by the hash of their definition: parsed once, kept while they are used."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from stepwell.asl.model import Machine
from stepwell.asl.parser import parse
from stepwell.kernel.jsontext import loads

KEPT = 1_000

ReadDefinition = Callable[[str], Awaitable[str | None]]


def definition_hash(text: str) -> str:
    """The name under which a definition's text is stored for ever."""
    return hashlib.sha256(text.encode()).hexdigest()


class Machines:
    """A cache in front of stored definitions."""

    def __init__(self, read: ReadDefinition) -> None:
        self._read = read
        self._parsed: OrderedDict[str, Machine] = OrderedDict()

    def known(self, definition: str) -> Machine | None:
        machine = self._parsed.get(definition)
        if machine is not None:
            self._parsed.move_to_end(definition)
        return machine

    async def get(self, definition: str) -> Machine:
        """Raises KeyError when no definition has this hash."""
        machine = self.known(definition)
        if machine is None:
            text = await self._read(definition)
            if text is None:
                raise KeyError(definition)
            machine = parse(loads(text))
            self._parsed[definition] = machine
            if len(self._parsed) > KEPT:
                self._parsed.popitem(last=False)
        return machine
