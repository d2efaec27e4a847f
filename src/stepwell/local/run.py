"""What may be asked of a run: how it ended, what it did, and expectations that explain themselves."""

from __future__ import annotations

from typing import Any, Self

from stepwell.engine.journal import Status
from stepwell.local.answers import Call
from stepwell.local.errors import nearest
from stepwell.local.history import Entry, History, plain
from stepwell.local.session import Session, as_value

_ANY: Any = object()


class Run:
    """A run of a workflow. Values are plain Python ones; treat them as read-only."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} after {plain(self.elapsed)} s: {' > '.join(self.visited)}>"

    # ------------------------------------------------------------------ how it ended
    @property
    def status(self) -> Status:
        """``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``; ``RUNNING`` while it is."""
        return self._session.execution.status

    @property
    def output(self) -> Any:
        """The output, None unless the run succeeded."""
        return as_value(self._session.execution.output)

    @property
    def error(self) -> str | None:
        """The error's name, if the run failed."""
        return self._session.execution.error

    @property
    def cause(self) -> str | None:
        """The error's cause, if the run failed."""
        return self._session.execution.cause

    @property
    def elapsed(self) -> float:
        """Seconds of the workflow's time, from its start to its end or to now."""
        execution = self._session.execution
        end = self._session.clock.now() if execution.stopped is None else execution.stopped
        return round(end - execution.started, 3)

    @property
    def arn(self) -> str:
        """The execution's ARN: ``$$.Execution.Id``."""
        return self._session.execution.arn

    # ------------------------------------------------------------------ what it did
    @property
    def visited(self) -> list[str]:
        """Names of the states in the order they were entered; a retry does not enter again."""
        return [str(entry.state) for entry in self._entries if entry.type.endswith("StateEntered")]

    @property
    def history(self) -> list[dict[str, Any]]:
        """All events as GetExecutionHistory writes them; timestamps are seconds since the epoch."""
        return [entry.wire for entry in self._entries]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types (``"TaskFailed"``), as in ``history``."""
        return [entry.wire for entry in self._history.of_type(*types)]

    def calls(self, state: str) -> list[Any]:
        """The parameters of each call of a Task state, in order. Raises LookupError for a state that is no Task."""
        return [call.parameters for call in self.task_calls(state)]

    def task_calls(self, state: str) -> list[Call]:
        """Each call of a Task state with its attempt and token. Raises LookupError for a state that is no Task."""
        self._known(state, "Task")
        return [call for call in self._session.tasks.calls if call.state == state]

    def inputs(self, state: str) -> list[Any]:
        """The input of each visit of a state. Raises LookupError for a state that is not there."""
        return self._documents(state, "StateEntered", "input")

    def outputs(self, state: str) -> list[Any]:
        """The output of each visit that ended well. Raises LookupError for a state that is not there."""
        return self._documents(state, "StateExited", "output")

    # ------------------------------------------------------------------ expectations
    def expect_succeeded(self, output: Any = _ANY) -> Self:
        """Raises AssertionError with the end of the history unless the run succeeded (with this output, if given)."""
        self._expect("SUCCEEDED")
        if output is not _ANY and self.output != output:
            raise AssertionError(self._explained(f"the output is {self.output!r}, expected {output!r}"))
        return self

    def expect_failed(self, error: str | None = None, cause: str | None = None) -> Self:
        """Raises AssertionError unless the run failed (with this error and cause, if given)."""
        self._expect("FAILED")
        for what, found, wanted in (("error", self.error, error), ("cause", self.cause, cause)):
            if wanted is not None and found != wanted:
                raise AssertionError(self._explained(f"the {what} is {found!r}, expected {wanted!r}"))
        return self

    def expect_timed_out(self) -> Self:
        """Raises AssertionError unless the workflow's own timeout ended the run."""
        return self._expect("TIMED_OUT")

    def expect_aborted(self) -> Self:
        """Raises AssertionError unless the run was stopped."""
        return self._expect("ABORTED")

    def _expect(self, status: Status) -> Self:
        if self.status != status:
            how = ": ".join(text for text in (self.error, self.cause) if text)
            raise AssertionError(self._explained(f"the run is {self.status}, expected {status}{how and '; ' + how}"))
        return self

    def _explained(self, problem: str) -> str:
        return f"{problem}\nthe end of its history:\n{self._history.tail()}"

    # ------------------------------------------------------------------ inside
    @property
    def _history(self) -> History:
        return self._session.history

    @property
    def _entries(self) -> list[Entry]:
        return self._session.history.entries

    def _known(self, state: str, kind: str | None = None) -> None:
        states = self._session.execution.machine.states()
        names = [found.name for found in states if kind is None or found.type == kind]
        if state not in names:
            raise LookupError(
                f"the workflow has no {kind or ''} state {state!r}".replace("  ", " ") + f"; {nearest(state, names)}"
            )

    def _documents(self, state: str, kind: str, name: str) -> list[Any]:
        self._known(state)
        entries = [e for e in self._entries if e.type.endswith(kind) and (e.event.details or {})["name"] == state]
        return [as_value((entry.event.details or {})[name]) for entry in entries]
