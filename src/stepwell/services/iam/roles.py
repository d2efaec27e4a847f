"""Roles, their inline policies and their tags.

A role's document::

    name, path, id, arn, created, trust, max_session   always
    description, boundary                               when given
    tags        {key: value}
    inline      {policy name: text}
    attached    {policy arn: policy name}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import Params
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.limits import TAGS
from stepwell.services.iam.grammar import check_policy, check_trust
from stepwell.services.iam.paging import page
from stepwell.services.iam.shelf import ROLE, Shelf, changed, conflict, create, missing, too_many
from stepwell.storage.documents import Delete, Document, Put

SESSION_SECONDS = 3_600
Answer = dict[str, Any]


async def create_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    name, path = params["RoleName"], params.get("Path", "/")
    check_trust(params["AssumeRolePolicyDocument"])
    body: dict[str, Any] = {
        "name": name,
        "path": path,
        "id": shelf.unique_id("AROA"),
        "arn": scope.arn("iam", f"role{path}{name}"),
        "created": shelf.clock.now(),
        "trust": params["AssumeRolePolicyDocument"],
        "max_session": params.get("MaxSessionDuration", SESSION_SECONDS),
        "tags": tags_from(params.get("Tags", ())),
        "inline": {},
        "attached": {},
    }
    body |= {ours: params[theirs] for ours, theirs in _OPTIONAL.items() if theirs in params}
    await create(shelf, Put(scope, ROLE, name.lower(), body, expect=0), f"Role with name {name} already exists.")
    return {"Role": role_shape(body)}


_OPTIONAL = {"description": "Description", "boundary": "PermissionsBoundary"}


async def get_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    return {"Role": {**role_shape(role.body), "RoleLastUsed": {}}}


async def list_roles(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Without tags, as AWS lists them (API reference, ListRoles)."""
    prefix = params.get("PathPrefix", "/")
    roles = [(r.key, r) for r in await everything(shelf, scope, ROLE) if r.body["path"].startswith(prefix)]
    return page(roles, params, "Roles", lambda r: role_shape({**r.body, "tags": {}}))


async def update_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    new: dict[str, Any] = {"max_session": params.get("MaxSessionDuration", SESSION_SECONDS)}
    if "Description" in params:
        new["description"] = params["Description"]
    await shelf.documents.write([changed(scope, ROLE, role, **new)])
    return {}


async def update_description(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    put = changed(scope, ROLE, role, description=params["Description"])
    await shelf.documents.write([put])
    return {"Role": role_shape(put.body)}


async def update_trust(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    check_trust(params["PolicyDocument"])
    await shelf.documents.write([changed(scope, ROLE, role, trust=params["PolicyDocument"])])
    return {}


async def delete_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    if role.body["attached"]:
        raise conflict("Cannot delete entity, must detach all policies first.")
    if role.body["inline"]:
        raise conflict("Cannot delete entity, must delete policies first.")
    await shelf.documents.write([Delete(scope, ROLE, role.key, expect=role.version)])
    return {}


# ------------------------------------------------------------------------------------------------ inline policies


async def put_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    check_policy(params["PolicyDocument"])
    inline = {**role.body["inline"], params["PolicyName"]: params["PolicyDocument"]}
    await shelf.documents.write([changed(scope, ROLE, role, inline=inline)])
    return {}


async def get_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role, name = await shelf.role(scope, params["RoleName"]), params["PolicyName"]
    document = _inline(role, name)[name]
    return {"RoleName": role.body["name"], "PolicyName": name, "PolicyDocument": quote(document, safe="")}


async def delete_policy(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role, name = await shelf.role(scope, params["RoleName"]), params["PolicyName"]
    inline = {k: v for k, v in _inline(role, name).items() if k != name}
    await shelf.documents.write([changed(scope, ROLE, role, inline=inline)])
    return {}


async def list_policies(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    return page([(name, name) for name in sorted(role.body["inline"])], params, "PolicyNames", str)


def _inline(role: Document, name: str) -> dict[str, str]:
    inline: dict[str, str] = role.body["inline"]
    if name not in inline:
        raise missing(f"The role policy with name {name} cannot be found.")
    return inline


# ----------------------------------------------------------------------------------------- tags, instance profiles


async def tag_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    tags = merged_tags(role.body["tags"], params["Tags"])
    await shelf.documents.write([changed(scope, ROLE, role, tags=tags)])
    return {}


async def untag_role(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    tags = {k: v for k, v in role.body["tags"].items() if k not in params["TagKeys"]}
    await shelf.documents.write([changed(scope, ROLE, role, tags=tags)])
    return {}


async def list_tags(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    role = await shelf.role(scope, params["RoleName"])
    return tag_page(role.body["tags"], params)


async def list_instance_profiles(shelf: Shelf, params: Params, scope: Scope) -> Answer:
    """Always empty: there are no instance profiles here; Terraform asks before it deletes a role."""
    await shelf.role(scope, params["RoleName"])
    return {"InstanceProfiles": [], "IsTruncated": False}


# ------------------------------------------------------------------------------------------------- shapes and help


async def everything(shelf: Shelf, scope: Scope, kind: str) -> list[Document]:
    """All documents of a kind, in key order."""
    found: list[Document] = []
    while batch := await shelf.documents.list(scope, kind, after=found[-1].key if found else None, limit=1_000):
        found += batch
    return found


def role_shape(body: Mapping[str, Any]) -> dict[str, Any]:
    """A role as the API shows it; policy texts are URL-encoded (API reference, GetRole)."""
    shape = {
        "Path": body["path"],
        "RoleName": body["name"],
        "RoleId": body["id"],
        "Arn": body["arn"],
        "CreateDate": body["created"],
        "AssumeRolePolicyDocument": quote(body["trust"], safe=""),
        "MaxSessionDuration": body["max_session"],
    }
    if body.get("description"):
        shape["Description"] = body["description"]
    if "boundary" in body:
        shape["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": body["boundary"],
        }
    if body["tags"]:
        shape["Tags"] = tag_list(body["tags"])
    return shape


def tags_from(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Raises InvalidInput for a key given twice, LimitExceeded for more than 50."""
    keys = [tag["Key"].lower() for tag in tags]
    if len(set(keys)) < len(keys):
        raise ServiceError("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return merged_tags({}, tags)


def merged_tags(old: Mapping[str, str], tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    new = {**old, **{tag["Key"]: tag["Value"] for tag in tags}}
    if len(new) > TAGS:
        raise too_many(f"Cannot exceed quota for TagsPerResource: {TAGS}")
    return new


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_page(tags: Mapping[str, str], params: Params) -> Answer:
    """One page of ListRoleTags or ListPolicyTags."""
    return page([(key, (key, value)) for key, value in sorted(tags.items())], params, "Tags", _tag)


def _tag(pair: tuple[str, str]) -> dict[str, str]:
    return {"Key": pair[0], "Value": pair[1]}
