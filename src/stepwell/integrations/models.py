"""botocore's models of services that are somewhere else, and the rules by which AWS's endpoints are found."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from stepwell.integrations.faults import UnreachableError
from stepwell.wire.models import Models

_models = Models()


def service_model(service: str) -> ServiceModel:
    """The model of ``dynamodb``, ``stepfunctions``; raises UnreachableError for a name botocore does not know."""
    try:
        return _models.service(service)
    except BotoCoreError:
        raise UnreachableError(f"The service '{service}' is not known.") from None


def operation_model(service: str, operation: str) -> OperationModel:
    """Raises UnreachableError for an operation the service does not have."""
    if operation not in service_model(service).operation_names:
        raise UnreachableError(f"The service '{service}' has no operation '{operation}'.")
    return _models.operation(service, operation)


@lru_cache(maxsize=32)
def endpoint_rules(service: str) -> dict[str, Any]:
    """The rules by which the endpoint of a service at AWS is found."""
    rules: dict[str, Any] = Loader().load_service_model(service, "endpoint-rule-set-1")
    return rules


@cache
def partitions() -> dict[str, Any]:
    data: dict[str, Any] = Loader().load_data("partitions")
    return data
