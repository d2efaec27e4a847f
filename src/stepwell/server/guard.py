"""Keeps web pages out of an open server.

In ``open`` mode any access key is good, so whoever can send a request is in. The server listens on loopback only, but a
page in the user's browser can send requests there too. Three things give such a request away; each is refused with 403:

* ``Sec-Fetch-Site``, which browsers set and pages cannot, is neither ``same-origin`` nor ``none`` (typed by the user);
* ``Origin`` is not the address the request was sent to;
* ``Host`` is a name that is not ours: DNS rebinding makes a page's own name point at 127.0.0.1, and then the browser
  takes page and server for one origin.

No CORS header is ever sent. In ``keys`` mode a page cannot sign, so nothing of this is needed there.

Headers: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address

from stepwell.kernel.errors import ServiceError

OWN_SITES = frozenset({"same-origin", "none"})
OWN_NAMES = frozenset({"localhost", "sync-localhost", "sync-127.0.0.1"})  # sync-: botocore's host prefix, see contract
OWN_SUFFIXES = (".localhost", ".amazonaws.com", ".amazonaws.com.cn")  # the latter: SDKs behind a proxy setting

Guard = Callable[[Mapping[str, str]], None]


def open_guard(allowed_hosts: Iterable[str]) -> Guard:
    """A check of a request's headers (lower-case names). It raises ServiceError AccessDeniedException, status 403."""
    allowed = frozenset(name.lower().rstrip(".") for name in allowed_hosts)

    @lru_cache(maxsize=256)
    def ours(host: str) -> bool:
        name = host_name(host)
        return name in OWN_NAMES or name in allowed or name.endswith(OWN_SUFFIXES) or _is_loopback(name)

    def check(headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        if host and not ours(host):
            raise _refused(
                f"the Host {host!r} is not this server. If clients reach it by that name, add it to allowed-hosts "
                "(STEPWELL_ALLOWED_HOSTS)"
            )
        site = headers.get("sec-fetch-site")
        if site is not None and site not in OWN_SITES:
            raise _refused(f"a web page of another origin sent it (Sec-Fetch-Site: {site})")
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            raise _refused(f"a web page of another origin sent it (Origin: {origin})")

    return check


def host_name(host: str) -> str:
    """A Host header's name without port, brackets and final dot, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower().rstrip(".")


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(why: str) -> ServiceError:
    return ServiceError("AccessDeniedException", f"Stepwell refused this request: {why}.", status=403)
