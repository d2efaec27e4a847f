"""Managed policies of the account: creating, versions, tags.

A policy's document::

    name, path, id, arn, created, updated, attachments   always; attachments is how many roles have it
    description                                           when given
    default     id of the version in force
    next        number of the next version
    versions    {id: {"document": text, "created": seconds}}
    tags        {key: value}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.services.iam.grammar import check_policy
from stepwell.services.iam.paging import page
from stepwell.services.iam.roles import Answer, everything, merged_tags, tag_list, tag_page, tags_from
from stepwell.services.iam.shelf import POLICY, Shelf, changed, conflict, create, missing, too_many
from stepwell.storage.documents import Delete, Document, Put

VERSIONS = 5  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


async def create_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    name, path, now = params["PolicyName"], params.get("Path", "/"), shelf.clock.now()
    check_policy(params["PolicyDocument"])
    body: dict[str, Any] = {
        "name": name,
        "path": path,
        "id": shelf.unique_id("ANPA"),
        "arn": scope.arn("iam", f"policy{path}{name}"),
        "created": now,
        "updated": now,
        "attachments": 0,
        "default": "v1",
        "next": 2,
        "versions": {"v1": {"document": params["PolicyDocument"], "created": now}},
        "tags": tags_from(params.get("Tags", ())),
    }
    if "Description" in params:
        body["description"] = params["Description"]
    taken = f"A policy called {name} already exists. Duplicate names are not allowed."
    await create(shelf, Put(scope, POLICY, name.lower(), body, expect=0), taken)
    shape = policy_shape(body)
    shape.pop("Description", None)  # CreatePolicy leaves it out (API reference, type Policy)
    return {"Policy": shape}


async def get_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    return {"Policy": policy_shape((await shelf.policy(scope, params["PolicyArn"])).body)}


async def list_policies(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Customer-managed policies; AWS's own are not kept here, so ``Scope=AWS`` is an empty list."""
    prefix, only_attached = params.get("PathPrefix", "/"), params.get("OnlyAttached", False)
    wanted = [] if params.get("Scope") == "AWS" else await everything(shelf, scope, POLICY)
    rows = [
        (p.key, p) for p in wanted if p.body["path"].startswith(prefix) and (p.body["attachments"] or not only_attached)
    ]
    return page(rows, params, "Policies", _listed)


def _listed(policy: Document) -> dict[str, Any]:
    shape = policy_shape(policy.body)
    return {k: v for k, v in shape.items() if k not in {"Description", "Tags"}}


async def delete_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    if policy.body["attachments"]:
        raise conflict("Cannot delete a policy attached to entities.")
    if len(policy.body["versions"]) > 1:
        raise conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy."
        )
    await shelf.documents.write([Delete(scope, POLICY, policy.key, expect=policy.version)])
    return {}


# ------------------------------------------------------------------------------------------------------- versions


async def create_version(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy, now = await shelf.policy(scope, params["PolicyArn"]), shelf.clock.now()
    check_policy(params["PolicyDocument"])
    body = policy.body
    if len(body["versions"]) >= VERSIONS:
        raise too_many(
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
            "existing version."
        )
    name = f"v{body['next']}"
    version = {"document": params["PolicyDocument"], "created": now}
    put = changed(
        scope,
        POLICY,
        policy,
        versions={**body["versions"], name: version},
        next=body["next"] + 1,
        updated=now,
        default=name if params.get("SetAsDefault") else body["default"],
    )
    await shelf.documents.write([put])
    shape = version_shape(put.body, name)
    del shape["Document"]
    return {"PolicyVersion": shape}


async def get_version(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    _must_have(policy, params["VersionId"])
    return {"PolicyVersion": version_shape(policy.body, params["VersionId"])}


async def list_versions(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    newest_first = sorted(policy.body["versions"], key=lambda name: int(name[1:]), reverse=True)
    rows = [(f"{place:06d}", version_shape(policy.body, name)) for place, name in enumerate(newest_first)]
    return page(rows, params, "Versions", lambda shape: {k: v for k, v in shape.items() if k != "Document"})


async def set_default(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    _must_have(policy, params["VersionId"])
    await shelf.documents.write([changed(scope, POLICY, policy, default=params["VersionId"])])
    return {}


async def delete_version(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy, name = await shelf.policy(scope, params["PolicyArn"]), params["VersionId"]
    _must_have(policy, name)
    if name == policy.body["default"]:
        raise conflict("Cannot delete the default version of a policy.")
    versions = {k: v for k, v in policy.body["versions"].items() if k != name}
    await shelf.documents.write([changed(scope, POLICY, policy, versions=versions)])
    return {}


def _must_have(policy: Document, version: str) -> None:
    if version not in policy.body["versions"]:
        raise missing(f"Policy {policy.body['arn']} version {version} does not exist or is not attachable.")


# ----------------------------------------------------------------------------------------------- tags and shapes


async def tag_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    tags = merged_tags(policy.body["tags"], params["Tags"])
    await shelf.documents.write([changed(scope, POLICY, policy, tags=tags)])
    return {}


async def untag_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    policy = await shelf.policy(scope, params["PolicyArn"])
    tags = {k: v for k, v in policy.body["tags"].items() if k not in params["TagKeys"]}
    await shelf.documents.write([changed(scope, POLICY, policy, tags=tags)])
    return {}


async def list_tags(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    return tag_page((await shelf.policy(scope, params["PolicyArn"])).body["tags"], params)


def policy_shape(body: Mapping[str, Any]) -> dict[str, Any]:
    shape = {
        "PolicyName": body["name"],
        "PolicyId": body["id"],
        "Arn": body["arn"],
        "Path": body["path"],
        "DefaultVersionId": body["default"],
        "AttachmentCount": body["attachments"],
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": body["created"],
        "UpdateDate": body["updated"],
    }
    if "description" in body:
        shape["Description"] = body["description"]
    if body["tags"]:
        shape["Tags"] = tag_list(body["tags"])
    return shape


def version_shape(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    version = body["versions"][name]
    return {
        "Document": quote(version["document"], safe=""),
        "VersionId": name,
        "IsDefaultVersion": name == body["default"],
        "CreateDate": version["created"],
    }
