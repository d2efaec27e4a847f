"""The committer: groups, fair lanes, bounds and errors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stepwell.kernel.errors import CheckFailed, StorageUnavailable
from stepwell.storage import committer
from stepwell.storage.committer import Committer


class Recorder:
    """Executes groups when told to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = asyncio.Event()
        self.outcome: object = None

    async def __call__(self, group: list[str]) -> Sequence[object]:
        self.groups.append(group)
        await self.gate.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return [f"{item} done" for item in group]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_gathers_while_a_commit_is_on_its_way_is_the_next_group() -> None:
    recorder = Recorder()
    commits = Committer[str](recorder)
    first = commits.submit("a", "journal", 1)
    await settle()
    rest = [commits.submit(item, "journal", 1) for item in "bcd"]
    await settle()
    assert recorder.groups == [["a"]]
    recorder.gate.set()
    assert await asyncio.gather(first, *rest) == ["a done", "b done", "c done", "d done"]
    assert recorder.groups == [["a"], ["b", "c", "d"]]


async def test_a_flood_in_one_lane_does_not_delay_another() -> None:
    recorder = Recorder()
    commits = Committer[str](recorder)
    flood = [commits.submit(f"document-{number}", "documents", 1) for number in range(2_000)]
    background = [commits.submit(f"background-{number}", "background", 1) for number in range(100)]
    one = commits.submit("decision", "journal", 1)
    recorder.gate.set()
    await asyncio.gather(one, *flood, *background)
    first = recorder.groups[0]
    assert "decision" in first[:3]
    assert len(first) == committer.GROUP_ITEMS
    assert sum(item.startswith("background") for item in first) == committer.BACKGROUND_ITEMS


async def test_a_group_ends_when_it_is_large() -> None:
    recorder = Recorder()
    recorder.gate.set()
    commits = Committer[str](recorder)
    await asyncio.gather(*(commits.submit(item, "journal", 600_000) for item in "abcd"))
    assert recorder.groups == [["a", "b"], ["c", "d"]]


async def test_a_full_queue_refuses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUEUE_ITEMS", 2)
    recorder = Recorder()
    commits = Committer[str](recorder)
    waiting = [commits.submit(item, "journal", 1) for item in "ab"]
    with pytest.raises(StorageUnavailable, match="nothing of this one was written"):
        await commits.submit("c", "journal", 1)
    recorder.gate.set()
    await asyncio.gather(*waiting)
    assert await commits.submit("d", "journal", 1) == "d done"


async def test_an_error_of_the_group_is_the_error_of_each_item_and_the_next_is_tried() -> None:
    recorder = Recorder()
    recorder.gate.set()
    commits = Committer[str](recorder)
    recorder.outcome = StorageUnavailable("full")
    outcomes = await asyncio.gather(*(commits.submit(i, "journal", 1) for i in "ab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 2
    recorder.outcome = None
    assert await commits.submit("c", "journal", 1) == "c done"


async def test_an_item_whose_outcome_is_an_exception_fails_alone() -> None:
    async def execute(group: list[str]) -> Sequence[object]:
        return [CheckFailed("x") if item == "b" else None for item in group]

    commits = Committer[str](execute)
    outcomes = await asyncio.gather(*(commits.submit(i, "journal", 1) for i in "abc"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), CheckFailed, type(None)]


async def test_an_item_nobody_waits_for_is_left_out() -> None:
    recorder = Recorder()
    commits = Committer[str](recorder)
    first = commits.submit("a", "journal", 1)
    await settle()
    second, third = commits.submit("b", "journal", 1), commits.submit("c", "journal", 1)
    second.cancel()
    recorder.gate.set()
    await asyncio.gather(first, third)
    await commits.drain()
    assert recorder.groups == [["a"], ["c"]]


async def test_when_the_loop_closes_everybody_hears() -> None:
    recorder = Recorder()
    commits = Committer[str](recorder)
    first = commits.submit("a", "journal", 1)
    await settle()
    second = commits.submit("b", "journal", 1)
    assert commits._task is not None
    commits._task.cancel()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [
        "the server is stopping; the outcome is unknown",
        "the server is stopping; nothing was written",
    ]
