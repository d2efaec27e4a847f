"""Who calls: the account and region that a request is for.

``open``   any access key or none. A key of 12 digits is the account, else the ``account`` setting is.
``keys``   the request must be signed with one of ``access-keys``, in a header or a presigned URL.

The region is the one signed for, else the ``region`` setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.settings import Settings
from stepwell.wire.http import Request
from stepwell.wire.routing import Route, account_of
from stepwell.wire.sigv4 import verify

Identify = Callable[[Request, Route, str], CallContext]
"""Takes request, route and request id; raises ServiceError when the caller is not let in."""

_REGION = re.compile(r"[a-z0-9-]{1,64}")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}  # botocore's partitions with Step Functions; all others: aws


def identifier(settings: Settings, clock: Clock) -> Identify:
    """The function for the ``access`` setting."""
    return _keys(settings, clock) if settings.access == "keys" else _open(settings)


def _open(settings: Settings) -> Identify:
    def identify(request: Request, route: Route, request_id: str) -> CallContext:
        scope = scope_for(route.scope_region or settings.region, account_of(route.access_key, settings.account))
        return CallContext(scope=scope, access_key=route.access_key, request_id=request_id)

    return identify


def _keys(settings: Settings, clock: Clock) -> Identify:
    secrets = {key.id: key.secret for key in settings.access_keys}
    accounts = {key.id: key.account or settings.account for key in settings.access_keys}

    def identify(request: Request, route: Route, request_id: str) -> CallContext:
        proven = verify(request, secrets.get, clock.now())
        scope = scope_for(proven.region, accounts[proven.access_key])
        return CallContext(scope=scope, access_key=proven.access_key, request_id=request_id)

    return identify


@lru_cache(maxsize=1_024)
def scope_for(region: str, account: str) -> Scope:
    """Raises InvalidSignatureException for a region that cannot stand in an ARN."""
    if not _REGION.fullmatch(region):
        raise ServiceError("InvalidSignatureException", "Credential should be scoped to a valid region. ", status=403)
    partition = next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")
    return Scope(partition, region, account)
