"""Status changes leave through the event port: kept while somebody subscribes, in order, at least once."""

from __future__ import annotations

from typing import Any

from engine_house import stored_events
from worker_house import one, open_worker, task, turns

PASS = {"Type": "Pass"}


class Subscriber:
    """Keeps what it is told; can be made to fail."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.failing = False

    async def __call__(self, change: dict[str, Any]) -> None:
        if self.failing:
            raise RuntimeError("not now")
        self.heard.append(change)

    @property
    def statuses(self) -> list[str]:
        return [change["status"] for change in self.heard]


async def test_without_a_subscriber_nothing_is_kept() -> None:
    async with open_worker(one(PASS)) as house:
        await house.start()
        assert await house.storage.journal.outbox(10) == []


async def test_an_execution_that_ends_at_once_was_running_first() -> None:
    async with open_worker(one(PASS)) as house:
        subscriber = Subscriber()
        house.worker.status.subscribe(subscriber)
        key = await house.start()
        assert subscriber.statuses == ["RUNNING", "SUCCEEDED"]
        assert (subscriber.heard[0]["stopDate"], subscriber.heard[0]["output"]) == (None, None)
        assert subscriber.heard[1]["output"] == "{}"
        assert await house.storage.journal.outbox(10) == []
        assert len(await stored_events(house.storage, key)) == 4


async def test_a_change_that_was_not_taken_is_told_again_after_a_restart() -> None:
    """The row goes only when the subscriber has the change."""
    async with open_worker(one(task())) as house:
        deaf = Subscriber()
        deaf.failing = True
        house.worker.status.subscribe(deaf)
        await house.start()
        await house.worker.status.close()
        assert len(await house.storage.journal.outbox(10)) == 1
        house.restart()
        hearing = Subscriber()
        house.worker.status.subscribe(hearing)
        await house.gained()
        house.tasks.succeed()
        await turns()
        assert hearing.statuses == ["RUNNING", "SUCCEEDED"]


async def test_statuses_are_counted_for_metrics() -> None:
    async with open_worker(one(PASS)) as house:
        await house.start("a")
        await house.start("b")
        assert house.worker.counts == {"RUNNING": 2, "SUCCEEDED": 2}
