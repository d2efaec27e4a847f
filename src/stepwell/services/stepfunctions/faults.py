"""Step Functions' errors in AWS's words.

Sources: recorded in test_sfn_api*, where a line says nothing else. Which error each operation has:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterable

from stepwell.kernel.errors import ServiceError


def machine_missing(arn: str) -> ServiceError:
    return ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def machine_exists(arn: str) -> ServiceError:
    return ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")


def machine_deleting(arn: str) -> ServiceError:
    """The sentence is AWS's (https://github.com/Netflix/metaflow/pull/1284), the ARN behind it is assumed."""
    return ServiceError("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")


def wrong_type() -> ServiceError:
    return ServiceError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


def reference_missing(arn: str) -> ServiceError:
    """A version or an alias that is not there. Recorded: test_update_no_such_alias_arn."""
    return ServiceError("ResourceNotFound", "Request references a resource that does not exist.", resourceName=arn)


def conflict(message: str) -> ServiceError:
    """Source of the status: https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html."""
    return ServiceError("ConflictException", message, status=409)


def alias_exists() -> ServiceError:
    """The same text whatever differs (recorded: test_error_create_alias_not_idempotent)."""
    return conflict(
        "Failed to create alias because an alias with the same name and a different routing configuration already exists."
    )


def version_in_use(aliases: Iterable[str]) -> ServiceError:
    return conflict(
        "Version to be deleted must not be referenced by an alias. "
        f"Current list of aliases referencing this version: [{', '.join(aliases)}]"
    )


def quota_exceeded(what: str, limit: int, arn: str) -> ServiceError:
    """The text is assumed, the status is the API reference's (PublishStateMachineVersion, CreateStateMachineAlias)."""
    text = f"The maximum number of {what} ({limit}) has been reached: '{arn}'"
    return ServiceError("ServiceQuotaExceededException", text, status=402)


def execution_missing(arn: str) -> ServiceError:
    return ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def execution_exists(arn: str) -> ServiceError:
    return ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")


def activity_missing(arn: str) -> ServiceError:
    return ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def too_many_pollers(arn: str) -> ServiceError:
    """The text is assumed."""
    return ServiceError("ActivityWorkerLimitExceeded", f"Activity Worker Limit Exceeded: '{arn}'")


def invalid_arn(why: str) -> ServiceError:
    return ServiceError("InvalidArn", f"Invalid Arn: '{why}'")


def invalid_role(arn: str) -> ServiceError:
    """The text is assumed."""
    return ServiceError("InvalidArn", f"Invalid Role Arn: '{arn}'")


def invalid_name(name: str) -> ServiceError:
    return ServiceError("InvalidName", f"Invalid Name: '{name}'")


def invalid_input(why: str) -> ServiceError:
    return ServiceError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{why}'")


def invalid_output(why: str) -> ServiceError:
    """The words around the reason are assumed."""
    return ServiceError("InvalidOutput", f"Invalid Output: '{why}'")


def invalid_token() -> ServiceError:
    """For task tokens and for nextToken alike."""
    return ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")


def task_timed_out() -> ServiceError:
    """Source: https://github.com/aws-samples/amazon-mwaa-examples/issues/61."""
    return ServiceError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def task_missing() -> ServiceError:
    """The text is assumed."""
    return ServiceError("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist'")


def invalid_logging(why: str) -> ServiceError:
    return ServiceError("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {why}")


def resource_missing(arn: str) -> ServiceError:
    """The text is assumed."""
    return ServiceError("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)


def too_many_tags(arn: str) -> ServiceError:
    """The text is assumed."""
    return ServiceError("TooManyTags", f"Too many tags: '{arn}'", resourceName=arn)


def validation(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def too_long(member: str, limit: int) -> ServiceError:
    """A text of few enough characters but too many bytes, refused as one of too many characters is."""
    return validation(
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}"
    )


def not_yet(what: str) -> ServiceError:
    """Something AWS does and this version does not."""
    return validation(f"{what} is not supported yet by this version of Stepwell.")
