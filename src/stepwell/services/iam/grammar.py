"""Is this text a policy document? The mistakes clients make, with AWS's words for them.

Source of the words: messages quoted in public issues of aws-cli, terraform and external-dns. IAM's full grammar is not
checked, because nothing is enforced by a policy here.
"""

from __future__ import annotations

from typing import Any

from stepwell.kernel.errors import JsonSyntaxError, ServiceError
from stepwell.kernel.jsontext import loads


def check_policy(text: str) -> None:
    """A permissions policy. Raises MalformedPolicyDocument."""
    for statement in _statements(text):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise _malformed("Policy document should not specify a principal.")
        if not {"Action", "NotAction"} & statement.keys():
            raise _malformed("Policy statement must contain actions.")
        if not {"Resource", "NotResource"} & statement.keys():
            raise _malformed("Policy statement must contain resources.")


def check_trust(text: str) -> None:
    """Who may assume a role. Raises MalformedPolicyDocument."""
    for statement in _statements(text):
        if {"Resource", "NotResource"} & statement.keys():
            raise _malformed("Has prohibited field Resource")
        if not {"Principal", "NotPrincipal"} & statement.keys():
            raise _malformed("Missing required field Principal")
        if not {"Action", "NotAction"} & statement.keys():
            raise _malformed("Missing required field Action")


def _statements(text: str) -> list[dict[str, Any]]:
    try:
        document = loads(text)
    except JsonSyntaxError:
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict):
        raise _malformed("Syntax errors in policy.")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(s, dict) for s in statements):
        raise _malformed("Syntax errors in policy.")
    if any(s.get("Effect") not in {"Allow", "Deny"} for s in statements):
        raise _malformed("Syntax errors in policy.")
    return statements


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message)
