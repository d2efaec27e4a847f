"""Task tokens coming back: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.

::

    not a token of this server, or of another account or region     InvalidToken
    of an execution that is not stored any more                     TaskDoesNotExist
    of a task that is over                                          TaskTimedOut

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html; which error a token of another
account gets is assumed (tokens are of use within an account only: developer guide, connect-to-resource).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.engine.journal import Journal, Key
from stepwell.engine.messages import Failed, Heartbeat, Message, Succeeded
from stepwell.engine.tokens import Token, Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Arn, Scope, scope_of
from stepwell.services.stepfunctions import faults, validation

Params = Mapping[str, Any]
Answer = dict[str, Any]


class CallbackOperations:
    """See the module's docstring."""

    def __init__(self, journal: Journal, worker: Worker, tokens: Tokens) -> None:
        self._journal = journal
        self._worker = worker
        self._tokens = tokens

    async def success(self, scope: Scope, params: Params) -> Answer:
        token = self._read(params)
        output = validation.document(params["output"], "output", faults.invalid_output)
        return await self._tell(scope, token, Succeeded(token.frame, token.event, output, callback=True))

    async def failure(self, scope: Scope, params: Params) -> Answer:
        token = self._read(params)
        failed = Failed(token.frame, token.event, params.get("error"), params.get("cause"), callback=True)
        return await self._tell(scope, token, failed)

    async def heartbeat(self, scope: Scope, params: Params) -> Answer:
        token = self._read(params)
        return await self._tell(scope, token, Heartbeat(token.frame, token.event))

    def _read(self, params: Params) -> Token:
        token = self._tokens.read(params["taskToken"])
        if token is None:
            raise faults.invalid_token()
        return token

    async def _tell(self, scope: Scope, token: Token, message: Message) -> Answer:
        if await self._scope(token.key) != scope:
            raise faults.invalid_token()
        if not await self._worker.tell(token.key, message):
            raise faults.task_timed_out()
        return {}

    async def _scope(self, key: Key) -> Scope:
        """Whose execution it is; raises TaskDoesNotExist."""
        execution = self._worker.execution(key)
        if execution is not None:
            return execution.scope
        row = await self._journal.row_by_key(key)
        if row is None:
            raise faults.task_missing()
        return scope_of(Arn.parse(row.arn))
