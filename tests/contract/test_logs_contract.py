"""Log streams and events, on every database."""

from __future__ import annotations

import pytest

from stepwell.kernel.errors import CheckFailed
from stepwell.storage.bundle import Storage
from stepwell.storage.logs import BATCH, SPAN, Entry, Key, LogStore

GROUP, OTHER = b"g" * 16, b"h" * 16
S, T = b"s" * 16, b"t" * 16


@pytest.fixture
async def store(storage: Storage) -> LogStore:
    """A group with the streams ``s`` and ``t``."""
    store = LogStore(storage.database)
    await store.create_stream(GROUP, "s", S, 5)
    await store.create_stream(GROUP, "t", T, 6)
    return store


def entries(*given: tuple[int, str]) -> list[Entry]:
    return [(time, message.encode()) for time, message in given]


async def texts(store: LogStore, **arguments: object) -> list[str]:
    return [event.message async for event in store.events(group=GROUP, **arguments)]  # type: ignore[arg-type]


async def test_a_stream_is_made_once_and_remembers_its_times(store: LogStore) -> None:
    with pytest.raises(CheckFailed):
        await store.create_stream(GROUP, "s", b"x" * 16, 7)
    await store.create_stream(OTHER, "s", b"y" * 16, 8)
    await store.append(GROUP, S, entries((20, "b"), (10, "aé")), 30)
    await store.append(GROUP, S, entries((15, "c")), 31)
    assert await store.stream(GROUP, "s") == ("s", S, 5, 10, 20, 31)
    assert await store.stream(GROUP, "t") == ("t", T, 6, 0, 0, 0)
    assert await store.stream(GROUP, "u") is None
    assert await store.stored_bytes(GROUP) == 5
    assert await store.stored_bytes(b"none") == 0


async def test_streams_are_listed_by_name_and_by_their_last_event(store: LogStore) -> None:
    await store.create_stream(GROUP, "sa", b"a" * 16, 1)
    await store.append(GROUP, S, entries((20, "x")), 1)
    await store.append(GROUP, T, entries((10, "x")), 1)

    async def names(**arguments: object) -> list[str]:
        return [s.name for s in await store.streams(GROUP, **arguments)]  # type: ignore[arg-type]

    assert await names(limit=9) == ["s", "sa", "t"]
    assert await names(limit=9, down=True, after="t") == ["sa", "s"]
    assert await names(limit=1, prefix="s", after="s") == ["sa"]
    recent = [s.name for s in await store.recent_streams(GROUP, limit=9)]
    assert recent == ["sa", "t", "s"]
    assert [s.name for s in await store.recent_streams(GROUP, limit=2, down=True, after=(20, "s"))] == ["t", "sa"]


async def test_events_come_in_the_order_of_time_whatever_order_they_came_in(store: LogStore) -> None:
    """Bundles that overlap, more of them than are read at a time; both ways, of one stream and of the group."""
    for n in range(BATCH * 2 + 3):
        await store.append(
            GROUP, S if n % 2 else T, entries((1000 - 7 * n, f"{1000 - 7 * n}"), (1100 + n, f"{1100 + n}")), 1
        )
    await store.append(GROUP, T, entries(), 1)
    found = await texts(store)
    assert found == sorted(found, key=int)
    assert len(found) == 2 * (BATCH * 2 + 3)
    assert await texts(store, down=True) == found[::-1]
    ours = await texts(store, stream=S)
    assert 0 < len(ours) < len(found)
    assert ours == sorted(ours, key=int)
    assert await texts(store, stream=S, down=True) == ours[::-1]
    assert await texts(store, start=900, end=1110) == [t for t in found if 900 <= int(t) < 1110]
    assert await texts(store, start=900, end=1110, down=True) == [t for t in found if 900 <= int(t) < 1110][::-1]


async def test_a_reader_goes_on_at_a_place_between_events_of_the_same_time(store: LogStore) -> None:
    await store.append(GROUP, S, entries((10, "a"), (10, "b"), (10, "c")), 1)
    await store.append(GROUP, T, entries((10, "d")), 1)
    keys = [event.key async for event in store.events(group=GROUP)]
    assert keys == sorted(keys)
    assert await texts(store, at=keys[1]) == ["b", "c", "d"]
    assert await texts(store, at=keys[2], down=True) == ["b", "a"]
    assert await texts(store, at=Key(11, 0, 0)) == []


async def test_a_bundle_never_spans_more_than_a_minute(store: LogStore) -> None:
    """Else a reader that begins in its middle would not find it."""
    await store.append(GROUP, S, entries((0, "a"), (SPAN, "b"), (SPAN + 1, "c"), (10 * SPAN, "d")), 1)
    assert await texts(store, start=SPAN) == ["b", "c", "d"]
    assert await texts(store, end=SPAN + 1, down=True) == ["b", "a"]


async def test_a_stream_that_is_gone_takes_no_events(store: LogStore) -> None:
    await store.append(GROUP, S, entries((1, "a")), 1)
    await store.append(GROUP, T, entries((2, "b")), 1)
    await store.delete_stream(S)
    with pytest.raises(CheckFailed):
        await store.append(GROUP, S, entries((3, "c")), 1)
    assert await texts(store) == ["b"]


async def test_what_is_older_than_a_time_can_be_forgotten_and_a_whole_group(store: LogStore) -> None:
    await store.create_stream(OTHER, "s", b"y" * 16, 1)
    await store.append(OTHER, b"y" * 16, entries((1, "kept")), 1)
    for n in range(5):
        await store.append(GROUP, S, entries((n, "x"), (n + 10, "y")), 1)
    assert await store.forget_before(GROUP, 12)
    assert not await store.forget_before(GROUP, 12)
    assert len(await texts(store)) == 6
    assert await store.stored_bytes(GROUP) == 6
    await store.delete_group(GROUP)
    assert await texts(store) == []
    assert await store.streams(GROUP, limit=1) == []
    assert [event.message async for event in store.events(group=OTHER)] == ["kept"]
