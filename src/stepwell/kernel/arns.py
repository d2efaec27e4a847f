"""Amazon Resource Names: reading, writing and the ones Step Functions makes.

::

    arn:aws:states:us-east-1:000000000000:stateMachine:orders
    |   |   |      |         |            `- resource: everything that is left, colons included
    |   |   |      |         `- account     `- kind is the resource's first word
    |   |   |      `- region
    |   |   `- service
    |   `- partition
    `- prefix
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS = 6


@dataclass(frozen=True, slots=True)
class Arn:
    """A parsed ARN; ``str(arn)`` writes it back unchanged."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError for anything that is not an ARN of six parts."""
        parts = text.split(":", PARTS - 1)
        if len(parts) < PARTS or parts[0] != "arn" or not all((parts[1], parts[2], parts[5])):
            raise ValueError(text)
        return cls(*parts[1:])

    @property
    def kind(self) -> str:
        """The first word of the resource: ``stateMachine``, ``execution``, ``activity``, ``express``."""
        return self.resource.split(":", 1)[0]

    @property
    def names(self) -> list[str]:
        """The words of the resource after its kind: ``[machine, execution]`` for an execution."""
        return self.resource.split(":")[1:]

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a resource lives: every stored thing is keyed by these three."""

    partition: str = "aws"
    region: str = "us-east-1"
    account: str = "000000000000"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def states(self, resource: str) -> str:
        """An ARN of Step Functions: ``scope.states("stateMachine:orders")``."""
        return self.arn("states", resource)


def scope_of(arn: Arn) -> Scope:
    return Scope(arn.partition, arn.region, arn.account)
