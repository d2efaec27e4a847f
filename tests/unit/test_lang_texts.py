"""Timestamps, the patterns of StringMatches, linear regular expressions and Java's view of a value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.lang.javarandom import JavaRandom
from stepwell.lang.javavalues import double_text, hash_set, java_equal, java_hash, java_text
from stepwell.lang.linearregex import RegexError, compile_regex
from stepwell.lang.timestamps import is_timestamp, parse_timestamp, timestamp_key
from stepwell.lang.wildcards import compile_glob


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("2016-12-05T21:29:29Z", (1480973369, 0)),
        ("2016-12-05T21:29:29.5Z", (1480973369, 500_000_000)),
        ("2016-12-05T21:29:29.123456789Z", (1480973369, 123_456_789)),
        ("2016-12-05T22:29:29+01:00", (1480973369, 0)),
        ("2016-12-05T15:59:29-05:30", (1480973369, 0)),
        ("1969-12-31T23:59:59.25Z", (-1, 250_000_000)),
        ("2024-02-29T00:00:00Z", (1709164800, 0)),
    ],
)
def test_a_timestamp_is_read_exactly(text: str, key: tuple[int, int]) -> None:
    assert timestamp_key(text) == key
    assert parse_timestamp(text) == key[0] + key[1] / 1e9
    assert is_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-05 21:29:29Z",
        "2016-12-05T21:29:29",
        "2016-13-05T21:29:29Z",
        "05-12-2016T21:29:29Z",
        "2016-12-05T25:29:29Z",
        "2016-12-05t21:29:29Z",
        "2016-12-05T21:29:29z",
        "2016-12-05T21:29Z",
        "2016-02-30T21:29:29Z",
        "2016-12-05T21:60:29Z",
        "2016-12-05T21:29:60Z",
        "2016-12-05T21:29:29.Z",
        "2016-12-05T21:29:29.1234567890Z",
        "2016-12-05T21:29:29+0100",
        "2016-12-05T21:29:29+24:00",
        "2016-12-05T21:29:29Z ",
        "２016-12-05T21:29:29Z",
        "0000-12-05T21:29:29Z",
        "",
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    """The first five are recorded (test_wait_timestamp_invalid)."""
    assert not is_timestamp(text)
    with pytest.raises(ValueError, match=r"."):
        parse_timestamp(text)


def test_instants_are_ordered_whatever_their_offset() -> None:
    assert timestamp_key("2020-01-01T01:00:00+02:00") < timestamp_key("2020-01-01T00:00:00Z")
    assert timestamp_key("2020-01-01T00:00:00.000000001Z") > timestamp_key("2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("pattern", "text", "result"),
    [
        ("", "", True),
        ("", "a", False),
        ("log.txt", "log.txt", True),
        ("log.txt", "log_txt", False),
        ("*", "", True),
        ("*", "anything\nat all", True),
        ("log-*.txt", "log-1.txt", True),
        ("log-*.txt", "log-.txt", True),
        ("log-*.txt", "log-1.txt.bak", False),
        ("foo*.log", "foo23.log", True),
        ("zebra.*", "zebra.x", True),
        ("foo*.*", "foobar.zebra", True),
        ("foo*.*", "foobar", False),
        ("*a*b*", "xxaxxbxx", True),
        ("*a*b*", "xxbxxaxx", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("ab*ba", "aba", False),
        ("**", "x", True),
        ("\\*", "*", True),
        ("\\*", "x", False),
        ("a\\*b*", "a*bcd", True),
        ("\\\\", "\\", True),
        ("\\\\*", "\\abc", True),
        ("a\\b", "a\\b", True),
        ("ends\\", "ends\\", True),
        ("é*ü", "é日本ü", True),
        ("?", "a", False),
    ],
)
def test_a_glob_matches_whole_texts(pattern: str, text: str, result: bool) -> None:
    assert compile_glob(pattern)(text) is result


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
@settings(max_examples=300, deadline=None)
def test_a_glob_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    wanted = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert compile_glob(pattern)(text) is wanted


_ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "\\S", "^", "$", "\\b", "(a|b)", "(?:ab)", "(a|)", "-"]
)
_MANY = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?"])
_ANCHORS = ("^", "$", "\\b")


@given(st.lists(st.tuples(_ATOMS, _MANY), max_size=6), st.text("ab1- ", max_size=8))
@settings(max_examples=500, deadline=None)
def test_the_linear_engine_agrees_with_a_backtracking_one(parts: list[tuple[str, str]], text: str) -> None:
    pattern = "".join(atom + ("" if atom in _ANCHORS else many) for atom, many in parts)
    assert compile_regex(pattern)(text) is (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "result"),
    [
        ("hello.*", "i", "HELLO world", True),
        ("[a-z]+", "i", "ABC", True),
        ("ß", "i", "ß", True),
        ("a.b", "", "a\nb", False),
        ("a.b", "s", "a\nb", True),
        ("a$.^b", "ms", "a\nb", True),
        ("\\x41\\u0042\\t", "", "AB\t", True),
        ("[\\]\\-]+", "", "]-", True),
        ("[a-]+", "", "a-", True),
        ("a\\.b", "", "axb", False),
        ("\\Aab\\z", "", "ab", True),
        ("a\\Bb", "", "ab", True),
    ],
)
def test_regular_expressions_as_java_reads_them(pattern: str, flags: str, text: str, result: bool) -> None:
    assert compile_regex(pattern, flags)(text) is result


_REFUSED = "(?=a) (?<n>a) a++ \\1 [a (a a) *a a** a{3,1} a{9999999} \\ [z-a] a{ [[a]] \\q [a&&b] \\u12"
_TOO_LARGE = ["(" * 200 + ")" * 200, "((a{500}){500}){500}"]


@pytest.mark.parametrize("pattern", [*_REFUSED.split(), *_TOO_LARGE])
def test_an_unsupported_regular_expression_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError):
        compile_regex(pattern)


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(RegexError, match="'q'"):
        compile_regex("a", "q")


def test_copies_of_nothing_cost_nothing() -> None:
    assert compile_regex("(((){999999}){999999}){999999}")("")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("x", "x"),
        (-3, "-3"),
        ([1, "a", [None]], "[1, a, [null]]"),
        ({"a": 1, "b": {"c": []}}, "{a=1, b={c=[]}}"),
    ],
)
def test_a_value_has_the_text_java_gives_it(value: Any, text: str) -> None:
    assert java_text(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.25e-5, "-1.25E-5"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_a_double_has_the_text_java_gives_it(number: float, text: str) -> None:
    """Double.toString in the Java SE documentation."""
    assert double_text(number) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, 0),
        (True, 1231),
        (False, 1237),
        (7, 7),
        (-1, 0xFFFFFFFF),
        (1 << 32, 1),
        (-(1 << 40), 0xFFFFFF00),
        (1.0, 1072693248),
        ("", 0),
        ("hello", 99162322),
        ("😀", 1772899),
        ([1, 2], 994),
        ({"a": 1}, 96),
        (1 << 64, 961),
        (-(1 << 64), (-961) & 0xFFFFFFFF),
    ],
)
def test_a_value_has_the_hash_java_gives_it(value: Any, code: int) -> None:
    """hashCode in the Java SE documentation of Integer, Long, Double, String, List, Map.Entry and BigInteger."""
    assert java_hash(value) == code


def test_java_tells_numbers_of_two_kinds_apart() -> None:
    assert not java_equal(1, 1.0)
    assert not java_equal(1, True)
    assert java_equal({"a": [1], "b": 2}, {"b": 2, "a": [1]})
    assert not java_equal([1, 2], [1])


def test_a_large_set_has_more_buckets() -> None:
    assert hash_set([17, 1, 0]) == [0, 17, 1]
    assert hash_set([17, 1, *range(20, 40)]) == [32, 1, *range(33, 40), 17, *range(20, 32)]


@pytest.mark.parametrize(
    ("seed", "letters"), [(-229985452, [8, 5, 12, 12, 15, 0]), (-147909649, [23, 15, 18, 12, 4, 0])]
)
def test_a_seed_gives_the_numbers_of_java(seed: int, letters: list[int]) -> None:
    """The well-known seeds that spell "hello world"."""
    numbers = JavaRandom(seed)
    assert [numbers.between(0, 27) for _ in letters] == letters


def test_a_set_of_many_kinds_has_the_order_of_java() -> None:
    """Written down from OpenJDK 17."""
    values = ["zebra", "apple", 1.5, 2, True, "kiwi", "fig", [1, "x"], {"k": []}, 100000000000]
    assert hash_set(values) == ["zebra", "apple", 100000000000, 2, "kiwi", "fig", 1.5, [1, "x"], {"k": []}, True]
