"""What every Journal promises (``stepwell.engine.journal``), on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from stepwell.engine.journal import (
    ActivityRow,
    Append,
    Closed,
    DueTimer,
    FrameRow,
    Key,
    NewExecution,
    OutboxRow,
    Page,
    PayloadRow,
    TaskRow,
    TimerRow,
)
from stepwell.kernel.errors import CheckFailed, StorageError
from stepwell.storage.bundle import Storage

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:orders"


def execution(number: int = 1, **changes: Any) -> NewExecution:
    """A new execution; its number makes its id, name and start time."""
    name = f"run-{number}"
    values: dict[str, Any] = {
        "key": Key(number % 256, number.to_bytes(16, "big")),
        "arn": f"arn:aws:states:us-east-1:000000000000:execution:orders:{name}",
        "machine_arn": MACHINE,
        "name": name,
        "started": 1_000.5 + number,
        "definition": "hash",
        "input": '{"a": 1.50}',
        "head": b"new",
    }
    return NewExecution(**values | changes)


def decision(new: NewExecution, expected: int = 0, **changes: Any) -> Append:
    values: dict[str, Any] = {"key": new.key, "expected": expected, "head": b"head", "runnable": False}
    return Append(**values | changes)


async def started(storage: Storage, number: int = 1, **changes: Any) -> NewExecution:
    new = execution(number, **changes)
    assert await storage.journal.start(new, None) is None
    return new


class TestStart:
    async def test_a_bare_start_is_runnable_at_version_0(self, storage: Storage) -> None:
        new = await started(storage, version=f"{MACHINE}:7", trace_header="Root=1;\0odd")
        row = await storage.journal.row(new.arn)
        assert row is not None
        assert row == await storage.journal.row_by_key(new.key)
        assert (row.key, row.arn, row.machine_arn, row.name) == (new.key, new.arn, MACHINE, new.name)
        assert (row.status, row.seq, row.runnable, row.head) == ("RUNNING", 0, True, b"new")
        assert (row.started, row.stopped, row.definition, row.input) == (new.started, None, "hash", '{"a": 1.50}')
        assert (row.version, row.trace_header) == (f"{MACHINE}:7", "Root=1;\0odd")
        assert (row.fault, row.faults, row.retry_at) == (None, 0, None)
        assert await storage.journal.runnable(None, 10) == [new.key]

    async def test_a_start_with_its_first_decision_is_one_write(self, storage: Storage) -> None:
        new = execution()
        first = decision(
            new,
            page=Page(1, 3, b"events"),
            frames=[FrameRow(1, None, b"root")],
            tasks=[TaskRow(3, 1, "call", "arn:aws:states:::sqs:sendMessage", b"task")],
            timers=[TimerRow(1, "timeout", 2_000.25)],
            payloads=[PayloadRow(1, "big")],
            outbox="{}",
        )
        assert await storage.journal.start(new, first) is None
        stored = await storage.journal.load(new.key)
        assert stored is not None
        assert (stored.row.seq, stored.row.head, stored.row.runnable) == (1, b"head", False)
        assert (stored.frames, stored.tasks, stored.timers) == (first.frames, first.tasks, first.timers)
        assert await storage.journal.payloads(new.key, [1]) == {1: "big"}
        pages = await storage.journal.pages(new.key, after=0, before=None, limit=10, newest_first=False)
        assert pages == [first.page]
        assert len(await storage.journal.outbox(10)) == 1

    async def test_an_execution_may_be_over_with_its_first_decision(self, storage: Storage) -> None:
        new = execution()
        closed = Closed(status="SUCCEEDED", stopped=1_002.0, output='"done"')
        assert await storage.journal.start(new, decision(new, page=Page(1, 4, b"all"), closed=closed)) is None
        stored = await storage.journal.load(new.key)
        assert stored is not None
        assert (stored.row.status, stored.row.stopped, stored.row.output) == ("SUCCEEDED", 1_002.0, '"done"')
        assert not stored.frames

    async def test_a_taken_name_writes_nothing_and_tells_who_has_it(self, storage: Storage) -> None:
        first = await started(storage)
        again = execution(2, arn=first.arn, name=first.name)
        for beginning in (None, decision(again, page=Page(1, 1, b"x"), outbox="{}")):
            row = await storage.journal.start(again, beginning)
            assert row is not None
            assert row.key == first.key
        assert await storage.journal.load(again.key) is None
        assert await storage.journal.outbox(10) == []

    async def test_of_two_starts_at_once_one_has_the_name(self, storage: Storage) -> None:
        both = [execution(1), execution(2, arn=execution(1).arn)]
        rows = await asyncio.gather(*(storage.journal.start(new, None) for new in both))
        winners = [new for new, row in zip(both, rows, strict=True) if row is None]
        losers = [row for row in rows if row is not None]
        assert len(winners) == len(losers) == 1
        assert losers[0].key == winners[0].key


class TestAppend:
    async def test_everything_a_decision_writes_comes_back(self, storage: Storage) -> None:
        new = await started(storage)
        append = decision(
            new,
            runnable=True,
            page=Page(1, 5, b"\0\1"),
            frames=[FrameRow(1, None, b"root"), FrameRow(2, 1, b"child")],
            tasks=[TaskRow(4, 1, "callback", "r", b"t"), TaskRow(5, 2, "activity", "a", b"u")],
            timers=[TimerRow(0, "execution", 9.5), TimerRow(1, "wait", 8.5)],
            payloads=[PayloadRow(1, "x" * 10_000), PayloadRow(2, "\ud800 and \0")],
        )
        await storage.journal.append(append)
        stored = await storage.journal.load(new.key)
        assert stored is not None
        assert (stored.row.seq, stored.row.runnable) == (1, True)
        assert stored.frames == append.frames
        assert stored.tasks == append.tasks
        assert stored.timers == [TimerRow(1, "wait", 8.5), TimerRow(0, "execution", 9.5)]
        assert await storage.journal.payloads(new.key, [2, 1, 7]) == {1: "x" * 10_000, 2: "\ud800 and \0"}
        assert await storage.journal.payloads(new.key, []) == {}

    async def test_the_order_of_effect_is_drop_then_write(self, storage: Storage) -> None:
        new = await started(storage)
        frames = [FrameRow(1, None, b"1"), *(FrameRow(number, 1, b"old") for number in (2, 3, 4)), FrameRow(5, 2, b"5")]
        tasks = [TaskRow(2, 1, "call", "r", b"2"), TaskRow(3, 1, "call", "r", b"3")]
        timers = [TimerRow(1, "wait", 5.0), TimerRow(2, "wait", 6.0)]
        await storage.journal.append(decision(new, page=Page(1, 3, b"p"), frames=frames, tasks=tasks, timers=timers))
        await storage.journal.append(
            decision(
                new,
                1,
                children_dropped=[1, 2],
                frames=[FrameRow(1, None, b"changed"), FrameRow(3, 1, b"new"), FrameRow(9, 1, b"added")],
                tasks_done=[2, 3],
                tasks=[TaskRow(3, 3, "callback", "r", b"again")],
                timers_done=[(1, "wait"), (2, "wait"), (7, "retry")],
                timers=[TimerRow(2, "wait", 7.0), TimerRow(2, "heartbeat", 8.0)],
            )
        )
        stored = await storage.journal.load(new.key)
        assert stored is not None
        assert stored.frames == [FrameRow(1, None, b"changed"), FrameRow(3, 1, b"new"), FrameRow(9, 1, b"added")]
        assert stored.tasks == [TaskRow(3, 3, "callback", "r", b"again")]
        assert stored.timers == [TimerRow(2, "wait", 7.0), TimerRow(2, "heartbeat", 8.0)]

    @pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
    async def test_the_end_removes_tasks_and_timers_and_keeps_frames_for_redrive(
        self, storage: Storage, status: Any
    ) -> None:
        new = await started(storage)
        rows: dict[str, Any] = {"frames": [FrameRow(1, None, b"f")], "tasks": [TaskRow(2, 1, "call", "r", b"t")]}
        await storage.journal.append(decision(new, timers=[TimerRow(1, "timeout", 5.0)], **rows))
        closed = Closed(status=status, stopped=2_000.0, output="1", error="E\0", cause="because")
        await storage.journal.append(decision(new, 1, closed=closed, **rows, children_dropped=[1]))
        stored = await storage.journal.load(new.key)
        assert stored is not None
        row = stored.row
        assert (row.status, row.stopped, row.output, row.error, row.cause) == (status, 2_000.0, "1", "E\0", "because")
        assert not stored.tasks
        assert not stored.timers
        assert stored.frames == ([] if status == "SUCCEEDED" else [FrameRow(1, None, b"f")])

    async def test_a_wrong_version_writes_nothing(self, storage: Storage) -> None:
        new = await started(storage)
        for expected in (1, 7):
            with pytest.raises(CheckFailed):
                await storage.journal.append(decision(new, expected, page=Page(1, 1, b"x"), outbox="{}"))
        with pytest.raises(CheckFailed):
            await storage.journal.append(decision(execution(2)))
        stored = await storage.journal.load(new.key)
        assert stored is not None
        assert (stored.row.seq, stored.row.head) == (0, b"new")
        assert await storage.journal.outbox(10) == []

    async def test_a_repeated_append_whose_page_is_there_counts_as_written(self, storage: Storage) -> None:
        new = await started(storage)
        append = decision(new, page=Page(1, 2, b"same"))
        await storage.journal.append(append)
        await storage.journal.append(append)
        with pytest.raises(CheckFailed):
            await storage.journal.append(replace(append, page=Page(1, 2, b"other")))
        row = await storage.journal.row_by_key(new.key)
        assert row is not None
        assert row.seq == 1

    async def test_event_ids_must_be_dense(self, storage: Storage) -> None:
        new = await started(storage)
        await storage.journal.append(decision(new, page=Page(1, 2, b"x")))
        for page in (Page(4, 5, b"gap"), Page(2, 3, b"overlap"), Page(3, 2, b"backwards")):
            with pytest.raises(StorageError) as caught:
                await storage.journal.append(decision(new, 1, page=page))
            assert not isinstance(caught.value, CheckFailed)
        await storage.journal.append(decision(new, 1))
        await storage.journal.append(decision(new, 2, page=Page(3, 3, b"x")))

    async def test_one_bad_append_does_not_fail_its_neighbours(self, storage: Storage) -> None:
        """A guard that is not met, a row that is there already, and a value of the wrong type after other statements."""
        news = [await started(storage, number) for number in range(1, 10)]
        await storage.journal.append(decision(news[4], payloads=[PayloadRow(1, "there")]))
        appends = [decision(new, page=Page(1, 1, b"x"), payloads=[PayloadRow(1, "p")]) for new in news]
        appends[2] = replace(appends[2], expected=5)
        appends[4] = replace(appends[4], expected=1)
        appends[6] = replace(appends[6], page=None, frames=[FrameRow(1, None, b"f"), FrameRow(2, "x", b"f")])  # type: ignore[arg-type]
        outcomes = await asyncio.gather(*(storage.journal.append(a) for a in appends), return_exceptions=True)
        assert isinstance(outcomes.pop(6), StorageError)
        assert isinstance(outcomes.pop(4), StorageError)
        assert isinstance(outcomes.pop(2), CheckFailed)
        assert outcomes == [None] * 6
        for number, new in enumerate(news):
            row = await storage.journal.row_by_key(new.key)
            assert row is not None
            assert row.seq == {2: 0, 6: 0}.get(number, 1)
        bad = await storage.journal.pages(news[4].key, after=0, before=None, limit=5, newest_first=False)
        assert bad == []

    async def test_two_appends_of_one_execution_handed_over_together_keep_their_order(self, storage: Storage) -> None:
        new = await started(storage)
        steps = [decision(new, number, page=Page(number + 1, number + 1, b"x")) for number in range(4)]
        await asyncio.gather(*(storage.journal.append(step) for step in steps))
        row = await storage.journal.row_by_key(new.key)
        assert row is not None
        assert row.seq == 4

    async def test_hundreds_at_once_are_all_written(self, storage: Storage) -> None:
        news = [execution(number) for number in range(1, 701)]
        firsts = [decision(new, page=Page(1, 1, b"x" * 100), frames=[FrameRow(1, None, b"f")]) for new in news]
        both = zip(news, firsts, strict=True)
        assert set(await asyncio.gather(*(storage.journal.start(new, first) for new, first in both))) == {None}
        nexts = [decision(new, 1, page=Page(2, 3, b"y"), frames=[FrameRow(1, None, b"g")]) for new in news]
        await asyncio.gather(*(storage.journal.append(append) for append in nexts))
        assert await storage.journal.open_count(MACHINE) == 700
        stored = await storage.journal.load(news[-1].key)
        assert stored is not None
        assert stored.frames == [FrameRow(1, None, b"g")]


class TestReads:
    async def test_listing_is_newest_first_and_goes_on_after_the_last_row_seen(self, storage: Storage) -> None:
        news = [await started(storage, number, started=1_000.0 + number // 2) for number in range(1, 8)]
        await started(storage, 20, machine_arn="another")
        names = [new.name for new in reversed(news)]
        seen: list[str] = []
        after = None
        while rows := await storage.journal.rows(MACHINE, after=after, limit=3):
            seen += [row.name for row in rows]
            after = (rows[-1].started, rows[-1].key.id)
        assert seen == names
        closed = Closed(status="FAILED", stopped=2_000.0)
        await storage.journal.append(decision(news[2], closed=closed))
        running = await storage.journal.rows(MACHINE, status="RUNNING")
        assert [row.name for row in running] == [name for name in names if name != "run-3"]
        assert [row.name for row in await storage.journal.rows(MACHINE, status="FAILED")] == ["run-3"]
        last = (news[2].started, news[2].key.id)
        assert await storage.journal.rows(MACHINE, status="FAILED", after=last) == []
        assert await storage.journal.open_count(MACHINE) == 6

    async def test_pages_are_read_from_either_end(self, storage: Storage) -> None:
        new = await started(storage)
        pages = [Page(1, 3, b"a"), Page(4, 4, b"b"), Page(5, 9, b"c")]
        for number, page in enumerate(pages):
            await storage.journal.append(decision(new, number, page=page))
        read = storage.journal.pages
        assert await read(new.key, after=0, before=None, limit=2, newest_first=False) == pages[:2]
        assert await read(new.key, after=3, before=None, limit=9, newest_first=False) == pages[1:]
        assert await read(new.key, after=2, before=5, limit=9, newest_first=False) == pages[:2]
        assert await read(new.key, after=0, before=None, limit=2, newest_first=True) == [pages[2], pages[1]]
        assert await read(new.key, after=0, before=6, limit=1, newest_first=True) == [pages[2]]

    async def test_runnable_gives_keys_in_order_of_owned_partitions(self, storage: Storage) -> None:
        news = [await started(storage, number) for number in (3, 1, 2, 4)]
        await storage.journal.append(decision(news[0], page=Page(1, 1, b"x")))
        task = TaskRow(1, 1, "call", "r", b"t")
        await storage.journal.append(decision(news[1], tasks=[task, task._replace(event=2)]))
        await storage.journal.append(decision(news[2], tasks=[task._replace(kind="callback")]))
        keys = [news[1].key, news[3].key]
        assert await storage.journal.runnable(None, 10) == keys
        assert await storage.journal.runnable(keys[0], 10) == keys[1:]
        assert await storage.journal.runnable(None, 1) == keys[:1]

    async def test_due_gives_timers_earliest_first(self, storage: Storage) -> None:
        news = [await started(storage, number) for number in (1, 2)]
        await storage.journal.append(
            decision(news[0], timers=[TimerRow(1, "wait", 30.0), TimerRow(0, "execution", 10.0)])
        )
        await storage.journal.append(decision(news[1], timers=[TimerRow(1, "heartbeat", 20.0)]))
        first, second = DueTimer(news[0].key, 0, "execution", 10.0), DueTimer(news[1].key, 1, "heartbeat", 20.0)
        assert await storage.journal.due(20.0, 10) == [first, second]
        assert await storage.journal.due(40.0, 1) == [first]
        assert await storage.journal.due(9.9, 10) == []

    async def test_activities_wait_in_the_order_of_their_arrival(self, storage: Storage) -> None:
        news = [await started(storage, number) for number in (5, 1, 3)]
        for new in news:
            await storage.journal.append(decision(new, tasks=[TaskRow(2, 1, "activity", "act", b"t")]))
        await storage.journal.append(decision(news[1], 1, tasks=[TaskRow(2, 1, "worker", "act", b"t")]))
        waiting = [ActivityRow(news[0].key, 2, 1), ActivityRow(news[2].key, 2, 1)]
        assert await storage.journal.waiting_activities("act", 10) == waiting
        assert await storage.journal.waiting_activities("act", 1) == waiting[:1]
        assert await storage.journal.waiting_activities("other", 10) == []

    async def test_the_outbox_is_read_oldest_first_until_it_is_forgotten(self, storage: Storage) -> None:
        new = await started(storage)
        for number in range(3):
            await storage.journal.append(decision(new, number, outbox=f'{{"n":{number}}}'))
        rows = await storage.journal.outbox(10)
        assert [row.body for row in rows] == ['{"n":0}', '{"n":1}', '{"n":2}']
        await storage.journal.forget_outbox([rows[0].number, rows[1].number])
        await storage.journal.forget_outbox([])
        assert await storage.journal.outbox(10) == [OutboxRow(rows[2].number, '{"n":2}')]

    async def test_a_parked_execution_shows_its_fault_until_it_runs_again(self, storage: Storage) -> None:
        new = await started(storage)
        await started(storage, 2)
        await storage.journal.park(new.key, "boom\0", 3, 5_000.5)
        [row] = await storage.journal.parked(10)
        assert (row.key, row.fault, row.faults, row.retry_at) == (new.key, "boom\0", 3, 5_000.5)
        await storage.journal.park(new.key, None, 0, None)
        assert await storage.journal.parked(10) == []

    @pytest.mark.parametrize("page", [Page(1, 1, b"p"), None])
    async def test_the_next_decision_of_a_parked_execution_sets_it_free(
        self, storage: Storage, page: Page | None
    ) -> None:
        """In the same write, so that no crash comes in between."""
        new = await started(storage)
        await storage.journal.park(new.key, "boom", 3, 5_000.5)
        await storage.journal.append(decision(new, page=page))
        row = await storage.journal.row_by_key(new.key)
        assert row is not None
        assert (row.fault, row.faults, row.retry_at) == (None, 0, None)
