"""The single door to services: each is embedded, at an endpoint the settings name, at AWS, or refused.

This is the only place that decides; see ``kernel.caller.Caller`` for the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepwell.integrations.faults import UnreachableError
from stepwell.integrations.remote import RemoteServices
from stepwell.integrations.routes import AwsRoute, Route, parse_route
from stepwell.kernel.caller import CallContext, Params, Service
from stepwell.kernel.errors import SettingError

Check = Callable[[str, str, Params], None]  # service, operation, params; raises ServiceError


class RoutingCaller:
    """Implements ``Caller``. ``routes`` is the setting ``endpoints``: botocore's service name to ``aws`` or a URL.

    A route wins over an embedded service of the same name. ``check`` validates what is sent to embedded services.
    Raises SettingError for a route that cannot be.
    """

    def __init__(
        self,
        routes: Mapping[str, str],
        embedded: Mapping[str, Service],
        *,
        remote: RemoteServices | None = None,
        check: Check | None = None,
    ) -> None:
        aws = AwsRoute()
        # A variable's name cannot hold the hyphen of cognito-idp, so an underscore stands for it.
        self._routes: dict[str, Route] = {
            service.replace("_", "-"): parse_route(service, text, aws) for service, text in routes.items()
        }
        if "stepfunctions" in self._routes:
            raise SettingError("setting endpoints.stepfunctions cannot be set: this server is Step Functions")
        self._embedded = embedded
        self._remote = remote or RemoteServices()
        self._check = check

    async def call(self, service: str, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """Raises ServiceError with the service's own words, or UnreachableError when no answer came."""
        route = self._routes.get(service)
        if route is not None:
            return await self._remote.call(route, service, operation, dict(params), context.scope)
        home = self._embedded.get(service)
        if home is None:
            raise UnreachableError(not_configured(service))
        if self._check is not None:
            self._check(service, operation, params)
        return await home.call(operation, params, context)

    async def close(self) -> None:
        await self._remote.close()


def not_configured(service: str) -> str:
    """What to do about a service that nobody serves."""
    variable = "STEPWELL_ENDPOINT_" + service.upper().replace("-", "_")
    return (
        f"Stepwell does not serve '{service}' itself and the setting endpoints.{service} is not set. Set it (or "
        f"{variable}) to the URL of a server that has it, such as http://127.0.0.1:5000, or to 'aws' for the real "
        "service with your credentials."
    )
