"""Who may write: epochs, leases and takeovers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from stepwell.engine.journal import PARTITIONS, Append, Key, NewExecution, Page
from stepwell.kernel.errors import Fenced
from stepwell.storage.bundle import Storage
from stepwell.storage.membership_postgresql import LeaseHolder

Opener = Callable[..., Awaitable[Storage]]
ALL = list(range(PARTITIONS))
DEADLINE = 20.0


def execution(number: int = 1) -> NewExecution:
    key = Key(number, number.to_bytes(16, "big"))
    return NewExecution(
        key=key, arn=f"arn:{number}", machine_arn="m", name="n", started=1.0, definition="h", input="{}", head=b""
    )


def decision(new: NewExecution, expected: int = 0) -> Append:
    page = Page(expected + 1, expected + 1, b"x")
    return Append(key=new.key, expected=expected, head=b"h", runnable=False, page=page)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def lease_holder(storage: Storage) -> LeaseHolder:
    assert isinstance(storage.membership, LeaseHolder)
    return storage.membership


async def test_the_first_worker_owns_everything(url: str, opener: Opener) -> None:
    gained: list[int] = []
    storage = await opener(url, join=False, address="here:1")
    assert list(storage.membership.owned) == []
    await storage.membership.join(gained.extend)
    assert gained == list(storage.membership.owned) == ALL
    assert storage.membership.may_start_effects
    assert storage.membership.owner_of(7) == (storage.membership.worker, "here:1")
    assert abs(storage.membership.now() - time.time()) < 60


async def test_without_ownership_only_a_bare_start_is_written(url: str, opener: Opener) -> None:
    storage = await opener(url, join=False)
    new, other = execution(1), execution(2)
    assert await storage.journal.start(new, None) is None
    with pytest.raises(Fenced):
        await storage.journal.start(other, decision(other))
    with pytest.raises(Fenced):
        await storage.journal.append(decision(new))
    assert await storage.journal.runnable(None, 10) == []
    await storage.membership.join()
    assert await storage.journal.runnable(None, 10) == [new.key]
    await storage.journal.append(decision(new))


async def test_an_earlier_epoch_is_fenced_off(url: str, opener: Opener) -> None:
    """As after a takeover that this worker has not heard of."""
    storage = await opener(url)
    new, other = execution(1), execution(2)
    await storage.journal.start(new, None)
    stale = storage.membership.fence(new.key.pid)
    assert stale is not None
    owner = storage.membership
    owner.fence = lambda pid: stale._replace(epoch=stale.epoch - 1) if pid else None  # type: ignore[method-assign]
    with pytest.raises(Fenced):
        await storage.journal.append(decision(new))
    with pytest.raises(Fenced):
        await storage.journal.start(other, decision(other))
    assert await storage.journal.row(other.arn) is None


async def test_sqlite_takes_a_new_epoch_at_each_start(sqlite_url: str, opener: Opener) -> None:
    first = await opener(sqlite_url)
    fence = first.membership.fence(0)
    await first.close()
    second = await opener(sqlite_url)
    again = second.membership.fence(0)
    assert fence is not None
    assert again is not None
    assert again.epoch == fence.epoch + 1
    assert again.worker != fence.worker


class TestLeases:
    async def test_a_second_worker_waits_until_the_first_leaves(self, postgres_url: str, opener: Opener) -> None:
        lost: list[int] = []
        first = await opener(postgres_url, join=False, address="first:1")
        await first.membership.join(None, lost.extend)
        second = await opener(postgres_url, address="second:2")
        assert list(second.membership.owned) == []
        assert second.membership.owner_of(9) == (first.membership.worker, "first:1")
        new = execution()
        assert await second.journal.start(new, None) is None
        with pytest.raises(Fenced):
            await second.journal.append(decision(new))
        await first.journal.append(decision(new))
        await first.membership.leave()
        assert lost == ALL
        await lease_holder(second).beat()
        assert list(second.membership.owned) == ALL
        await second.journal.append(decision(new, 1))

    async def test_a_silent_worker_loses_its_partitions_and_can_write_nothing(
        self, postgres_url: str, opener: Opener
    ) -> None:
        lost: list[int] = []
        zombie = await opener(postgres_url, join=False, lease=0.5)
        await zombie.membership.join(None, lost.extend)
        new = execution()
        await zombie.journal.start(new, decision(new))
        beating = lease_holder(zombie)._beating
        assert beating is not None
        beating.cancel()  # as if the process had been stopped
        heir = await opener(postgres_url, lease=0.5)
        await until(lambda: list(heir.membership.owned) == ALL)
        assert not zombie.membership.may_start_effects
        assert list(zombie.membership.owned) == ALL  # it does not know yet
        outcomes = await asyncio.gather(
            zombie.journal.append(decision(new, 1)),
            zombie.journal.start(execution(2), decision(execution(2))),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [Fenced, Fenced]
        await heir.journal.append(decision(new, 1))
        await lease_holder(zombie).beat()
        assert lost == ALL
        assert list(zombie.membership.owned) == []

    async def test_a_takeover_waits_for_a_decision_in_flight(self, postgres_url: str, opener: Opener) -> None:
        """FOR SHARE, not FOR KEY SHARE: what another session holds as an append does, a takeover must not pass."""
        first = await opener(postgres_url)
        second = await opener(postgres_url)
        fence = first.membership.fence(3)
        assert fence is not None
        connection = await asyncpg.connect(postgres_url)
        transaction = connection.transaction()
        await transaction.start()
        text = first.database.texts["group_fence"]  # type: ignore[attr-defined]
        query = f"WITH {text} SELECT * FROM mine"
        await connection.fetch(query, fence.worker, [0], [3], [fence.epoch])
        leaving = asyncio.create_task(first.membership.leave())
        waiting = await asyncpg.connect(postgres_url)
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        deadline = time.monotonic() + DEADLINE
        while not await waiting.fetchval(query):
            assert time.monotonic() < deadline
        assert not leaving.done()
        await transaction.commit()
        await leaving
        await lease_holder(second).beat()
        assert list(second.membership.owned) == ALL
        await connection.close()
        await waiting.close()

    async def test_two_workers_that_claim_at_once_share_without_overlap(
        self, postgres_url: str, opener: Opener
    ) -> None:
        workers = [await opener(postgres_url, join=False) for _ in range(3)]
        await asyncio.gather(*(worker.membership.join() for worker in workers))
        owned = sorted(pid for worker in workers for pid in worker.membership.owned)
        assert owned == ALL

    async def test_a_member_that_was_taken_for_dead_does_not_start_effects(
        self, postgres_url: str, opener: Opener
    ) -> None:
        clock = [100.0]
        storage = await opener(postgres_url, join=False)
        holder = lease_holder(storage)
        holder._monotonic = lambda: clock[0]

        def may_start() -> bool:
            return holder.may_start_effects

        assert not may_start()
        await holder.beat()
        assert may_start()
        now = holder.now()
        clock[0] += 6.9
        assert may_start()
        assert holder.now() == pytest.approx(now + 6.9)
        clock[0] += 0.2
        assert not may_start()
        await holder.beat()
        assert may_start()
