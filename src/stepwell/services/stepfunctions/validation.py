"""Parameters that AWS checks beyond its models: roles, JSON texts, and the configurations of a state machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from stepwell.asl.check import check
from stepwell.asl.diagnostics import DefinitionError, errors
from stepwell.asl.source import load_json_definition
from stepwell.kernel.arns import Arn, Scope
from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.kernel.jsontext import EMPTY_OBJECT, Json
from stepwell.kernel.limits import DATA_BYTES, DEFINITION_BYTES
from stepwell.services.stepfunctions import faults

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")
NO_LOGGING: dict[str, Any] = {"level": "OFF", "includeExecutionData": False}
NO_TRACING: dict[str, Any] = {"enabled": False}
OWNED_KEY: dict[str, Any] = {"type": "AWS_OWNED_KEY"}
EMPTY_INPUT = "Invalid execution input."
_ONE_DESTINATION = "Must specify exactly one Log Destination."
_NO_DESTINATION = "Log Destination not found."


class LogDestinations(Protocol):
    """The log groups there are."""

    async def admit(self, scope: Scope, arn: str) -> bool:
        """Whether logs can be delivered to a group; what that needs is made ready."""
        ...


def role(arn: str) -> str:
    """The ARN itself; raises InvalidArn if it is not a role's."""
    if not _ROLE.fullmatch(arn):
        raise faults.invalid_role(arn)
    return arn


def definition(text: str, kind: str) -> str:
    """The text itself; raises InvalidDefinition with all faults."""
    if len(text.encode("utf-8", "surrogatepass")) > DEFINITION_BYTES:
        raise faults.too_long("definition", DEFINITION_BYTES)
    try:
        found = check(load_json_definition(text), type="EXPRESS" if kind == "EXPRESS" else "STANDARD")
        if errors(found):
            raise DefinitionError(found)
    except DefinitionError as error:
        raise ServiceError("InvalidDefinition", error.message) from None
    return text


def execution_input(text: str | None) -> Json:
    """The input of an execution, ``{}`` if none was given. Recorded: test_invalid_start_execution_input."""
    if text is None:
        return EMPTY_OBJECT
    if not text.strip():
        raise faults.invalid_input(EMPTY_INPUT)
    return document(text, "input", faults.invalid_input)


def document(text: str, member: str, invalid: Callable[[str], ServiceError]) -> Json:
    """A JSON text of at most 262,144 bytes; raises ``invalid(why)`` with Jackson's words."""
    if len(text) * 4 > DATA_BYTES and len(text.encode("utf-8", "surrogatepass")) > DATA_BYTES:
        raise faults.too_long(member, DATA_BYTES)
    try:
        return Json.parse(text)
    except JsonSyntaxError as error:
        raise invalid(error.message) from None


def logging(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The logging configuration as it is stored and described; raises InvalidLoggingConfiguration.

    Recorded: test_sfn_api_logs. Whether the log group is there is for ``destination`` to say.
    """
    if given is None:
        return NO_LOGGING
    made = {"level": given.get("level") or "OFF", "includeExecutionData": bool(given.get("includeExecutionData"))}
    destinations = given.get("destinations")
    if destinations is not None:
        made["destinations"] = destinations
    count = len(destinations or ())
    if count > 1 or (count == 0 and made["level"] != "OFF"):
        raise faults.invalid_logging(_ONE_DESTINATION)
    for destination in destinations or ():
        group = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn") or ""
        if not _is_log_group(group):
            raise faults.invalid_logging(_NO_DESTINATION)
    return made


async def destination(logging: Mapping[str, Any], scope: Scope, groups: LogDestinations | None) -> None:
    """Raises InvalidLoggingConfiguration if the log group is not there (recorded: test_deleted_log_group).

    Without ``groups`` it is not looked for.
    """
    for given in logging.get("destinations") or ():
        if groups is not None and not await groups.admit(scope, given["cloudWatchLogsLogGroup"]["logGroupArn"]):
            raise faults.invalid_logging(_NO_DESTINATION)


def _is_log_group(text: str) -> bool:
    try:
        arn = Arn.parse(text)
    except ValueError:
        return False
    return arn.service == "logs" and arn.kind == "log-group" and arn.resource.endswith(":*")


def tracing(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return NO_TRACING if given is None else {"enabled": bool(given.get("enabled"))}


def encryption(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Keys of the customer's are refused by name. Raises InvalidEncryptionConfiguration."""
    if given is None:
        return None
    if given.get("type") != OWNED_KEY["type"]:
        text = f"{given.get('type')} is not supported yet by this version of Stepwell."
        raise ServiceError("InvalidEncryptionConfiguration", f"Invalid Encryption Configuration: {text}")
    if given.get("kmsKeyId") is not None or given.get("kmsDataKeyReusePeriodSeconds") is not None:
        text = "AWS_OWNED_KEY takes no kmsKeyId and no kmsDataKeyReusePeriodSeconds."
        raise ServiceError("InvalidEncryptionConfiguration", f"Invalid Encryption Configuration: {text}")
    return OWNED_KEY
