"""The state under test: found in its definition, checked with it, and parsed alone.

AWS tests every state under the name ``StateName``, one that is named in a whole machine too (recorded:
test_parallel_state_empty_branches, test_state_with_variables).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepwell.asl.check import check
from stepwell.asl.diagnostics import DefinitionError, Diagnostic, errors
from stepwell.asl.model import Machine
from stepwell.asl.parser import parse
from stepwell.asl.source import load_json_definition
from stepwell.asl.states import State
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.limits import DEFINITION_BYTES
from stepwell.services.stepfunctions import faults

NAME = "StateName"
JSONPATH = "JSONPath"
_MOCKABLE = frozenset({"UNSUPPORTED_FEATURE"})  # what this version does not run can be mocked all the same
_ALONE = _MOCKABLE | {"MISSING_END_STATE"}  # a state may well lead to itself only
_NESTED = ("ItemProcessor", "Iterator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``raw`` is the state as it is written, ``iterated`` whether it is in a Map."""

    raw: dict[str, Any]
    language: str
    machine: Machine
    iterated: bool

    @property
    def state(self) -> State:
        return self.machine.block.states[NAME]

    @property
    def type(self) -> str:
        return self.state.type


def find(text: str, name: str | None) -> Subject:
    """The state called ``name`` in a whole definition, or, without a name, the state whose definition this is.

    Raises ServiceError: InvalidDefinition, or ValidationException for a name that the definition does not have.
    """
    if len(text.encode("utf-8", "surrogatepass")) > DEFINITION_BYTES:
        raise faults.too_long("definition", DEFINITION_BYTES)
    try:
        definition = load_json_definition(text)
        if name is None:
            _accept(check(_around(definition)), _ALONE)
        else:
            _accept(check(definition), _MOCKABLE)
    except DefinitionError as error:
        raise ServiceError("InvalidDefinition", error.message) from None
    raw, iterated, language = definition, False, JSONPATH
    if name is not None:
        language = definition.get("QueryLanguage", JSONPATH)
        found = next((place for place in _states(definition, iterated=False) if place[0] == name), None)
        if found is None:
            raise faults.validation(f"State not found: {name}")  # wording assumed
        _, raw, iterated = found
    machine = parse({"StartAt": NAME, "QueryLanguage": language, "States": {NAME: raw}})
    return Subject(raw=raw, language=raw.get("QueryLanguage", language), machine=machine, iterated=iterated)


def contains(raw: dict[str, Any], name: str) -> bool:
    """Is there a state of this name inside this Map or Parallel?"""
    return any(found == name for block in _blocks(raw) for found, _, _ in _states(block, iterated=False))


def _accept(found: list[Diagnostic], no_faults: frozenset[str]) -> None:
    faulty = [fault for fault in errors(found) if fault.code not in no_faults]
    if faulty:
        raise DefinitionError(faulty)


def _around(state: dict[str, Any]) -> dict[str, Any]:
    """A machine of this state and of empty ones wherever it goes."""
    targets = {name: {"Type": "Succeed"} for name in _targets(state) if name != NAME}
    return {"StartAt": NAME, "States": {NAME: state, **targets}}


def _targets(state: dict[str, Any]) -> Iterator[str]:
    rules = [
        rule
        for field in ("Choices", "Catch")
        if isinstance(state.get(field), list)
        for rule in state[field]
        if isinstance(rule, dict)
    ]
    for value in (state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in rules)):
        if isinstance(value, str):
            yield value


def _states(block: dict[str, Any], *, iterated: bool) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """All states of a checked block and of the blocks in it: name, definition, whether it is in a Map."""
    for name, state in block["States"].items():
        yield name, state, iterated
        inside = iterated or state["Type"] == "Map"
        for inner in _blocks(state):
            yield from _states(inner, iterated=inside)


def _blocks(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [*state.get("Branches", ()), *(state[field] for field in _NESTED if field in state)]
