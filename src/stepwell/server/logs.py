"""How log lines look: text for people, or one JSON object a line for machines.

Whoever logs gives fields beside the message: ``log.info("request", extra={"fields": {"status": 200}})``.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, TextIO

from stepwell.kernel.clock import iso

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
QUIET = ("asyncio", "aiohttp", "botocore", "uvicorn")  # their info is our debug


class TextLines(logging.Formatter):
    """``2026-01-01T00:00:00.000Z INFO  stepwell.server: message name=value``"""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_plain(value)}" for name, value in _fields(record).items())
        line = f"{iso(record.created)} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        return line + self._trace(record)

    def _trace(self, record: logging.LogRecord) -> str:
        return "\n" + self.formatException(record.exc_info) if record.exc_info else ""


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, the fields, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": iso(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send all log lines of this process to ``stream`` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else max(LEVELS[level], logging.WARNING))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def _plain(value: Any) -> str:
    """A value in a text line: quoted where it would run into the next one, one line always."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "\n\r=') else text
