"""AWS Signature Version 4: who signed a request, and whether the signature is theirs.

A signature stands in the Authorization header or, in a presigned URL, in the query string::

    AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/states/aws4_request, SignedHeaders=host;x-amz-date, Signature=hex

``credential`` only reads it (mode "open"); ``verify`` checks it (mode "keys"). The checks run in AWS's order, with its
texts. Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import re
from calendar import timegm
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from stepwell.kernel.errors import ServiceError
from stepwell.wire.canonical import ALGORITHM, TERMINATOR, canonical_request, signature
from stepwell.wire.http import Request

SKEW_SECONDS = 900
PRESIGNED_SECONDS = 604_800  # one week, the longest X-Amz-Expires

_CREDENTIAL = re.compile(r"[\s,]Credential=([^\s,]+)")
_BASIC_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_HEADER_PARTS = ("Credential", "Signature", "SignedHeaders")
_QUERY_PARTS = {
    "Credential": "X-Amz-Credential",
    "Signature": "X-Amz-Signature",
    "SignedHeaders": "X-Amz-SignedHeaders",
}
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential scope of a signature, unchecked."""

    access_key: str
    date: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed a request, proven.

    ``session_token`` was signed too, but whether it belongs to the key and still holds is for its issuer to say.
    """

    access_key: str
    region: str
    service: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a request says about its signature; the parts may be missing (empty)."""

    algorithm: str
    credential: str
    signed_headers: str
    signature: str
    date: str
    presigned: bool
    expires: str = ""
    session_token: str | None = None


def credential(request: Request) -> Credential | None:
    """The credential a request claims, unchecked; None if it is unsigned or its credential cannot be read."""
    header = request.headers.get("authorization")
    if header is not None:
        match = _CREDENTIAL.search(header)
        text = match.group(1) if match else ""
    elif "X-Amz-Credential=" in request.query:
        text = _query(request).get("X-Amz-Credential", "")
    else:
        return None
    return _credential(text)


@lru_cache(maxsize=1_024)  # the same for all requests of a client on one day
def _credential(text: str) -> Credential | None:
    parts = text.split("/")
    return Credential(*parts[:4]) if len(parts) == 5 else None


def verify(request: Request, secret_for: Callable[[str], str | None], now: float) -> Identity:
    """Check the signature of a request. ``secret_for`` gives the secret of an access key, ``now`` is in seconds.

    Raises ServiceError with the JSON protocols' codes, all 400: MissingAuthenticationTokenException,
    IncompleteSignatureException, InvalidSignatureException, UnrecognizedClientException. The query protocol sends other
    codes and 403 for them (``errors.QUERY_CODES``).
    """
    claim = _claim(request)
    signed_at = _moment(claim.date)
    _check_time(claim, signed_at, now)
    names = claim.signed_headers.lower().split(";")
    _check_signed_headers(request, names)
    if claim.algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{claim.algorithm}' (only {ALGORITHM} for now). ")
    scope = _scope(claim.credential, signed_at)
    secret = secret_for(scope.access_key)
    if secret is None:
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
    canonical = canonical_request(request, names, scope.service, presigned=claim.presigned)
    expected = signature(canonical, secret, (scope.date, scope.region, scope.service), _stamp(signed_at))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode("utf-8", "replace")):
        raise _invalid(_MISMATCH)
    return Identity(scope.access_key, scope.region, scope.service, claim.session_token)


def _claim(request: Request) -> _Signature:
    """Read the signature's parts from wherever they stand; complains about all missing ones at once."""
    if "authorization" in request.headers:
        return _claim_of_header(request)
    query = _query(request)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _claim_of_query(query)
    raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")


def _claim_of_header(request: Request) -> _Signature:
    text = request.headers["authorization"].strip()
    algorithm, _, rest = text.partition(" ")
    if not algorithm.startswith("AWS4-"):
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts: dict[str, str] = {}
    for item in filter(None, re.split(r"[\s,]+", rest)):
        name, equals, value = item.partition("=")
        if not equals:
            raise _incomplete(
                f"'{item}' not a valid key=value pair (missing equal-sign) in Authorization header: '{text}'."
            )
        parts.setdefault(name, value)  # of a part given twice the first counts, as in ``credential``
    date = request.headers.get("x-amz-date") or request.headers.get("date") or ""
    missing = [f"Authorization header requires '{name}' parameter." for name in _HEADER_PARTS if not parts.get(name)]
    if not date:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise _incomplete(f"{' '.join(missing)} Authorization={algorithm}")
    return _Signature(
        algorithm=algorithm,
        credential=parts["Credential"],
        signed_headers=parts["SignedHeaders"],
        signature=parts["Signature"],
        date=date,
        presigned=False,
        session_token=request.headers.get("x-amz-security-token"),
    )


def _claim_of_query(query: dict[str, str]) -> _Signature:
    needed = (*_QUERY_PARTS.values(), "X-Amz-Algorithm", "X-Amz-Date")
    missing = [f"AWS query-string parameters must include '{name}'." for name in needed if not query.get(name)]
    if missing:
        raise _incomplete(" ".join(missing))
    return _Signature(
        algorithm=query["X-Amz-Algorithm"],
        credential=query["X-Amz-Credential"],
        signed_headers=query["X-Amz-SignedHeaders"],
        signature=query["X-Amz-Signature"],
        date=query["X-Amz-Date"],
        presigned=True,
        expires=query.get("X-Amz-Expires", str(SKEW_SECONDS)),
        session_token=query.get("X-Amz-Security-Token"),
    )


def _check_time(claim: _Signature, signed_at: int, now: float) -> None:
    life = SKEW_SECONDS
    if claim.presigned:
        if not (claim.expires.isascii() and claim.expires.isdigit()) or int(claim.expires[:9]) > PRESIGNED_SECONDS:
            raise _incomplete(
                f"X-Amz-Expires must be a number of seconds up to {PRESIGNED_SECONDS}, got '{claim.expires}'."
            )
        life = int(claim.expires)
    here = int(now)
    if signed_at + life < here:
        limit = f"{_stamp(here - life)} ({_stamp(here)} - {_duration(life)}.)"
        raise _invalid(f"Signature expired: {_stamp(signed_at)} is now earlier than {limit}")
    if signed_at - SKEW_SECONDS > here:
        limit = f"{_stamp(here + SKEW_SECONDS)} ({_stamp(here)} + {_duration(SKEW_SECONDS)}.)"
        raise _invalid(f"Signature not yet current: {_stamp(signed_at)} is still later than {limit}")


def _check_signed_headers(request: Request, names: Iterable[str]) -> None:
    """Host and all x-amz-* headers of a request must be signed, or they could be changed on the way."""
    signed = set(names)
    if not signed & {"host", ":authority"}:
        raise _invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signed:
            raise _invalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _scope(text: str, signed_at: int) -> Credential:
    parts = text.rstrip("/").split("/")
    if len(parts) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{text}'"
        )
    access_key, date, region, service, terminator = parts
    wrong = []
    if terminator != TERMINATOR:
        wrong.append(f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'.")
    stamp = _stamp(signed_at)
    if date != stamp[:8]:
        wrong.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{stamp[:8]}', from '{stamp}'."
        )
    if wrong:
        raise _invalid(" ".join(wrong))
    return Credential(access_key, date, region, service)


def _query(request: Request) -> dict[str, str]:
    """The query string as a mapping; a plus sign stays one, as in AWS's canonical form."""
    found = {}
    for part in request.query.split("&"):
        name, _, value = part.partition("=")
        found[name] = unquote_to_bytes(value).decode("utf-8", "replace")
    return found


def _moment(text: str) -> int:
    """Seconds since the epoch of ``20260101T000000Z``, or of an HTTP date (the Date header)."""
    try:
        if _BASIC_DATE.fullmatch(text):
            return timegm(datetime.strptime(text, "%Y%m%dT%H%M%SZ").timetuple())
        return timegm(parsedate_to_datetime(text).utctimetuple())
    except (ValueError, TypeError, OverflowError, IndexError):
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None


def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(max(0, moment), UTC).strftime("%Y%m%dT%H%M%SZ")


def _duration(seconds: int) -> str:
    return f"{seconds} sec" if seconds % 60 else f"{seconds // 60} min"


def _incomplete(message: str) -> ServiceError:
    return ServiceError("IncompleteSignatureException", message)


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidSignatureException", message)
