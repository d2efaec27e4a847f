"""Step Functions Local's mock configuration: a file of test cases and mocked responses.

::

    {
      "StateMachines": {
        "orders": {"TestCases": {"RetryPath": {"Charge": "BusyThenCharged"}}}
      },
      "MockedResponses": {
        "BusyThenCharged": {
          "0-1": {"Throw": {"Error": "Busy", "Cause": "try later"}},
          "2":   {"Return": {"id": 7}}
        }
      }
    }

A response's keys are numbers of calls of the state, from 0, a range with a hyphen; they count every call of the state in
one execution: retries, loops and Map iterations. ``Return`` is any JSON value. A state that a test case does not name is called
for real. Unlike Step Functions Local, activities can be mocked too.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html; what is counted:
https://github.com/localstack/localstack/issues/12846 (Map), https://github.com/localstack/localstack/issues/13107 (loops).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.jsontext import loads
from stepwell.kernel.limits import HISTORY_EVENTS
from stepwell.local.answers import Return, Throw
from stepwell.local.errors import MockFileError, nearest

Response = tuple[Return | Throw, ...]  # one for each call
_CALLS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class MockFile:
    """A checked mock configuration. ``cases`` has the responses by machine, test case and state."""

    source: str
    cases: Mapping[str, Mapping[str, Mapping[str, Response]]]

    @property
    def names(self) -> list[str]:
        """All test cases as ``Machine/Case``."""
        return [f"{machine}/{case}" for machine, cases in self.cases.items() for case in cases]

    def mocks(self, machine: str, case: str) -> Mapping[str, Response]:
        """The mocks of one test case, as ``Workflow.run`` takes them. Raises MockFileError for one that is not there."""
        return self.select(f"{machine}/{case}")

    def select(self, choice: str | None = None, *, machine: str | None = None) -> Mapping[str, Response]:
        """The mocks of the test case that is meant.

        ``choice`` is ``Machine/Case`` (or ``Machine#Case``, as Step Functions Local writes it) or ``Case`` alone. What it
        leaves open must have one answer: the cases of ``machine``, the workflow's name, if the file has them, else all.
        Raises MockFileError that lists the cases.
        """
        wanted = (choice or "").replace("#", "/")
        names = self.names
        if wanted in names:
            return self._of(wanted)
        if "/" in wanted:
            raise MockFileError(self.source, "", f"there is no test case {choice!r}; {nearest(wanted, names)}")
        own = [name for name in names if name.split("/", 1)[0] == machine] or names
        found = [name for name in own if not wanted or name.split("/", 1)[1] == wanted]
        if len(found) == 1:
            return self._of(found[0])
        problem = f"test case {wanted!r} is not there" if wanted else "no test case is chosen"
        if len(found) > 1 and wanted:
            problem = f"test case {wanted!r} is there more than once"
        raise MockFileError(
            self.source, "", f"{problem}; choose one of {', '.join(names) or 'none: the file has none'}"
        )

    def _of(self, name: str) -> Mapping[str, Response]:
        machine, case = name.split("/", 1)
        return self.cases[machine][case]


def load_mock_file(path: str | Path) -> MockFile:
    """The mock configuration in this file. Raises MockFileError that names the place, and OSError."""
    try:
        return parse_mock_file(Path(path).read_text(encoding="utf-8-sig"), source=str(path))
    except UnicodeDecodeError as error:
        raise MockFileError(str(path), "", f"it is not UTF-8: {error.reason}") from None


def parse_mock_file(text: str, *, source: str = "mock configuration") -> MockFile:
    """The mock configuration in this JSON text. Raises MockFileError that names the place."""
    try:
        value = loads(text)
    except JsonSyntaxError as error:
        raise MockFileError(source, f"line {error.line}, column {error.column}", error.message) from None
    return _Reader(source).read(value)


class _Reader:
    """Walks the file and keeps the place."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, value: Any) -> MockFile:
        file = self._object(value, "", required={"StateMachines", "MockedResponses"})
        named = self._object(file["MockedResponses"], "/MockedResponses")
        responses = {name: self._response(raw, f"/MockedResponses/{name}") for name, raw in named.items()}
        machines = self._object(file["StateMachines"], "/StateMachines")
        cases = {name: self._machine(raw, f"/StateMachines/{name}", responses) for name, raw in machines.items()}
        return MockFile(self._source, cases)

    def _machine(
        self, value: Any, place: str, responses: Mapping[str, Response]
    ) -> Mapping[str, Mapping[str, Response]]:
        machine = self._object(value, place, required={"TestCases"})
        cases = self._object(machine["TestCases"], f"{place}/TestCases")
        return {name: self._case(raw, f"{place}/TestCases/{name}", responses) for name, raw in cases.items()}

    def _case(self, value: Any, place: str, responses: Mapping[str, Response]) -> Mapping[str, Response]:
        chosen = self._object(value, place)
        for state, name in chosen.items():
            if not isinstance(name, str):
                raise self._fault(f"{place}/{state}", "must be the name of a response in MockedResponses")
            if name not in responses:
                raise self._fault(f"{place}/{state}", f"MockedResponses has no {name!r}; {nearest(name, responses)}")
        return {state: responses[name] for state, name in chosen.items()}

    def _response(self, value: Any, place: str) -> Response:
        spans = [
            (*self._calls(calls, f"{place}/{calls}"), self._answer(raw, f"{place}/{calls}"))
            for calls, raw in self._object(value, place).items()
        ]
        answers: list[Return | Throw] = []
        for first, last, answer in sorted(spans, key=lambda span: span[:2]):
            if first != len(answers):
                problem = "two answers" if first < len(answers) else "no answer"
                raise self._fault(place, f"call {min(first, len(answers))} has {problem}")
            answers += [answer] * (last - first + 1)
        if not answers:
            raise self._fault(place, "call 0 has no answer")
        return tuple(answers)

    def _calls(self, text: str, place: str) -> tuple[int, int]:
        match = _CALLS.fullmatch(text)
        if match is None:
            raise self._fault(place, 'must be the number of a call like "0", or a range like "1-2"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= HISTORY_EVENTS:
            raise self._fault(place, f"must be a range that goes up, below {HISTORY_EVENTS}")
        return first, last

    def _answer(self, value: Any, place: str) -> Return | Throw:
        answer = self._object(value, place, known={"Return", "Throw"})
        if len(answer) != 1:
            raise self._fault(place, "must have either Return or Throw")
        if "Return" in answer:
            return Return(answer["Return"])
        place += "/Throw"
        thrown = self._object(answer["Throw"], place, required={"Error"}, known={"Error", "Cause"})
        for name, text in thrown.items():
            if not isinstance(text, str):
                raise self._fault(f"{place}/{name}", "must be a string")
        return Throw(thrown["Error"], thrown.get("Cause"))

    def _object(
        self,
        value: Any,
        place: str,
        *,
        required: frozenset[str] | set[str] = frozenset(),
        known: set[str] | None = None,
    ) -> dict[str, Any]:
        """An object; with ``required`` or ``known`` names, one that has no others."""
        if not isinstance(value, dict):
            raise self._fault(place, "must be an object")
        names = known or required
        for name in value if names else ():
            if name not in names:
                raise self._fault(f"{place}/{name}", f"is not known here; {nearest(name, names)}")
        for name in sorted(required):
            if name not in value:
                raise self._fault(place, f"{name} is missing")
        return value

    def _fault(self, place: str, problem: str) -> MockFileError:
        return MockFileError(self._source, place or "/", problem)
