"""The two parts of the fence that keep a former owner from writing: without either, the promise is broken.

Each promise is stated as a check of the SQL in use. It holds for ours, and fails for the mutant, so the tests that rely on
it can fail.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from stepwell.engine.journal import Append, Key, NewExecution, Page
from stepwell.kernel.errors import Fenced
from stepwell.storage.bundle import Storage, open_storage
from stepwell.storage.journal_rows import Fence

DEADLINE = 20.0
PID = 3
FENCE, TAKE = "group_fence", "take_partitions"
EPOCH = "p.owner = $1 AND p.epoch = f.epoch"
NEW = NewExecution(
    key=Key(PID, b"1" * 16), arn="a", machine_arn="m", name="n", started=1.0, definition="h", input="{}", head=b""
)


def decision(expected: int) -> Append:
    page = Page(expected + 1, expected + 1, b"x")
    return Append(key=NEW.key, expected=expected, head=b"h", runnable=False, page=page)


def mutate(storage: Storage, name: str, old: str, new: str) -> None:
    texts: dict[str, str] = storage.database.texts  # type: ignore[attr-defined]
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new)


async def take_all(storage: Storage) -> None:
    """What a worker does when it finds the lease of another run out."""
    membership: Any = storage.membership
    async with membership._link.use() as connection:
        rows = await connection.fetch(membership._texts["partitions"])
        await membership._take(connection, [(pid, epoch) for pid, _, epoch, _, _ in rows])


@pytest.fixture
async def pair(postgres_url: str) -> Any:
    """The owner of everything, and a worker that may take it."""
    owner = await open_storage(postgres_url, lease=60.0)
    heir = await open_storage(postgres_url, lease=60.0)
    await owner.membership.join()
    await heir.membership.join()
    yield owner, heir
    await heir.close()
    await owner.close()


async def a_former_owner_can_write(owner: Storage, heir: Storage) -> bool:
    """Whether a decision is written by who does not know that its partition was taken, and taken back since."""
    await owner.journal.start(NEW, decision(0))
    stale = owner.membership.fence(PID)
    await take_all(heir)
    await heir.journal.append(decision(1))
    await take_all(owner)
    owner.membership.fence = lambda pid: stale  # type: ignore[method-assign]
    try:
        await owner.journal.append(decision(2))
    except Fenced:
        return False
    return True


async def test_a_decision_of_an_earlier_epoch_is_refused(pair: tuple[Storage, Storage]) -> None:
    assert not await a_former_owner_can_write(*pair)


async def test_without_the_epoch_it_would_be_written(pair: tuple[Storage, Storage]) -> None:
    mutate(pair[0], FENCE, EPOCH, "p.owner = $1")
    assert await a_former_owner_can_write(*pair)


async def a_takeover_passes_a_decision_in_flight(owner: Storage, heir: Storage, url: str) -> bool:
    """Whether partitions can be taken while a decision of their owner has passed its check and is not committed yet."""
    await owner.journal.start(NEW, decision(0))
    fence = owner.membership.fence(PID)
    assert isinstance(fence, Fence)
    in_flight, looking = await asyncpg.connect(url), await asyncpg.connect(url)
    transaction = in_flight.transaction()
    await transaction.start()
    text = owner.database.texts[FENCE]  # type: ignore[attr-defined]
    held = await in_flight.fetchval(f"WITH {text} SELECT bits FROM mine", fence.worker, [0], [PID], [fence.epoch])
    assert held is not None
    taking = asyncio.ensure_future(take_all(heir))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    deadline = time.monotonic() + DEADLINE
    while not taking.done() and not await looking.fetchval(waits):
        assert time.monotonic() < deadline
    passed = taking.done()
    await transaction.commit()
    await taking
    await in_flight.close()
    await looking.close()
    return passed


async def test_a_takeover_waits_for_decisions_in_flight(pair: tuple[Storage, Storage], postgres_url: str) -> None:
    assert not await a_takeover_passes_a_decision_in_flight(*pair, postgres_url)


async def test_for_key_share_alone_would_be_caught_by_the_takeovers_own_lock(
    pair: tuple[Storage, Storage], postgres_url: str
) -> None:
    """FOR UPDATE of the takeover conflicts with FOR KEY SHARE too: a second belt."""
    mutate(pair[0], FENCE, "FOR SHARE OF p", "FOR KEY SHARE OF p")
    assert not await a_takeover_passes_a_decision_in_flight(*pair, postgres_url)


async def test_with_for_key_share_a_plain_takeover_would_pass_it(
    pair: tuple[Storage, Storage], postgres_url: str
) -> None:
    mutate(pair[0], FENCE, "FOR SHARE OF p", "FOR KEY SHARE OF p")
    mutate(pair[1], TAKE, "FOR UPDATE OF p", "")
    assert await a_takeover_passes_a_decision_in_flight(*pair, postgres_url)


async def test_with_for_share_even_a_plain_takeover_waits(pair: tuple[Storage, Storage], postgres_url: str) -> None:
    mutate(pair[1], TAKE, "FOR UPDATE OF p", "")
    assert not await a_takeover_passes_a_decision_in_flight(*pair, postgres_url)
