"""Which log groups a state machine may log to: those that are there.

AWS leaves a stream with a message of its own in a group that logs are to be delivered to; so do we, for those who list streams.
"""

from __future__ import annotations

from contextlib import suppress

from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import CheckFailed, ServiceError
from stepwell.services.logs.shelf import ID_BYTES, Shelf, name_in

TRIAL_STREAM = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
TRIAL_MESSAGE = (
    "Permissions are set correctly to allow AWS CloudWatch Logs to write into your logs while creating a subscription."
)
ELSEWHERE = (
    "Invalid Logging Configuration: logs are delivered to log groups of this server only; "
    "unset the setting endpoints.logs."
)


class Destinations:
    """Asked by Step Functions when a state machine is made or updated."""

    def __init__(self, shelf: Shelf, *, here: bool = True) -> None:
        """``here``: whether this server is CloudWatch Logs; it is not if a setting names another one."""
        self._shelf = shelf
        self._here = here

    async def admit(self, scope: Scope, arn: str) -> bool:
        """Whether logs can be delivered to a group of this account and region; prepares it for that.

        Raises ServiceError (InvalidLoggingConfiguration) if another server is CloudWatch Logs.
        """
        if not self._here:
            raise ServiceError("InvalidLoggingConfiguration", ELSEWHERE)
        name = name_in(scope, arn) if arn.endswith(":*") else None
        group = None if name is None else await self._shelf.find(scope, name)
        if group is None:
            return False
        shelf = self._shelf
        if await shelf.store.stream(group.id, TRIAL_STREAM) is None:
            identity, now = shelf.ids.token(ID_BYTES), shelf.now()
            with suppress(CheckFailed):  # another request made it
                await shelf.store.create_stream(group.id, TRIAL_STREAM, identity, now)
                await shelf.store.append(group.id, identity, [(now, TRIAL_MESSAGE.encode())], now)
        return True
