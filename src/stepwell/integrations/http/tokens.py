"""OAuth client credentials: a token for a connection, fetched once, kept until it expires, shared by all that wait.

The client's id and secret go into the body (or, with GET, the query) with ``grant_type=client_credentials`` unless the
connection names another, form-encoded unless the connection asks for JSON.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html; RFC 6749 section 4.4;
the margin before expiry and what stands where is assumed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from stepwell.integrations.http.encoding import encode_pairs
from stepwell.kernel.clock import Clock
from stepwell.kernel.errors import JsonSyntaxError
from stepwell.kernel.jsontext import dumps, loads
from stepwell.services.events.connection import Connection, OAuth

MARGIN_SECONDS = 30.0
TOKEN_SECONDS = 30.0  # how long the token endpoint may take
MAX_TOKENS = 1_000
FORM_TYPE = "application/x-www-form-urlencoded"


class TokenError(Exception):
    """The token endpoint gave no token; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Token:
    value: str  # of the Authorization header
    expires: float | None  # seconds since the epoch


Key = tuple[str, float]  # the connection and when it was changed last: an update asks for a new token


class Tokens:
    """Tokens by connection. ``get(..., refused=...)`` fetches a new one if the one that was refused is still kept."""

    def __init__(self, session: Any, clock: Clock) -> None:
        self._session = session  # () -> aiohttp.ClientSession
        self._clock = clock
        self._tokens: dict[Key, Token] = {}
        self._pending: dict[Key, asyncio.Task[Token]] = {}

    async def get(self, connection: Connection, refused: str | None = None) -> str:
        """The Authorization header's value. Raises TokenError."""
        if connection.oauth is None:
            raise TokenError("The connection has no OAuth parameters.")
        key = (connection.arn, connection.modified)
        kept = self._tokens.get(key)
        if kept is not None and kept.value != refused and not self._expired(kept):
            return kept.value
        pending = self._pending.get(key)
        if pending is None:
            pending = asyncio.ensure_future(self._fetch(connection.oauth))
            self._pending[key] = pending
            pending.add_done_callback(lambda task: self._keep(key, task))
        return (await asyncio.shield(pending)).value

    def _expired(self, token: Token) -> bool:
        return token.expires is not None and token.expires - MARGIN_SECONDS <= self._clock.now()

    def _keep(self, key: Key, task: asyncio.Task[Token]) -> None:
        self._pending.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            self._tokens.pop(key, None)
            return
        for old in [k for k in self._tokens if k[0] == key[0]]:
            del self._tokens[old]
        if len(self._tokens) >= MAX_TOKENS:
            self._tokens.pop(next(iter(self._tokens)))
        self._tokens[key] = task.result()

    async def _fetch(self, oauth: OAuth) -> Token:
        url, headers, body = token_request(oauth)
        try:
            async with (
                asyncio.timeout(TOKEN_SECONDS),
                self._session().request(
                    oauth.method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                text = await response.text(errors="replace")
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TokenError(f"The authorization endpoint could not be reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise TokenError(f"The authorization endpoint answered with the HTTP status {status}.")
        return self._read(text)

    def _read(self, text: str) -> Token:
        try:
            answer = loads(text)
        except JsonSyntaxError:
            answer = None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise TokenError("The authorization endpoint's answer is not a JSON object with an access_token.")
        seconds = answer.get("expires_in")
        known = isinstance(seconds, int | float) or (isinstance(seconds, str) and seconds.isdigit())
        expires = self._clock.now() + float(seconds) if known else None
        kind = answer.get("token_type")
        # Some servers write "bearer"; some resource servers take "Bearer" only.
        scheme = "Bearer" if not isinstance(kind, str) or kind.lower() == "bearer" else kind
        return Token(f"{scheme} {token}", expires)


def token_request(oauth: OAuth) -> tuple[str, list[tuple[str, str]], bytes | None]:
    """URL, headers and body of the request for a token."""
    fields = {"grant_type": "client_credentials"} | {p.key: p.value for p in oauth.body}
    fields |= {"client_id": oauth.client_id, "client_secret": oauth.client_secret}
    headers = [(p.key, p.value) for p in oauth.headers]
    query = [(p.key, p.value) for p in oauth.query]
    kind = next((value for name, value in headers if name.lower() == "content-type"), None)
    body: bytes | None
    if oauth.method == "GET":
        query, body = query + list(fields.items()), None
    elif kind is not None and "json" in kind.lower():
        body = dumps(fields).encode()
    else:
        body = encode_pairs(list(fields.items())).encode()
        if kind is None:
            headers.append(("Content-Type", FORM_TYPE))
    joint = "&" if "?" in oauth.endpoint else "?"
    url = oauth.endpoint + (joint + encode_pairs(query) if query else "")
    return url, headers, body
