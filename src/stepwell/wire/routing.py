"""Which operation of which service a request means, and who sends it.

All services share one endpoint, so Host says nothing. The service is the one in the signature's credential scope;
unsigned requests (plain curl) are told apart by the prefix of X-Amz-Target, or by Action and Version of a form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stepwell.kernel.errors import ServiceError
from stepwell.wire import errors
from stepwell.wire.http import FORM, Request, form_of, form_pairs
from stepwell.wire.models import BY_SIGNING, BY_TARGET, QUERY_SERVICES, Models, Served
from stepwell.wire.sigv4 import credential

_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. ``scope_region`` and ``access_key`` are None for an unsigned request."""

    service: str
    operation: str
    protocol: str
    scope_region: str | None = None
    access_key: str | None = None


def resolve(request: Request, models: Models) -> Route:
    """The route of a request; the signature is looked at but not checked.

    Raises ServiceError: UnknownOperationException (JSON), MissingAction or InvalidAction (query).
    """
    signer = credential(request)
    if signer is None:
        found, operation = _unsigned(request, models)
        return Route(found.name, operation, found.protocol)
    row = BY_SIGNING.get(signer.service)
    if row is None:
        raise errors.unknown_operation(
            f"This server does not serve {signer.service!r}, the service that was signed for."
        )
    named = _target_operation(request, row, models) if row.target else _action_operation(request, row, models)
    return Route(row.name, named, row.protocol, signer.region, signer.access_key)


def protocol_of(request: Request) -> str:
    """The protocol in which to answer a request that could not be routed."""
    if "x-amz-target" in request.headers:
        return "json"
    signer = credential(request)
    row = BY_SIGNING.get(signer.service) if signer else None
    if row is not None:
        return row.protocol
    is_form = request.headers.get("content-type", "").startswith(FORM)
    return "query" if is_form or "Action=" in request.query else "json"


def account_of(access_key: str | None, default: str) -> str:
    """The account of a caller: an access key of 12 digits is the account's id, as local AWS servers have it."""
    return access_key if access_key and _ACCOUNT.fullmatch(access_key) else default


def _unsigned(request: Request, models: Models) -> tuple[Served, str]:
    target = request.headers.get("x-amz-target")
    if target is not None:
        prefix = target.rpartition(".")[0]
        if prefix not in BY_TARGET:
            raise errors.unknown_operation(f"This server does not serve the X-Amz-Target {target!r}.")
        return BY_TARGET[prefix], _target_operation(request, BY_TARGET[prefix], models)
    action, version = _action(request)
    if action is None:
        if protocol_of(request) == "json":
            raise errors.unknown_operation("The request has no X-Amz-Target header.")
        raise _missing_action()
    for row in QUERY_SERVICES:
        if version in ("", row.version) and models.has(row.name, action):
            return row, action
    raise _invalid_action(action, version)


def _target_operation(request: Request, row: Served, models: Models) -> str:
    target = request.headers.get("x-amz-target")
    if target is None:
        raise errors.unknown_operation("The request has no X-Amz-Target header.")
    prefix, _, operation = target.rpartition(".")
    if prefix != row.target or not models.has(row.name, operation):
        raise errors.unknown_operation(f"The service {row.name} has no operation {target!r}.")
    return operation


def _action_operation(request: Request, row: Served, models: Models) -> str:
    action, version = _action(request)
    if not action:
        raise _missing_action()
    if version not in ("", row.version) or not models.has(row.name, action):
        raise _invalid_action(action, version)
    return action


def _action(request: Request) -> tuple[str | None, str]:
    """Action and Version of a query request; Version is "" when it is not there."""
    action, version = None, ""
    for name, value in form_pairs(form_of(request)):
        if name == "Action":
            action = value
        elif name == "Version":
            version = value
    return action or None, version


def _missing_action() -> ServiceError:
    return ServiceError("MissingAction", "The request is missing an action or a required parameter.")


def _invalid_action(action: str, version: str) -> ServiceError:
    return ServiceError(
        "InvalidAction", f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}"
    )
