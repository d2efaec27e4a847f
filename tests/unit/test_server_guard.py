"""Web pages cannot drive an open server."""

from __future__ import annotations

import pytest

from stepwell.kernel.errors import ServiceError
from stepwell.server.guard import host_name, open_guard

check = open_guard(["box.example"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:4566",
        "LOCALHOST.:4566",
        "127.0.0.1:4566",
        "127.1.2.3",
        "[::1]:4566",
        "sync-localhost:4566",
        "sync-127.0.0.1:4566",
        "abc.execute-api.localhost:4566",
        "states.us-east-1.amazonaws.com",
        "sync-states.cn-north-1.amazonaws.com.cn",
        "box.example:80",
    ],
)
def test_our_own_names_pass(host: str) -> None:
    check({"host": host})
    check({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"})


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4566", "localhost.evil.example", "10.0.0.1:4566", "amazonaws.com.evil.example"],
)
def test_a_rebound_host_is_refused(host: str) -> None:
    """Even where the browser takes page and server for the same origin."""
    with pytest.raises(ServiceError) as caught:
        check({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"})
    assert caught.value.status == 403
    assert "allowed-hosts" in caught.value.message


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
        {"sec-fetch-site": ""},
    ],
)
def test_a_page_of_another_origin_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as caught:
        check({"host": "localhost:4566", **headers})
    assert caught.value.status == 403


@pytest.mark.parametrize("headers", [{}, {"host": "localhost"}, {"host": "localhost", "sec-fetch-site": "none"}])
def test_what_no_page_sends_passes(headers: dict[str, str]) -> None:
    check(headers)


def test_a_host_is_read_without_port_and_brackets() -> None:
    assert [host_name(h) for h in ("A:1", "[::1]:2", "[::1]", "a.b.", "::1")] == ["a", "::1", "::1", "a.b", ":"]
