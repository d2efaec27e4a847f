"""Where a service is, and how to sign for it: the value of one ``endpoints`` setting, read.

::

    dynamodb = http://127.0.0.1:8000              an endpoint; signed with the account id as access key
    s3 = http://KEY:SECRET@127.0.0.1:9000         an endpoint that checks signatures
    sqs = aws                                     the real service, with the credentials botocore finds
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.model import ServiceModel

from stepwell.integrations.faults import UnreachableError
from stepwell.integrations.models import endpoint_rules, partitions
from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import SettingError

AWS = "aws"
LOCAL_SECRET = "stepwell"  # noqa: S105 - servers that check no signature take any


@dataclass(frozen=True, slots=True)
class Target:
    """One request's destination and the key to sign it with (None: not signed)."""

    url: str
    credentials: ReadOnlyCredentials | None
    region: str
    signing_name: str
    host_prefixes: bool  # operations such as StartSyncExecution have a host of their own at AWS


@dataclass(frozen=True, slots=True)
class EndpointRoute:
    """A server at a fixed URL."""

    url: str
    access_key: str | None = None
    secret: str | None = None

    async def target(self, model: ServiceModel, scope: Scope) -> Target:
        key = ReadOnlyCredentials(self.access_key or scope.account, self.secret or LOCAL_SECRET, None)
        return Target(self.url, key, scope.region, model.signing_name, host_prefixes=False)


class AwsRoute:
    """The real service. Credentials come from botocore's chain, found in a thread at the first call and kept fresh."""

    def __init__(self) -> None:
        self._credentials: Credentials | None = None
        self._lock = asyncio.Lock()
        self._providers: dict[str, EndpointProvider] = {}

    async def target(self, model: ServiceModel, scope: Scope) -> Target:
        frozen = await self._frozen()
        service: str = model.service_name
        provider = self._providers.get(service)
        if provider is None:
            provider = EndpointProvider(endpoint_rules(service), partitions())
            self._providers[service] = provider
        try:
            found = provider.resolve_endpoint(Region=scope.region, UseFIPS=False, UseDualStack=False)
        except BotoCoreError as error:
            raise UnreachableError(f"AWS has no endpoint for {service} in {scope.region}: {error}") from None
        region, name = scope.region, model.signing_name
        for scheme in found.properties.get("authSchemes", ()):
            if scheme["name"].startswith("sigv4"):
                region, name = scheme.get("signingRegion", region), scheme.get("signingName", name)
                break
        return Target(found.url, frozen, region, name, host_prefixes=True)

    async def _frozen(self) -> ReadOnlyCredentials:
        async with self._lock:
            if self._credentials is None:
                self._credentials = await asyncio.to_thread(find_credentials)
            if self._credentials is None:
                raise UnreachableError(
                    "Unable to load credentials: the setting endpoints sends this call to AWS, and no AWS credentials "
                    "were found in the environment, the shared configuration files or the instance's metadata."
                )
            return await asyncio.to_thread(self._credentials.get_frozen_credentials)


def find_credentials() -> Credentials | None:
    """botocore's credential chain; slow (it may ask the instance's metadata service), so call it from a thread."""
    from botocore.session import Session  # noqa: PLC0415 - 40 MB, and only for users of the real AWS

    found: Any = Session().get_credentials()
    return found


Route = EndpointRoute | AwsRoute


def parse_route(service: str, text: str, aws: AwsRoute) -> Route:
    """Raises SettingError for a value that is neither ``aws`` nor an http(s) URL."""
    if text == AWS:
        return aws
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingError(
            f"setting endpoints.{service} cannot be {text!r}: give 'aws' or a URL like http://127.0.0.1:5000"
        )
    place = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
    user = unquote(parts.username) if parts.username else None
    return EndpointRoute(url, user, unquote(parts.password) if parts.password else None)
