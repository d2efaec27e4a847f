"""botocore's service models, loaded once per service and only when first needed.

A botocore session would load endpoints, defaults and every model's paginators and waiters (40 MB); the loader and
``ServiceModel`` alone take 1 to 4 MB a service. Shapes and operations are cached by botocore, so the same name always
gives the same object and compiled parsers can be kept by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from stepwell.wire import errors


@dataclass(frozen=True, slots=True)
class Served:
    """How requests for a service are recognised before its model is loaded. A test holds it to the models.

    ``name`` is botocore's name, ``signing`` the service in the credential scope, ``target`` the prefix of X-Amz-Target
    (JSON protocols), ``version`` the API version that query requests carry.
    """

    name: str
    signing: str
    protocol: str
    target: str | None = None
    version: str = ""


SERVED = (
    Served("stepfunctions", "states", "json", target="AWSStepFunctions"),
    Served("events", "events", "json", target="AWSEvents"),
    Served("logs", "logs", "json", target="Logs_20140328"),
    Served("sts", "sts", "query", version="2011-06-15"),
    Served("iam", "iam", "query", version="2010-05-08"),
)
BY_SIGNING = {row.signing: row for row in SERVED}
BY_TARGET = {row.target: row for row in SERVED if row.target}
QUERY_SERVICES = tuple(row for row in SERVED if row.protocol == "query")


class Models:
    """Service and operation models by botocore's names."""

    def __init__(self) -> None:
        self._loader = Loader()
        self._services: dict[str, ServiceModel] = {}
        self._operations: dict[tuple[str, str], OperationModel] = {}

    def service(self, name: str) -> ServiceModel:
        """Any service botocore knows, served here or not. Raises botocore's UnknownServiceError."""
        model = self._services.get(name)
        if model is None:
            model = ServiceModel(self._loader.load_service_model(name, "service-2"), name)
            self._services[name] = model
        return model

    def has(self, service: str, operation: str) -> bool:
        return (service, operation) in self._operations or operation in self.service(service).operation_names

    def operation(self, service: str, operation: str) -> OperationModel:
        """Raises ServiceError UnknownOperationException for a name that the service does not have."""
        model = self._operations.get((service, operation))
        if model is None:
            if not self.has(service, operation):
                raise errors.unknown_operation(f"The service {service} has no operation {operation!r}.")
            model = self.service(service).operation_model(operation)
            self._operations[service, operation] = model
        return model
