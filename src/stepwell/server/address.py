"""Addresses: a bound socket for the server, and the URL by which clients reach it."""

from __future__ import annotations

import errno
import socket

from stepwell.kernel.errors import SettingError


def bind(host: str, port: int) -> socket.socket:
    """A bound socket. Raises SettingError that says why there is none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingError(f"setting host cannot be {host!r}: {error.strerror or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingError(
                f"setting port cannot be {port}: another program listens there; stop it, or choose another with --port"
            ) from None
        raise SettingError(f"cannot listen on {host}:{port}: {error.strerror or error}; see host and port") from None
    listener.setblocking(False)
    return listener


def url_of(host: str, port: int) -> str:
    """How a client on this machine reaches the server."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"
