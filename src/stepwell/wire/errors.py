"""The errors that the wire itself answers, in AWS's words.

Sources: https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html for codes; the texts were
published by people who saw them on AWS. AWS leaves out the message of UnknownOperationException and of a
SerializationException for text that is not JSON; a text that says what is wrong is sent here instead.
"""

from __future__ import annotations

from typing import Any

from stepwell.kernel.errors import ServiceError
from stepwell.kernel.limits import REQUEST_BYTES

# The JSON protocols' codes on the left are what this package raises; the query protocol words the same faults otherwise
# (https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html).
QUERY_CODES: dict[str, tuple[str, int]] = {
    "AccessDeniedException": ("AccessDenied", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "SerializationException": ("MalformedInput", 400),
    "ThrottlingException": ("Throttling", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
}

# How Java's JSON reader names a scalar that stands where another type is expected.
_BOOLEANS = {True: "TRUE_VALUE", False: "FALSE_VALUE"}
_TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_NOUNS = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "boolean": "a Boolean",
    "timestamp": "a Timestamp",
    "blob": "a Blob",
}


def serialization(message: str) -> ServiceError:
    return ServiceError("SerializationException", message)


def wrong_type(value: Any, expected: str) -> ServiceError:
    """``value`` stands where the model has ``expected``, a shape's type name.

    Texts as measured on AWS: a list anywhere, a structure anywhere, a scalar for a list, a structure, a scalar.
    """
    if isinstance(value, list):
        return serialization("Start of list found where not expected")
    if isinstance(value, dict):
        return serialization("Start of structure or map found where not expected.")
    if expected == "list":
        return serialization("Expected list or null")
    if expected in ("structure", "map"):
        return serialization("Expected null")
    token = _BOOLEANS[value] if isinstance(value, bool) else _TOKENS.get(type(value), "NULL_VALUE")
    return serialization(f"{token} can not be converted to {_NOUNS.get(expected, expected)}")


def unknown_operation(message: str) -> ServiceError:
    return ServiceError("UnknownOperationException", message)


def too_large() -> ServiceError:
    """The body is over the 1 MiB that AWS takes (Step Functions, service quotas)."""
    text = f"The request is larger than {REQUEST_BYTES} bytes."
    return ServiceError("RequestEntityTooLargeException", text, status=413)


def check_size(body: bytes) -> None:
    if len(body) > REQUEST_BYTES:
        raise too_large()
