"""From a checked definition to the model. Whoever calls this has run ``asl.check`` and found no error."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from stepwell.asl.language.base import QueryLanguage
from stepwell.asl.language.jsonpath import JsonPathLanguage
from stepwell.asl.model import Block, Machine
from stepwell.asl.states import STATE_TYPES, State
from stepwell.asl.states.map_ import MapState
from stepwell.asl.states.parallel import ParallelState


def _jsonata() -> QueryLanguage:
    from stepwell.asl.language.jsonata import JsonataLanguage  # noqa: PLC0415 - a tenth of a server's start, for those who use it

    return JsonataLanguage()


LANGUAGES: dict[str, Callable[[], QueryLanguage]] = {"JSONPath": JsonPathLanguage, "JSONata": _jsonata}


@cache
def language_of(name: str) -> QueryLanguage:
    """The query language with this name; there is one object of each."""
    return LANGUAGES[name]()


def parse(definition: dict[str, Any]) -> Machine:
    """Build the machine; the definition must be one that ``check`` accepts."""
    blocks: dict[str, Block] = {}
    language = definition.get("QueryLanguage", "JSONPath")
    top = _block(definition, "", language, blocks)
    timeout = definition.get("TimeoutSeconds")
    return Machine(
        block=top,
        blocks=blocks,
        timeout=None if timeout is None else float(timeout),
        comment=definition.get("Comment"),
    )


def _block(raw: dict[str, Any], pointer: str, language: str, blocks: dict[str, Block]) -> Block:
    states = {
        name: _state(name, f"{pointer}/States/{_escape(name)}", state, language, blocks)
        for name, state in raw["States"].items()
    }
    block = Block(pointer=pointer, start_at=raw["StartAt"], states=states)
    blocks[pointer] = block
    return block


def _state(name: str, pointer: str, raw: dict[str, Any], language: str, blocks: dict[str, Block]) -> State:
    state = STATE_TYPES[raw["Type"]](name, pointer, raw, language_of(raw.get("QueryLanguage", language)))
    if isinstance(state, MapState | ParallelState):
        state.adopt([_block(inner, pointer + at, language, blocks) for at, inner in state.blocks(raw)])
    return state


def _escape(name: str) -> str:
    """A name inside a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
