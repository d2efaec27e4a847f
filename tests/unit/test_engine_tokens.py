"""Task tokens: only what this key ring made is read."""

from __future__ import annotations

import base64

import pytest

from stepwell.engine.journal import Key
from stepwell.engine.tokens import Token, Tokens
from stepwell.kernel.keys import KeyRing
from stepwell.kernel.limits import TASK_TOKEN_CHARACTERS

TOKENS = Tokens(KeyRing({1: b"k" * 32}))
TOKEN = Token(Key(255, bytes(range(16))), 2**32 - 1, 25_000, b"\0nonce\xff\xff")
TEXT = TOKENS.make(TOKEN)


def test_a_token_reads_back_as_what_was_made() -> None:
    assert TOKENS.read(TEXT) == TOKEN
    assert len(TEXT) < 1_024 < TASK_TOKEN_CHARACTERS
    assert TEXT.isascii()


def test_another_key_ring_reads_nothing() -> None:
    assert Tokens(KeyRing({1: b"z" * 32})).read(TEXT) is None


def test_an_older_key_of_the_ring_still_reads() -> None:
    assert Tokens(KeyRing({1: b"k" * 32, 2: b"n" * 32})).read(TEXT) == TOKEN


@pytest.mark.parametrize("length", range(len(TEXT)))
def test_a_truncated_token_is_none_of_ours(length: int) -> None:
    assert TOKENS.read(TEXT[:length]) is None


@pytest.mark.parametrize("at", range(len(base64.urlsafe_b64decode(TEXT))))
def test_an_altered_token_is_none_of_ours(at: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TEXT))
    raw[at] ^= 1
    assert TOKENS.read(base64.urlsafe_b64encode(raw).decode()) is None


@pytest.mark.parametrize(
    "text", ["", "x", "é" * 68, "\0" * 68, "=" * 68, TEXT + "AAAA", TEXT * 2, " " + TEXT, "ü" + TEXT]
)
def test_text_that_is_no_token_is_refused(text: str) -> None:
    assert TOKENS.read(text) is None
