"""How often an execution failed, and when it is left alone for a while: the record that an actor keeps of it.

Theory of operation
    An execution is *parked* (RUNNING, its fault stored, tried again ever more rarely) when making or writing a decision
    raised, or when it ended the process three times. The second cannot be seen as it happens. So whatever is taken up
    because its last owner may have died is counted, durably, before it is advanced, and acquitted after. Whoever is
    counted already goes alone, one after the other, so that a death is counted against one execution and not against
    all that were taken up with it. The append of a decision wipes the record in the same write.

    Only ``advance`` and the append are under this watch, not the calls of tasks.
"""

from __future__ import annotations

from stepwell.engine.journal import ExecutionRow

MOST_DEATHS = 3
LONGEST_PAUSE = 300.0
DIED = f"the server ended {MOST_DEATHS} times while it worked on this execution"


class Record:
    """What is stored of an execution's failures, as far as this server knows it."""

    __slots__ = ("counted", "fault", "faults", "retry_at", "suspect")

    def __init__(self) -> None:
        self.fault: str | None = None
        self.faults = 0
        self.retry_at: float | None = None  # it is left alone until then
        self.suspect = False  # its last owner may have died of it
        self.counted = False  # the present attempt is in ``faults`` already

    def read(self, row: ExecutionRow) -> None:
        self.fault, self.faults, self.retry_at = row.fault, row.faults, row.retry_at

    def wipe(self) -> None:
        self.fault, self.faults, self.retry_at = None, 0, None
        self.suspect = self.counted = False

    def rests(self, now: float) -> bool:
        return self.retry_at is not None and now < self.retry_at

    @property
    def watched(self) -> bool:
        """It is to be counted before it is advanced."""
        return self.suspect or self.faults > 0

    @property
    def condemned(self) -> bool:
        """It was advanced so often without surviving that it is to be parked."""
        return self.suspect and self.fault is None and self.faults >= MOST_DEATHS

    def counting(self, now: float) -> tuple[int, float | None]:
        """The count, and for a parked one the time of the next attempt, to be stored before an attempt begins."""
        return self.faults + 1, None if self.fault is None else _next_attempt(self.faults + 1, now)

    def count(self) -> None:
        """That is stored; the attempt begins."""
        self.faults += 1
        self.counted = True
        self.suspect = False
        self.retry_at = None

    def park(self, fault: str, now: float) -> None:
        """An attempt failed."""
        if not self.counted and not self.condemned:
            self.faults += 1
        self.fault = fault
        self.retry_at = _next_attempt(self.faults, now)
        self.suspect = self.counted = False


def _next_attempt(faults: int, now: float) -> float:
    return now + min(LONGEST_PAUSE, 2.0 ** min(faults, 10))
