"""Managed policies attached to roles.

AWS's own policies (``arn:aws:iam::aws:policy/...``) may be attached by any name; the account's own must exist, and
count how many roles have them, in the same write.
"""

from __future__ import annotations

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.services.iam.paging import page
from stepwell.services.iam.roles import Answer
from stepwell.services.iam.shelf import POLICY, ROLE, Shelf, changed, missing, too_many
from stepwell.storage.documents import Put

ATTACHED = 10  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
UNATTACHABLE = "Policy {} does not exist or is not attachable."


async def attach(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Attaching what is attached already changes nothing (API reference, AttachRolePolicy)."""
    arn = params["PolicyArn"]
    role = await shelf.role(scope, params["RoleName"])
    attached = role.body["attached"]
    counted = await _counted(shelf, scope, arn, +1, UNATTACHABLE)
    if arn in attached:
        return {}
    if len(attached) >= ATTACHED:
        raise too_many(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}")
    name = arn.rsplit("/", 1)[-1]
    await shelf.documents.write([changed(scope, ROLE, role, attached={**attached, arn: name}), *counted])
    return {}


async def detach(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    arn = params["PolicyArn"]
    role = await shelf.role(scope, params["RoleName"])
    if arn not in role.body["attached"]:
        raise missing(f"Policy {arn} was not found.")
    counted = await _counted(shelf, scope, arn, -1, "Policy {} was not found.")
    left = {k: v for k, v in role.body["attached"].items() if k != arn}
    await shelf.documents.write([changed(scope, ROLE, role, attached=left), *counted])
    return {}


async def list_attached(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    prefix = params.get("PathPrefix", "/")
    rows = [
        (arn, {"PolicyName": name, "PolicyArn": arn})
        for arn, name in sorted(role.body["attached"].items())
        if _path(arn).startswith(prefix)
    ]
    return page(rows, params, "AttachedPolicies", dict)


def _path(arn: str) -> str:
    """``/team/`` of ``arn:aws:iam::1:policy/team/name``."""
    return "/" + arn.split(":policy/", 1)[-1].rpartition("/")[0].strip("/") + "/"


async def _counted(shelf: Shelf, scope: Scope, arn: str, step: int, message: str) -> list[Put]:
    """The write that counts an attachment of a policy of this account; none for AWS's own."""
    if arn.startswith(f"arn:{scope.partition}:iam::aws:policy/"):
        return []
    policy = await shelf.policy(scope, arn, message)
    return [changed(scope, POLICY, policy, attachments=policy.body["attachments"] + step)]
