"""The canonical form of a request and its signature: the arithmetic of Signature Version 4.

Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from stepwell.wire.http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
UNRESERVED = "-_.~"
S3 = "s3"  # alone signs the path as it is, neither normalised nor encoded again


def canonical_request(request: Request, names: list[str], service: str, *, presigned: bool) -> str:
    """What is signed of a request: ``names`` are the signed headers, lower-case, in the order the signer gave."""
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path, service),
            _canonical_query(request.query),
            headers,
            ";".join(names),
            _payload_hash(request, service, presigned),
        )
    )


def _canonical_path(path: str, service: str) -> str:
    """The path encoded once more than sent, "." and ".." resolved and empty parts dropped; S3's as it is."""
    if service == S3:
        return path or "/"
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part and part != ".":
            kept.append(part)
    tail = "/" if kept and path.endswith("/") else ""
    return "/" + quote("/".join(kept), safe=UNRESERVED + "/") + tail


def _canonical_query(query: str) -> str:
    """Names and values decoded and encoded again in AWS's way, sorted; without the signature itself."""
    pairs = []
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            pairs.append((_encode_again(name), _encode_again(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encode_again(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=UNRESERVED)


def _payload_hash(request: Request, service: str, presigned: bool) -> str:
    if presigned and service == S3:
        return UNSIGNED_PAYLOAD
    if request.headers.get("x-amz-content-sha256") == UNSIGNED_PAYLOAD:
        return UNSIGNED_PAYLOAD
    return hashlib.sha256(request.body).hexdigest()


def signature(canonical: str, secret: str, scope: tuple[str, str, str], stamp: str) -> str:
    """The signature in hex; ``scope`` is (date, region, service), ``stamp`` the time as ``20260101T000000Z``."""
    scope_text = "/".join((*scope, TERMINATOR))
    digest = hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()
    text = f"{ALGORITHM}\n{stamp}\n{scope_text}\n{digest}"
    key = _signing_key(secret, *scope)
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service: four HMACs that need not be repeated for each request."""
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("utf-8", "replace"), "sha256")
    return key
