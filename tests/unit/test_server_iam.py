"""Roles and policies as clients create them before they use other services; and who the caller is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest

from stepwell.kernel.arns import Scope
from stepwell.kernel.caller import CallContext
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import ServiceError
from stepwell.kernel.ids import SeededIds
from stepwell.services.iam import Iam
from stepwell.services.iam.service import OPERATIONS
from stepwell.services.sts import SecurityTokens
from stepwell.storage.bundle import open_storage
from stepwell.wire.models import Models
from stepwell.wire.protocols import PROTOCOLS

TRUST = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)
POLICY = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
CONTEXT = CallContext(scope=Scope("aws", "eu-west-1", "123456789012"))
MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"


class Client:
    """Calls the service; each answer also goes through the wire's writer, which knows the shapes."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam
        self._models = Models()

    async def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        answer = await self._iam.call(operation, params, CONTEXT)
        model = self._models.operation("iam", operation)
        assert set(answer) <= set(model.output_shape.members if model.output_shape else ())
        assert PROTOCOLS["query"].reply(model, answer, "r").status == 200
        return answer

    async def role(self, name: str = "worker", **params: Any) -> dict[str, Any]:
        answer = await self("CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST, **params)
        role: dict[str, Any] = answer["Role"]
        return role


@pytest.fixture
async def iam() -> AsyncIterator[Client]:
    storage = await open_storage("sqlite::memory:")
    yield Client(Iam(storage.documents, ManualClock(), SeededIds()))
    await storage.close()


async def refused(call: Any) -> tuple[str, int, str]:
    with pytest.raises(ServiceError) as caught:
        await call
    return caught.value.code, caught.value.status, caught.value.message


async def test_a_role_is_returned_as_it_was_created(iam: Client) -> None:
    made = await iam.role(Path="/team/", Description="d", MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "1"}])
    assert made["Arn"] == "arn:aws:iam::123456789012:role/team/worker"
    assert made["RoleId"].startswith("AROA")
    assert len(made["RoleId"]) == 21
    assert json.loads(unquote(made["AssumeRolePolicyDocument"])) == json.loads(TRUST)
    assert (await iam("GetRole", RoleName="WORKER"))["Role"] == {**made, "RoleLastUsed": {}}
    listed = (await iam("ListRoles", PathPrefix="/team"))["Roles"]
    assert listed == [{k: v for k, v in made.items() if k != "Tags"}]
    assert (await iam("ListRoles", PathPrefix="/other/"))["Roles"] == []


async def test_names_are_taken_and_missing_in_the_words_of_iam(iam: Client) -> None:
    await iam.role()
    assert await refused(iam.role("Worker")) == ("EntityAlreadyExists", 409, "Role with name Worker already exists.")
    assert await refused(iam("GetRole", RoleName="x")) == ("NoSuchEntity", 404, "The role with name x cannot be found.")
    assert await refused(iam("GetRolePolicy", RoleName="worker", PolicyName="p")) == (
        "NoSuchEntity",
        404,
        "The role policy with name p cannot be found.",
    )


async def test_roles_are_listed_page_by_page(iam: Client) -> None:
    for name in "dacb":
        await iam.role(name)
    first = await iam("ListRoles", MaxItems=3)
    assert [r["RoleName"] for r in first["Roles"]] == ["a", "b", "c"]
    assert first["IsTruncated"] is True
    second = await iam("ListRoles", MaxItems=3, Marker=first["Marker"])
    assert [r["RoleName"] for r in second["Roles"]] == ["d"]
    assert second["IsTruncated"] is False
    assert (await refused(iam("ListRoles", Marker="\u00e9")))[0] == "ValidationError"


async def test_a_role_can_be_changed(iam: Client) -> None:
    await iam.role()
    await iam("UpdateRole", RoleName="worker", Description="new", MaxSessionDuration=9000)
    other = TRUST.replace("states", "events")
    await iam("UpdateAssumeRolePolicy", RoleName="worker", PolicyDocument=other)
    role = (await iam("GetRole", RoleName="worker"))["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("new", 9000)
    assert unquote(role["AssumeRolePolicyDocument"]) == other


async def test_inline_policies_come_and_go_and_keep_a_role_alive(iam: Client) -> None:
    await iam.role()
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=POLICY)
    assert (await iam("ListRolePolicies", RoleName="worker"))["PolicyNames"] == ["p"]
    got = await iam("GetRolePolicy", RoleName="worker", PolicyName="p")
    assert unquote(got["PolicyDocument"]) == POLICY
    assert (await refused(iam("DeleteRole", RoleName="worker")))[:2] == ("DeleteConflict", 409)
    await iam("DeleteRolePolicy", RoleName="worker", PolicyName="p")
    await iam("DeleteRole", RoleName="worker")
    assert (await refused(iam("GetRole", RoleName="worker")))[0] == "NoSuchEntity"


async def test_attached_policies_are_counted(iam: Client) -> None:
    await iam.role()
    arn = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=POLICY, Path="/a/"))["Policy"]["Arn"]
    for policy in (arn, arn, MANAGED):
        await iam("AttachRolePolicy", RoleName="worker", PolicyArn=policy)
    assert (await iam("ListAttachedRolePolicies", RoleName="worker"))["AttachedPolicies"] == [
        {"PolicyName": "p", "PolicyArn": arn},
        {"PolicyName": "AdministratorAccess", "PolicyArn": MANAGED},
    ]
    assert (await iam("ListAttachedRolePolicies", RoleName="worker", PathPrefix="/a/"))["AttachedPolicies"][0][
        "PolicyName"
    ] == "p"
    assert (await iam("GetPolicy", PolicyArn=arn))["Policy"]["AttachmentCount"] == 1
    assert (await refused(iam("DeletePolicy", PolicyArn=arn)))[0] == "DeleteConflict"
    assert (await refused(iam("DeleteRole", RoleName="worker")))[2] == (
        "Cannot delete entity, must detach all policies first."
    )
    for policy in (arn, MANAGED):
        await iam("DetachRolePolicy", RoleName="worker", PolicyArn=policy)
    assert (await refused(iam("DetachRolePolicy", RoleName="worker", PolicyArn=arn)))[0] == "NoSuchEntity"
    await iam("DeletePolicy", PolicyArn=arn)
    await iam("DeleteRole", RoleName="worker")
    assert await refused(iam("GetPolicy", PolicyArn=arn)) == ("NoSuchEntity", 404, f"Policy {arn} was not found.")


async def test_attaching_a_policy_that_is_not_there_is_refused(iam: Client) -> None:
    await iam.role()
    arn = "arn:aws:iam::123456789012:policy/x"
    code, _, message = await refused(iam("AttachRolePolicy", RoleName="worker", PolicyArn=arn))
    assert (code, message) == ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


async def test_a_policy_has_up_to_five_versions(iam: Client) -> None:
    arn = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=POLICY, Description="d"))["Policy"]["Arn"]
    for _ in range(4):
        await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True)
    assert (await refused(iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)))[0] == "LimitExceeded"
    versions = (await iam("ListPolicyVersions", PolicyArn=arn))["Versions"]
    assert [v["VersionId"] for v in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [v["VersionId"] for v in versions if v["IsDefaultVersion"]] == ["v5"]
    assert (await refused(iam("DeletePolicy", PolicyArn=arn)))[0] == "DeleteConflict"
    assert (await refused(iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v5")))[0] == "DeleteConflict"
    await iam("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v1")
    for version in ("v2", "v3", "v4", "v5"):
        await iam("DeletePolicyVersion", PolicyArn=arn, VersionId=version)
    assert (
        unquote((await iam("GetPolicyVersion", PolicyArn=arn, VersionId="v1"))["PolicyVersion"]["Document"]) == POLICY
    )
    assert (await refused(iam("GetPolicyVersion", PolicyArn=arn, VersionId="v9")))[0] == "NoSuchEntity"
    assert (await iam("ListPolicies", Scope="Local"))["Policies"][0]["DefaultVersionId"] == "v1"
    assert (await iam("ListPolicies", Scope="AWS"))["Policies"] == []
    await iam("DeletePolicy", PolicyArn=arn)


async def test_tags_of_roles_and_policies(iam: Client) -> None:
    await iam.role()
    arn = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=POLICY))["Policy"]["Arn"]
    for kind, key in (("Role", {"RoleName": "worker"}), ("Policy", {"PolicyArn": arn})):
        await iam(f"Tag{kind}", **key, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        await iam(f"Untag{kind}", **key, TagKeys=["a"])
        assert (await iam(f"List{kind}Tags", **key))["Tags"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": str(n), "Value": ""} for n in range(50)]
    assert (await refused(iam("TagRole", RoleName="worker", Tags=many)))[0] == "LimitExceeded"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        ('{"Statement": [{"Effect": "Maybe"}]}', "Syntax errors in policy."),
        (POLICY, "Has prohibited field Resource"),
        ('{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}', "Missing required field Principal"),
    ],
)
async def test_a_trust_policy_that_is_none_is_refused(iam: Client, document: str, message: str) -> None:
    call = iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=document)
    assert await refused(call) == ("MalformedPolicyDocument", 400, message)


async def test_a_permissions_policy_names_no_principal(iam: Client) -> None:
    code, _, _ = await refused(iam("CreatePolicy", PolicyName="p", PolicyDocument=TRUST))
    assert code == "MalformedPolicyDocument"


async def test_what_is_not_served_is_refused_by_name(iam: Client) -> None:
    code, status, message = await refused(iam("CreateUser", UserName="u"))
    assert (code, status) == ("InvalidAction", 400)
    assert "iam CreateUser" in message
    assert (await refused(SecurityTokens().call("AssumeRole", {}, CONTEXT)))[0] == "InvalidAction"


async def test_every_operation_is_one_of_iams() -> None:
    assert OPERATIONS.keys() <= set(Models().service("iam").operation_names)


async def test_the_caller_is_the_root_of_its_account() -> None:
    assert await SecurityTokens().call("GetCallerIdentity", {}, CONTEXT) == {
        "Account": "123456789012",
        "Arn": "arn:aws:iam::123456789012:root",
        "UserId": "123456789012",
    }
