"""Signatures: botocore's signers against our check, and every way to be refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from stepwell.kernel.errors import ServiceError
from stepwell.wire.http import Request
from stepwell.wire.sigv4 import Identity, credential, verify

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIGNED_AT = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
NOW = SIGNED_AT.timestamp()
HOST = "127.0.0.1:4566"
SECRETS = {KEY: SECRET, "other": "another secret"}.get
PATHS = [
    "/",
    "",
    "//",
    "/a/../b/./c//d/",
    "/%20space%2Fslash/%C3%BC",
    "/plus+and*star~tilde-._",
    "/..",
    "/a/b/..",
    "/a:b@c,d;e=f!$&'()",
    "/100%25",
]
QUERIES: list[dict[str, str]] = [
    {},
    {"b": "2", "a": "1", "A": "0"},
    {"q": "a b+c&d=e%f/g?h", "empty": "", "ü": "☃~-._", "aa": "x", "a-a": "y"},
]


@pytest.fixture(autouse=True)
def botocore_signs_at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: SIGNED_AT.replace(tzinfo=None))


def signed(
    signer: Any,
    path: str = "/",
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
    method: str = "POST",
) -> Request:
    """The request as it would arrive, signed by botocore. The query string is put together as SDKs do it."""
    pairs = [f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in (params or {}).items()]
    url = f"http://{HOST}{path}" + (f"?{'&'.join(pairs)}" if pairs else "")
    made = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    signer.add_auth(made)
    arrived = {name.lower(): ",".join(made.headers.get_all(name)) for name in made.headers}
    split = urlsplit(made.url)
    return Request(method, split.path, split.query, {"host": HOST, **arrived}, body)


def header_signer(token: str | None = None, service: str = "states") -> SigV4Auth:
    return SigV4Auth(Credentials(KEY, SECRET, token), service, "eu-west-1")


def query_signer(token: str | None = None, service: str = "sts", expires: int = 60) -> SigV4QueryAuth:
    return SigV4QueryAuth(Credentials(KEY, SECRET, token), service, "eu-west-1", expires=expires)


def changed(request: Request, **changes: Any) -> Request:
    parts = {name: getattr(request, name) for name in ("method", "path", "query", "headers", "body")}
    return Request(**{**parts, **changes})


def with_headers(request: Request, **headers: str | None) -> Request:
    merged = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return changed(request, headers={name: value for name, value in merged.items() if value is not None})


def refused(request: Request, now: float = NOW) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        verify(request, SECRETS, now)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


MISMATCH = "InvalidSignatureException"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("params", QUERIES, ids=["none", "plain", "odd"])
def test_what_botocore_signs_in_headers_is_verified(path: str, params: dict[str, str]) -> None:
    request = signed(header_signer(), path, params)
    assert verify(request, SECRETS, NOW) == Identity(KEY, "eu-west-1", "states")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("params", QUERIES, ids=["none", "plain", "odd"])
def test_what_botocore_presigns_is_verified(path: str, params: dict[str, str]) -> None:
    request = signed(query_signer("token/+="), path, params, body=b"", method="GET")
    assert verify(request, SECRETS, NOW) == Identity(KEY, "eu-west-1", "sts", "token/+=")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Target": "AWSStepFunctions.StartExecution", "Content-Type": "application/x-amz-json-1.0"},
        {"X-Odd": "  many   spaces \t inside  ", "X-Empty": "", "X-Comma": "a, b,c"},
    ],
)
def test_headers_are_signed_with_their_spaces_collapsed(headers: dict[str, str]) -> None:
    assert verify(signed(header_signer("a-token"), headers=headers), SECRETS, NOW).session_token == "a-token"


def test_the_path_of_s3_is_signed_as_it_is_and_its_presigned_payload_not_at_all() -> None:
    for path in ("/bucket/a%20b//c/../d", "/bucket/%C3%BC+x"):
        request = signed(S3SigV4Auth(Credentials(KEY, SECRET), "s3", "eu-west-1"), path)
        assert verify(request, SECRETS, NOW).service == "s3"
        presigner = S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "eu-west-1", expires=60)
        request = signed(presigner, path, body=b"", method="PUT")
        assert verify(changed(request, body=b"any body"), SECRETS, NOW).service == "s3"


def test_an_unsigned_payload_may_be_anything() -> None:
    request = signed(header_signer(), headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert verify(changed(request, body=b"other"), SECRETS, NOW).access_key == KEY


def test_a_payload_hash_in_a_header_does_not_replace_the_bodys() -> None:
    claimed = {"X-Amz-Content-SHA256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}  # of {}
    request = signed(header_signer(), headers=claimed)
    assert verify(request, SECRETS, NOW).access_key == KEY
    assert refused(changed(request, body=b"[]"))[0] == MISMATCH


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/other"},
        {"query": "a=2"},
        {"query": "a=1&b=1"},
        {"body": b"{} "},
    ],
)
def test_a_change_after_signing_is_found(change: dict[str, Any]) -> None:
    request = signed(header_signer(), "/p", {"a": "1"})
    code, message = refused(changed(request, **change))
    assert code == MISMATCH
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_a_changed_header_signature_or_secret_is_found() -> None:
    request = signed(header_signer(), headers={"X-Amz-Target": "AWSStepFunctions.ListActivities"})
    assert refused(with_headers(request, x_amz_target="AWSStepFunctions.DeleteActivity"))[0] == MISMATCH
    assert refused(with_headers(request, host="elsewhere"))[0] == MISMATCH
    text = request.headers["authorization"]
    for other in (text[:-1], text[:-1] + ("0" if text[-1] != "0" else "1"), text[:-1] + "\u00e9"):
        assert refused(with_headers(request, authorization=other))[0] == MISMATCH
    assert refused(with_headers(request, authorization=text.replace(KEY, "other")))[0] == MISMATCH


def test_headers_that_must_be_signed_are_missed() -> None:
    request = signed(header_signer())
    assert refused(with_headers(request, x_amz_target="AWSStepFunctions.DeleteActivity")) == (
        MISMATCH,
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    )
    text = request.headers["authorization"].replace("host;", "")
    assert refused(with_headers(request, authorization=text)) == (
        MISMATCH,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    )


def test_an_unknown_key_is_an_unrecognized_client() -> None:
    text = signed(header_signer()).headers["authorization"].replace(KEY, "AKIAUNKNOWN")
    assert refused(with_headers(signed(header_signer()), authorization=text)) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": ""}])
def test_no_signature_is_a_missing_token(headers: dict[str, str]) -> None:
    assert refused(Request("POST", headers=headers)) == (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


SCOPE = f"{KEY}/20260101/eu-west-1/states/aws4_request"


@pytest.mark.parametrize(
    ("text", "date", "message"),
    [
        (
            "AWS4-HMAC-SHA256",
            "",
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 Credential= x, SignedHeaders=host",
            "20260101T120000Z",
            "'x' not a valid key=value pair (missing equal-sign) in Authorization header: "
            "'AWS4-HMAC-SHA256 Credential= x, SignedHeaders=host'.",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=0",
            "201",
            "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=0",
            "20260131T250000Z",
            "Date must be in ISO-8601 'basic format'. Got '20260131T250000Z'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            f"AWS4-HMAC-SHA1 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=0",
            "20260101T120000Z",
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). ",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host;x-amz-date, Signature=0",
            "20260101T120000Z",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            "got 'a/b/c/d'",
        ),
    ],
)
def test_an_incomplete_signature_says_what_is_wrong(text: str, date: str, message: str) -> None:
    headers = {"authorization": text, "host": HOST, **({"x-amz-date": date} if date else {})}
    assert refused(Request("POST", headers=headers)) == ("IncompleteSignatureException", message)


def test_a_scope_of_another_day_or_terminator_is_invalid() -> None:
    text = "AWS4-HMAC-SHA256 Credential=k/20260102/r/states/aws5, SignedHeaders=host;x-amz-date, Signature=0"
    headers = {"authorization": text, "host": HOST, "x-amz-date": "20260101T120000Z"}
    assert refused(Request("POST", headers=headers)) == (
        MISMATCH,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. "
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'20260102' != '20260101', from '20260101T120000Z'.",
    )


def test_a_signature_holds_for_fifteen_minutes() -> None:
    request = signed(header_signer())
    for seconds in (-900, 900):
        assert verify(request, SECRETS, NOW + seconds).access_key == KEY
    assert refused(request, NOW + 901) == (
        MISMATCH,
        "Signature expired: 20260101T120000Z is now earlier than 20260101T120001Z (20260101T121501Z - 15 min.)",
    )
    assert refused(request, NOW - 901) == (
        MISMATCH,
        "Signature not yet current: 20260101T120000Z is still later than 20260101T115959Z (20260101T114459Z + 15 min.)",
    )


def test_a_presigned_url_holds_as_long_as_it_says() -> None:
    request = signed(query_signer(expires=90), body=b"", method="GET")
    assert verify(request, SECRETS, NOW + 90).access_key == KEY
    assert refused(request, NOW + 91)[1] == (
        "Signature expired: 20260101T120000Z is now earlier than 20260101T120001Z (20260101T120131Z - 90 sec.)"
    )
    assert refused(request, NOW - 901)[1].startswith("Signature not yet current")
    for expires in ("604801", "x", "-1", "", "1" * 30):
        query = request.query.replace("X-Amz-Expires=90", f"X-Amz-Expires={expires}")
        assert refused(changed(request, query=query))[0] in ("IncompleteSignatureException", MISMATCH)


def test_a_presigned_url_must_have_all_its_parts() -> None:
    code, message = refused(Request("GET", query="X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T120000Z"))
    assert code == "IncompleteSignatureException"
    for name in ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders"):
        assert f"'{name}'" in message


def test_the_date_header_counts_where_there_is_no_other() -> None:
    made = AWSRequest(
        method="POST", url=f"http://{HOST}/", data=b"{}", headers={"Date": "Thu, 01 Jan 2026 11:59:00 GMT"}
    )
    header_signer().add_auth(made)
    arrived = {name.lower(): value for name, value in made.headers.items()}
    assert "x-amz-date" not in arrived
    request = Request("POST", headers={"host": HOST, **arrived}, body=b"{}")
    assert verify(request, SECRETS, (SIGNED_AT + timedelta(minutes=5)).timestamp()).access_key == KEY


def test_the_credential_is_read_without_a_check() -> None:
    found = credential(signed(header_signer()))
    assert found is not None
    assert (found.access_key, found.date, found.region, found.service) == (KEY, "20260101", "eu-west-1", "states")
    assert credential(signed(query_signer(), body=b"", method="GET")) is not None
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "AWS4-HMAC-SHA256 Credential=a/b"}):
        assert credential(Request("POST", headers=headers)) is None


def test_of_two_credentials_the_first_counts_for_both_readers() -> None:
    request = signed(header_signer())
    text = request.headers["authorization"] + ", Credential=other/20260101/eu-west-1/sts/aws4_request"
    doubled = with_headers(request, authorization=text)
    found = credential(doubled)
    assert found is not None
    assert (found.access_key, found.service) == (KEY, "states")
    assert verify(doubled, SECRETS, NOW) == Identity(KEY, "eu-west-1", "states")


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
PIECES = st.sampled_from(
    [
        "AWS4-HMAC-SHA256 ",
        f"Credential={SCOPE}",
        "SignedHeaders=host;x-amz-date",
        "Signature=00",
        ", ",
        ",",
        "=",
        "/",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join) | ASCII, ASCII, ASCII)
def test_checking_raises_nothing_but_service_errors(authorization: str, date: str, query: str) -> None:
    headers = {"authorization": authorization, "host": HOST, "x-amz-date": date or "20260101T120000Z"}
    for request in (Request("POST", headers=headers), Request("GET", query=f"X-Amz-Signature=0&{query}", headers={})):
        credential(request)
        refused(request)
