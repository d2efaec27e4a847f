"""What an execution keeps of the version or alias it was started by, in one text."""

from __future__ import annotations

from stepwell.kernel.arns import Arn, scope_of

VERSION_ARN, ALIAS_ARN = "stateMachineVersionArn", "stateMachineAliasArn"


def started_by(machine: str, alias: str | None, number: int) -> str:
    """What an execution's row keeps of a qualified start: the version's ARN, the alias, if any, before the number."""
    return f"{machine}:{number}" if alias is None else f"{machine}:{alias}:{number}"


def associated(kept: str | None) -> dict[str, str]:
    """``stateMachineVersionArn`` and ``stateMachineAliasArn`` of an execution, as far as it has them.

    One started by an alias has both:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionListItem.html
    """
    if kept is None:
        return {}
    arn = Arn.parse(kept)
    name, *alias, number = arn.names
    machine = scope_of(arn).states(f"stateMachine:{name}")
    found = {VERSION_ARN: f"{machine}:{number}"}
    if alias:
        found[ALIAS_ARN] = f"{machine}:{alias[0]}"
    return found
