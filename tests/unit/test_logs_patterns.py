"""FilterLogEvents' filter patterns."""

from __future__ import annotations

import json

import pytest

from stepwell.kernel.errors import ServiceError
from stepwell.services.logs.patterns import matcher

TEXT = "[ERROR 400] exit code: 3 WARN-ing"
RECORD = json.dumps(
    {"id": 3, "type": "TaskFailed", "details": {"error": "E.x", "list": [{"a": 1}, {"a": 2}], "no": None, "ok": True}}
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("ERROR", True),
        ("error", False),
        ("ERROR 400", True),
        ("ERROR 401", False),
        ('"exit code"', True),
        ('"WARN-ing" -DEBUG', True),
        ("ERROR -400", False),
        ("?DEBUG ?WARN", True),
        ("?DEBUG ?TRACE", False),
        ("ERROR ?TRACE", True),
        ('-"exit code"', False),
        ("{ $.id = 3 }", False),
    ],
)
def test_words(pattern: str, matches: bool) -> None:
    assert matcher(pattern)(TEXT) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.type = "TaskFailed" }', True),
        ("{ $.type = TaskFailed }", True),
        ('{ $.type = "*Failed" }', True),
        ('{ $.type = "Failed*" }', False),
        ('{ $.type != "TaskFailed" }', False),
        ('{ $.none != "x" }', False),
        ("{ $.id = 3 }", True),
        ("{ $.id > 2.5 && $.id <= 3 }", True),
        ("{ $.id < 3 || $.id >= 4 }", False),
        ('{ ($.id = 1 || $.id = 3) && $.details.error = "E.x" }', True),
        ('{ $.id = 1 && $.id = 2 || $.type = "Task*" }', True),
        ("{ $.details.list[1].a = 2 }", True),
        ("{ $.details.list[*].a = 2 }", True),
        ("{ $.details.list[5].a NOT EXISTS }", True),
        ('{ $["details"]["error"] = "E.x" }', True),
        ("{ $.details.no IS NULL }", True),
        ("{ $.details.ok IS TRUE }", True),
        ("{ $.details.ok IS FALSE }", False),
        ("{ $.details.ok = 1 }", False),
        ("{ $.details NOT EXISTS }", False),
    ],
)
def test_conditions(pattern: str, matches: bool) -> None:
    assert matcher(pattern)(RECORD) is matches


def test_conditions_match_no_text_that_is_not_json() -> None:
    assert not matcher("{ $.id NOT EXISTS }")("{ no json")


@pytest.mark.parametrize(
    "pattern",
    [
        "a-b",
        '"open',
        "{",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a < x }",
        "{ $.a IS GOOD }",
        "{ a = 1 }",
        "{ ($.a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ " + "(" * 60 + "$.a = 1" + ")" * 60 + " }",
    ],
)
def test_what_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(ServiceError, match=r"InvalidParameterException: Invalid filter pattern$"):
        matcher(pattern)


@pytest.mark.parametrize(
    ("pattern", "what"), [("[ip, user]", "columns"), ("%E[RO]+%", "regular"), ("{ $.a = %x% }", "regular")]
)
def test_what_is_not_supported_is_refused_by_name(pattern: str, what: str) -> None:
    with pytest.raises(ServiceError, match=what):
        matcher(pattern)
