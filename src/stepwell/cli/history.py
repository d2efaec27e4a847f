"""History events in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

WIDTH = 160
# What is worth telling of an event's details, in this order.
TELLING = (
    "name",
    "resourceType",
    "resource",
    "seconds",
    "timestamp",
    "index",
    "length",
    "error",
    "cause",
    "output",
    "input",
)


def event_line(event: Mapping[str, Any]) -> str:
    """``  12  2026-01-01T00:00:00.000Z  TaskScheduled  resourceType=http resource=invoke``"""
    return f"{event['id']:>5}  {clock_time(event['timestamp'])}  {event['type']:<28}  {told(event)}".rstrip()[:WIDTH]


def told(event: Mapping[str, Any]) -> str:
    """The telling details of an event."""
    details: Mapping[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
    parts = []
    for key in TELLING:
        if key in details and details[key] != "":
            text = " ".join(str(details[key]).split())
            parts.append(text if key == "name" else f"{key}={text}")
    return " ".join(parts)


def clock_time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
