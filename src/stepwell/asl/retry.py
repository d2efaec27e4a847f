"""Retriers and catchers: parsed form and the arithmetic of waiting.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepwell.asl.language.base import Flow
from stepwell.kernel.ids import Ids

LONGEST_DELAY = 31_622_399.0  # a retry never waits a year and a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """One entry of a Retry field. Times are seconds."""

    errors: tuple[str, ...]
    interval: float = 1.0
    attempts: int = 3
    backoff: float = 2.0
    max_delay: float | None = None
    full_jitter: bool = False

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Retrier:
        return cls(
            errors=tuple(raw["ErrorEquals"]),
            interval=float(raw.get("IntervalSeconds", 1)),
            attempts=int(raw.get("MaxAttempts", 3)),
            backoff=float(raw.get("BackoffRate", 2.0)),
            max_delay=None if raw.get("MaxDelaySeconds") is None else float(raw["MaxDelaySeconds"]),
            full_jitter=raw.get("JitterStrategy") == "FULL",
        )

    def delay(self, attempt: int, ids: Ids) -> float:
        """Seconds before retry number ``attempt`` (from 0); FULL jitter draws evenly from zero up to that."""
        try:
            seconds = self.interval * self.backoff**attempt
        except OverflowError:
            seconds = LONGEST_DELAY
        seconds = min(seconds, LONGEST_DELAY if self.max_delay is None else self.max_delay)
        return seconds * ids.random() if self.full_jitter else seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """One entry of a Catch field."""

    errors: tuple[str, ...]
    next: str
    flow: Flow
