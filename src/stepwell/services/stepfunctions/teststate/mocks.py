"""A Task's mocked result against the shape of the API's answer.

::

    STRICT    required members are there, and what is there is of its type
    PRESENT   what is there is of its type
    NONE      nothing is looked at

Members that the API does not have are let through; they are spelled as the integration spells them. Recorded:
test_field_validation_mode*. Source of the modes:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from stepwell.asl.casing import Naming, first_generation_name, sdk_name
from stepwell.asl.polling import answering
from stepwell.asl.resources import Resource
from stepwell.kernel.errors import ServiceError
from stepwell.services.stepfunctions import faults
from stepwell.wire.models import Models

STRICT, PRESENT, NONE = "STRICT", "PRESENT", "NONE"
# Results that the integration makes of an answer: their blob is read as JSON before the workflow sees it.
_READ_AS_JSON = {("lambda", "invoke"): "Payload"}
Limits = Mapping[str, Any]
# Where AWS's TestState was recorded to hold results to other limits than botocore's present model: service -> shape.
# Recorded: test_strict_mode_aws_sdk_lambda_get_function_task.
_RECORDED_LIMITS: Mapping[str, Mapping[str, Limits]] = {"lambda": {"MemorySize": {"min": 128, "max": 10_240}}}
NOT_AN_OBJECT = "Mocked result must be a JSON object."


def check(resource: Resource, result: Any, mode: str) -> None:
    """Raises ValidationException for a result that the API could not have given."""
    call = None if mode == NONE else answering(resource)
    shape = None if call is None else _answer_shape(*call)
    if call is None or shape is None:
        return
    if not isinstance(result, dict):
        raise faults.validation(NOT_AN_OBJECT)
    naming = sdk_name if resource.kind == "sdk" else first_generation_name
    free = _READ_AS_JSON.get((resource.service, resource.action)) if resource.kind == "optimised" else None
    _Walk(naming, _RECORDED_LIMITS.get(call[0], {}), strict=mode == STRICT).structure(
        shape, {k: v for k, v in result.items() if k != free}
    )


@lru_cache(maxsize=32)
def _answer_shape(service: str, operation: str) -> StructureShape | None:
    """None where the operation answers nothing. The model of a service is let go with its last shape."""
    try:
        return Models().operation(service, operation).output_shape
    except (UnknownServiceError, ServiceError):
        return None


class _Walk:
    def __init__(self, naming: Naming, recorded: Mapping[str, Limits], *, strict: bool) -> None:
        self._naming = naming
        self._recorded = recorded
        self._strict = strict

    def structure(self, shape: StructureShape, value: dict[str, Any]) -> None:
        if self._strict:
            for name in map(self._naming, shape.required_members):
                if name not in value:
                    raise _invalid(f"Required field '{name}' is missing")
        members = {self._naming(name): member for name, member in shape.members.items()}
        for name, item in value.items():
            if name in members:
                self._value(members[name], item, name)

    def _value(self, shape: Shape, value: Any, field: str) -> None:
        if getattr(shape, "is_document_type", False):
            return
        if isinstance(shape, StructureShape):
            _require(isinstance(value, dict), field, "an object")
            self.structure(shape, value)
        elif isinstance(shape, ListShape):
            _require(isinstance(value, list), field, "an array")
            for item in value:
                self._value(shape.member, item, field)
        elif isinstance(shape, MapShape):
            _require(isinstance(value, dict), field, "an object")
            for key, item in value.items():
                self._value(shape.value, item, key)
        else:
            _scalar(shape, self._recorded.get(shape.name, shape.metadata), value, field)


def _scalar(shape: Shape, limits: Limits, value: Any, field: str) -> None:
    kind, fits = _SCALARS[shape.type_name]
    _require(fits(value), field, kind)
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        raise _invalid(f"Field '{field}' is not an expected value")
    if kind == "a number":
        if value < limits.get("min", value):
            raise _invalid(f"Field '{field}' is less than the minimum value")
        if value > limits.get("max", value):
            raise _invalid(f"Field '{field}' exceeds the maximum value")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


_SCALARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", _is_text),
    "character": ("a string", _is_text),
    "blob": ("a string", _is_text),
    "timestamp": ("a string", _is_text),
    "boolean": ("a boolean", _is_boolean),
    "integer": ("a number", _is_whole),
    "long": ("a number", _is_whole),
    "bigInteger": ("a number", _is_whole),
    "float": ("a number", _is_number),
    "double": ("a number", _is_number),
    "bigDecimal": ("a number", _is_number),
}


def _require(fits: bool, field: str, kind: str) -> None:
    if not fits:
        raise _invalid(f"Field '{field}' must be {kind}")


def _invalid(why: str) -> ServiceError:
    return faults.validation(f"Mock result schema validation error: {why}")
