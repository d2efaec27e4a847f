"""The kinds of values a setting can have: each reads what a flag, a variable or a file holds.

Every reader raises ValueError with what it wanted; ``settings`` adds which setting it was and where the value stood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Parser = Callable[[object], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key that may sign requests where ``access`` is ``keys``. ``account`` None means the server's own."""

    id: str
    secret: str = field(repr=False)
    account: str | None = None


def text(raw: object) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError("a text that is not empty")
    return raw


def optional(raw: object) -> str | None:
    return None if raw == "" else text(raw)


def integer(low: int, high: int) -> Parser:
    def parse(raw: object) -> int:
        try:
            value = raw if isinstance(raw, int) and not isinstance(raw, bool) else int(str(raw))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def seconds(low: float, high: float) -> Parser:
    def parse(raw: object) -> float:
        try:
            value = float(str(raw))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"seconds from {low:g} to {high:g}")
        return value

    return parse


def choice(*allowed: str) -> Parser:
    def parse(raw: object) -> str:
        if isinstance(raw, str) and raw.lower() in allowed:
            return raw.lower()
        raise ValueError("one of " + ", ".join(allowed))

    return parse


def switch(raw: object) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    value = words.get(str(raw).lower())
    if value is None:
        raise ValueError("true or false")
    return value


def names(raw: object) -> tuple[str, ...]:
    items = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
        raise ValueError("names separated by commas, or a list of texts")
    return tuple(i.strip().lower() for i in items if i.strip())


def account(raw: object) -> str:
    digits = str(raw)
    if len(digits) != 12 or not digits.isascii() or not digits.isdigit():
        raise ValueError("an account id of 12 digits")
    return digits


def access_keys(raw: object) -> tuple[AccessKey, ...]:
    items = [i for i in raw.split(",") if i.strip()] if isinstance(raw, str) else raw
    if not isinstance(items, list):
        raise ValueError("ID:SECRET or ID:SECRET:ACCOUNT, separated by commas")
    return tuple(_access_key(item) for item in items)


def _access_key(item: object) -> AccessKey:
    if isinstance(item, dict) and {"id", "secret"} <= item.keys() <= {"id", "secret", "account"}:
        parts = [str(item[k]) for k in ("id", "secret", "account") if k in item]
    else:
        parts = item.strip().split(":") if isinstance(item, str) else []
    if not 2 <= len(parts) <= 3 or not parts[0] or not parts[1]:
        raise ValueError("ID:SECRET or ID:SECRET:ACCOUNT, separated by commas")
    return AccessKey(id=parts[0], secret=parts[1], account=account(parts[2]) if len(parts) == 3 else None)


def store(raw: object) -> str | None:
    if raw in {"", None}:
        return None
    url = text(raw)
    if url.startswith(("sqlite:", "postgresql://", "postgres://")) and url != "sqlite:":
        return url
    raise ValueError("sqlite:PATH, sqlite::memory: or postgresql://user:password@host/database")


def endpoints(raw: object) -> dict[str, str]:
    if not isinstance(raw, Mapping) or not all(isinstance(v, str) for v in raw.values()):
        raise ValueError("a map of service names to URLs")
    return {str(name).lower(): _endpoint(str(value)) for name, value in raw.items()}


def _endpoint(value: str) -> str:
    if value == "aws" or value.startswith(("http://", "https://")):
        return value.rstrip("/")
    raise ValueError("an http:// or https:// URL, or the word aws for the real service")
