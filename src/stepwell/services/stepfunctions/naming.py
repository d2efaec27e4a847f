"""Names and ARNs: which are allowed, and whose they are.

Source of the forbidden characters: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html;
recorded: test_create_activity_invalid_name.
"""

from __future__ import annotations

import re

from stepwell.kernel.arns import Arn, Scope, scope_of
from stepwell.kernel.limits import NAME_CHARACTERS
from stepwell.services.stepfunctions import faults

_FORBIDDEN = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]")

_VERSION = re.compile(r"[1-9][0-9]{0,8}")
QUALIFIED = 2  # names in a qualified ARN


def check_name(name: str) -> str:
    """The name itself; raises InvalidName."""
    if not 1 <= len(name) <= NAME_CHARACTERS or _FORBIDDEN.search(name):
        raise faults.invalid_name(name)
    return name


def arn_of(text: str, *kinds: str) -> Arn:
    """A parsed ARN of Step Functions whose resource is one of these kinds; raises InvalidArn."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise faults.invalid_arn(f"Invalid ARN prefix: {text}") from None
    if arn.service != "states" or arn.kind not in kinds or not all(arn.names or [""]):
        raise faults.invalid_arn(f"Resource type not valid in this context: {arn.kind}")
    return arn


def own_name(arn: Arn, scope: Scope) -> str | None:
    """The name in an unqualified ARN of this account and region, else None: there is nothing by that ARN here.

    A qualified ARN (``:stateMachine:name:1``) names a version or an alias.
    """
    return arn.names[0] if len(arn.names) == 1 and scope_of(arn) == scope else None


def own_parts(arn: Arn, scope: Scope) -> tuple[str, str | None] | None:
    """Machine and qualifier (version number, alias or None) in an ARN of this account and region, else None."""
    if scope_of(arn) != scope or not 1 <= len(arn.names) <= QUALIFIED:
        return None
    return arn.names[0], arn.names[1] if len(arn.names) == QUALIFIED else None


def version_number(qualifier: str | None) -> int | None:
    """The number that a qualifier is, if it is one as Step Functions writes it: no sign, no zero in front."""
    return int(qualifier) if qualifier is not None and _VERSION.fullmatch(qualifier) else None


def machine_arn(scope: Scope, name: str) -> str:
    return scope.states(f"stateMachine:{name}")


def activity_arn(scope: Scope, name: str) -> str:
    return scope.states(f"activity:{name}")


def execution_arn(scope: Scope, machine: str, name: str) -> str:
    return scope.states(f"execution:{machine}:{name}")


def express_arn(scope: Scope, machine: str, name: str, unique: str) -> str:
    """Recorded: test_start_async_describe_history_execution."""
    return scope.states(f"express:{machine}:{name}:{unique}")
