"""Log lines in both forms."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from stepwell.server import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = handlers, level


def test_a_json_line_is_one_object_with_its_fields(stream: io.StringIO) -> None:
    logs.set_up("info", "json", stream)
    logging.getLogger("stepwell.x").info("request", extra={"fields": {"status": 200, "name": "é\n"}})
    line = json.loads(stream.getvalue())
    assert (line["message"], line["level"], line["status"], line["name"]) == ("request", "info", 200, "é\n")


def test_a_text_line_stays_one_line(stream: io.StringIO) -> None:
    logs.set_up("info", "text", stream)
    logging.getLogger("stepwell.x").info("request", extra={"fields": {"status": 200, "name": "a\nb c"}})
    assert stream.getvalue().count("\n") == 1
    assert 'INFO    stepwell.x: request status=200 name="a\\nb c"' in stream.getvalue()


def test_levels_are_obeyed_and_libraries_are_quieter(stream: io.StringIO) -> None:
    logs.set_up("info", "text", stream)
    logging.getLogger("stepwell.x").debug("no")
    logging.getLogger("uvicorn.error").info("no")
    logging.getLogger("uvicorn.error").warning("yes")
    assert stream.getvalue().endswith("uvicorn.error: yes\n")
    assert stream.getvalue().count("\n") == 1


def test_a_traceback_is_a_field_of_its_json_line(stream: io.StringIO) -> None:
    logs.set_up("info", "json", stream)
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("stepwell.x").exception("failed")
    assert "KeyError" in json.loads(stream.getvalue())["traceback"]
