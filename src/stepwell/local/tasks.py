"""The tasks of a run in-process: a mock answers where there is one, else a real task runner, else the run is refused.

A fault of a mock is not a failure of the workflow: it is kept in ``fault``, and whoever drives the run raises it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from stepwell.engine.tasks import Submitted, TaskCall, TaskFailed, TaskOutcome, TaskRunner, TaskSubmitted, TaskSucceeded
from stepwell.kernel.jsontext import EMPTY_OBJECT
from stepwell.local.answers import Answer, Answers, Call, Pending, Throw, as_json
from stepwell.local.errors import MockError

Claim = Callable[[TaskCall], Awaitable[object]]


class MockedTasks:
    """The engine's TaskRunner.

    ``held`` has the calls (by their key) that end only when somebody sends a result: with the future that takes the
    result, or None where it comes by task token. ``changed`` is set whenever a call ends or begins to be held.
    """

    def __init__(self, answers: Mapping[str, Answers], real: TaskRunner | None, claim: Claim) -> None:
        self._answers = answers
        self._real = real
        self._claim = claim
        self._counts: Counter[str] = Counter()
        self.calls: list[Call] = []
        self.held: dict[str, asyncio.Future[TaskOutcome] | None] = {}
        self.fault: BaseException | None = None
        self.changed = asyncio.Event()

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        noted = self._note(call)
        try:
            outcome = await self._run(call, noted, submitted)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.fault = error
            outcome = await self._hold(call)
        self.changed.set()
        return outcome

    async def _run(self, call: TaskCall, noted: Call, submitted: Submitted) -> TaskOutcome:
        answers = self._answers.get(call.state)
        if answers is not None:
            if call.resource.kind == "activity":
                await self._claim(call)
            return await self._mocked(call, await answers.next(noted), submitted)
        if self._real is None or call.resource.kind == "activity":
            raise MockError(
                f"state {call.state!r} calls {call.resource.text}, and nothing stands for it here: "
                f'give mocks={{"{call.state}": ...}} a result, Throw(error, cause), a list of these, or a function'
            )
        outcome = await self._real.run(call, submitted)
        if isinstance(outcome, TaskSubmitted):
            self.held[call.key] = None
        return outcome

    async def _mocked(self, call: TaskCall, answer: Answer, submitted: Submitted) -> TaskOutcome:
        if call.resource.pattern == "waitForTaskToken" and isinstance(answer, Pending):
            self.held[call.key] = None
            return TaskSubmitted(output=EMPTY_OBJECT)
        if call.resource.pattern != "request":  # the mock stands for the outcome; the call itself is accepted
            await submitted(EMPTY_OBJECT)
        if isinstance(answer, Pending):
            return await self._hold(call)
        if isinstance(answer, Throw):
            return TaskFailed(error=answer.error, cause=answer.cause)
        try:
            return TaskSucceeded(output=as_json(answer.value, f"what the mock of state {call.state!r} answers"))
        except ValueError as error:
            raise MockError(str(error)) from None

    async def _hold(self, call: TaskCall) -> TaskOutcome:
        result: asyncio.Future[TaskOutcome] = asyncio.get_running_loop().create_future()
        self.held[call.key] = result
        self.changed.set()
        try:
            return await result
        finally:
            del self.held[call.key]

    def _note(self, call: TaskCall) -> Call:
        noted = Call(
            state=call.state,
            parameters=call.parameters.value,
            number=self._counts[call.state],
            attempt=call.attempt,
            resource=call.resource.text,
            token=call.token,
        )
        self._counts[call.state] += 1
        self.calls.append(noted)
        return noted
