"""The embedded service: which operation is which function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext, Params
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import Ids
from stepwell.services.iam import attaching, policies, roles
from stepwell.services.iam.shelf import Shelf, account_of, repeated
from stepwell.storage.documents import Documents

Operation = Callable[[Shelf, Params, Scope], Awaitable[dict[str, Any]]]

OPERATIONS: dict[str, Operation] = {
    "CreateRole": roles.create_role,
    "GetRole": roles.get_role,
    "ListRoles": roles.list_roles,
    "UpdateRole": roles.update_role,
    "UpdateRoleDescription": roles.update_description,
    "UpdateAssumeRolePolicy": roles.update_trust,
    "DeleteRole": roles.delete_role,
    "PutRolePolicy": roles.put_policy,
    "GetRolePolicy": roles.get_policy,
    "DeleteRolePolicy": roles.delete_policy,
    "ListRolePolicies": roles.list_policies,
    "TagRole": roles.tag_role,
    "UntagRole": roles.untag_role,
    "ListRoleTags": roles.list_tags,
    "ListInstanceProfilesForRole": roles.list_instance_profiles,
    "AttachRolePolicy": attaching.attach,
    "DetachRolePolicy": attaching.detach,
    "ListAttachedRolePolicies": attaching.list_attached,
    "CreatePolicy": policies.create_policy,
    "GetPolicy": policies.get_policy,
    "ListPolicies": policies.list_policies,
    "DeletePolicy": policies.delete_policy,
    "CreatePolicyVersion": policies.create_version,
    "GetPolicyVersion": policies.get_version,
    "ListPolicyVersions": policies.list_versions,
    "SetDefaultPolicyVersion": policies.set_default,
    "DeletePolicyVersion": policies.delete_version,
    "TagPolicy": policies.tag_policy,
    "UntagPolicy": policies.untag_policy,
    "ListPolicyTags": policies.list_tags,
}


class Iam:
    """IAM over stored documents."""

    name = "iam"

    def __init__(self, documents: Documents, clock: Clock, ids: Ids) -> None:
        self._shelf = Shelf(documents, clock, ids)

    async def call(self, operation: str, params: Params, context: CallContext) -> dict[str, Any]:
        """Raises ServiceError with IAM's codes; InvalidAction for an operation that is not served."""
        function = OPERATIONS.get(operation)
        if function is None:
            raise ServiceError("InvalidAction", f"iam {operation} is not supported yet by this version of Stepwell.")
        return await repeated(lambda: function(self._shelf, params, account_of(context.scope)))
