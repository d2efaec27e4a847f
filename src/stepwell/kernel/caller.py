"""The single door to a service: ``Caller.call(service, operation, params, context)``.

The wire, Task integrations, the CLI and (later) the gateway and event targets all go through it. It decides per service
whether the call is answered here, by another endpoint, or by AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from stepwell.kernel.arns import Scope

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """On whose behalf, and with which key, a call is made."""

    scope: Scope = field(default_factory=Scope)
    access_key: str | None = None
    request_id: str = ""
    idempotency_key: str | None = None  # an embedded service stores it in the transaction of the effect
    role_arn: str | None = None


class Caller(Protocol):
    """Calls an operation of an AWS service wherever that service is served."""

    async def call(self, service: str, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """``service`` is botocore's name (``stepfunctions``, ``sqs``), ``operation`` its operation (``SendMessage``).

        Returns the output shape as plain Python values. Raises ServiceError with the service's own code and message.
        """
        ...


class Service(Protocol):
    """A service embedded in this server."""

    name: str  # botocore's name

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]: ...
