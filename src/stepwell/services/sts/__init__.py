"""AWS STS, as far as clients ask who they are: GetCallerIdentity.

Temporary credentials are not served: AssumeRole and its kin are refused by name, because a session whose key and
account nobody remembers would be accepted for the wrong account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.errors import ServiceError


def _identity(context: CallContext) -> dict[str, Any]:
    """An access key has no user behind it, so the caller is the account's root, as AWS shows root.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    scope = context.scope
    return {
        "UserId": scope.account,
        "Account": scope.account,
        "Arn": f"arn:{scope.partition}:iam::{scope.account}:root",
    }


OPERATIONS: dict[str, Callable[[CallContext], dict[str, Any]]] = {"GetCallerIdentity": _identity}


class SecurityTokens:
    """The embedded service."""

    name = "sts"

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """Raises ServiceError InvalidAction for what is not served."""
        answer = OPERATIONS.get(operation)
        if answer is None:
            raise ServiceError("InvalidAction", f"sts {operation} is not supported yet by this version of Stepwell.")
        return answer(context)
