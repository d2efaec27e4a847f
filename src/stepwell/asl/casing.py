"""How integrations spell the members of an API's parameters and results.

::

    model                     optimised                 aws-sdk
    patchOperations[].op      PatchOperations[].Op      PatchOperations[].Op
    MD5OfMessageBody          MD5OfMessageBody          Md5OfMessageBody
    DBInstanceIdentifier      DBInstanceIdentifier      DbInstanceIdentifier

Sources: the two generations of the AWS SDK for Java (member naming); recorded: test_aws_sdk_task_service.
"""

from __future__ import annotations

from collections.abc import Callable

Naming = Callable[[str], str]


def first_generation_name(member: str) -> str:
    """``clusterArn`` is ``ClusterArn``; nothing else changes."""
    return member[:1].upper() + member[1:]


def sdk_name(member: str) -> str:
    """The member's name in the SDK for Java 2.x with a capital: ``DBInstanceIdentifier`` is ``DbInstanceIdentifier``.

    A run of capitals becomes lower case, except that the last one stays if a lower-case letter follows.
    """
    end = 1
    while end < len(member) and member[end].isupper() and not (end + 1 < len(member) and member[end + 1].islower()):
        end += 1
    lowered = member[:end].lower() + member[end:]
    return lowered[:1].upper() + lowered[1:]
