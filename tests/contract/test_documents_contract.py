"""Documents, definitions and retention, on every database."""

from __future__ import annotations

import asyncio

import pytest

from stepwell.engine.journal import Append, Closed, FrameRow, Key, NewExecution, Page, PayloadRow
from stepwell.kernel.arns import Scope
from stepwell.kernel.errors import CheckFailed, StorageError
from stepwell.storage.bundle import Storage
from stepwell.storage.documents import Change, Delete, Document, Put, PutDefinition
from stepwell.storage.retention import forget_finished
from stepwell.storage.units import Statement, Unit

HERE = Scope()
THERE = Scope(region="eu-central-1")


async def test_a_document_counts_its_versions(storage: Storage) -> None:
    documents = storage.documents
    assert await documents.get(HERE, "machine", "a") is None
    await documents.write([Put(HERE, "machine", "a", {"n": 1.5, "text": "ü\0"})])
    assert await documents.get(HERE, "machine", "a") == Document("a", 1, {"n": 1.5, "text": "ü\0"})
    await documents.write([Put(HERE, "machine", "a", {})])
    assert await documents.get(HERE, "machine", "a") == Document("a", 2, {})
    assert await documents.get(THERE, "machine", "a") is None
    assert await documents.get(HERE, "activity", "a") is None


async def test_a_change_may_demand_the_version_it_was_made_from(storage: Storage) -> None:
    documents = storage.documents
    await documents.write([Put(HERE, "m", "a", {"v": 1}, expect=0)])
    refusals: list[Change] = [
        Put(HERE, "m", "a", {}, expect=0),
        Put(HERE, "m", "a", {}, expect=2),
        Put(HERE, "m", "b", {}, expect=1),
        Delete(HERE, "m", "a", expect=2),
        Delete(HERE, "m", "b", expect=1),
    ]
    for refused in refusals:
        with pytest.raises(CheckFailed):
            await documents.write([refused])
    await documents.write([Put(HERE, "m", "a", {"v": 2}, expect=1)])
    assert await documents.get(HERE, "m", "a") == Document("a", 2, {"v": 2})
    await documents.write([Delete(HERE, "m", "a", expect=2), Delete(HERE, "m", "not there")])
    assert await documents.get(HERE, "m", "a") is None
    with pytest.raises(ValueError, match="must not exist"):
        await documents.write([Delete(HERE, "m", "a", expect=0)])


async def test_changes_are_written_together_or_not_at_all(storage: Storage) -> None:
    documents = storage.documents
    await documents.write([Put(HERE, "m", "old", {})])
    changes: list[Change] = [
        Put(HERE, "m", "new", {}),
        PutDefinition("h", "body"),
        Delete(HERE, "m", "old"),
        Put(HERE, "m", "x", {}, expect=4),
    ]
    good = documents.write([Put(HERE, "m", "neighbour", {})])
    outcomes = await asyncio.gather(good, documents.write(changes), return_exceptions=True)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], CheckFailed)
    assert [document.key for document in await documents.list(HERE, "m")] == ["neighbour", "old"]
    assert await documents.definition("h") is None


async def test_documents_are_listed_by_key(storage: Storage) -> None:
    documents = storage.documents
    keys = ["B", "a", "a/1", "a/2", "a/é", "a\U0001f600", "b", "ä"]
    await documents.write([Put(HERE, "m", key, {"key": key}) for key in reversed(keys)])
    await documents.write([Put(THERE, "m", "elsewhere", {}), Put(HERE, "other", "a", {})])
    assert [document.key for document in await documents.list(HERE, "m")] == keys
    assert [document.key for document in await documents.list(HERE, "m", prefix="a/")] == keys[2:5]
    assert [document.key for document in await documents.list(HERE, "m", prefix="a/", after="a/1", limit=1)] == ["a/2"]
    assert [document.key for document in await documents.list(HERE, "m", after="b")] == ["ä"]
    assert await documents.list(HERE, "m", limit=2) == [Document(key, 1, {"key": key}) for key in keys[:2]]


async def test_a_definition_never_changes(storage: Storage) -> None:
    await storage.documents.write([PutDefinition("h", '{"States": {}}')])
    await storage.documents.write([PutDefinition("h", "something else")])
    assert await storage.documents.definition("h") == '{"States": {}}'
    assert await storage.documents.definition("unknown") is None
    await storage.documents.write([])


async def test_a_unit_the_database_refuses_says_so_and_fails_alone(storage: Storage) -> None:
    database = storage.database
    bad = Unit((Statement("put_definition", ("a", b"1")), Statement("put_definition", (None, b"2"))))
    good = Unit((Statement("put_definition", ("b", b"3")),))
    outcomes = await asyncio.gather(database.submit(bad), database.submit(good), return_exceptions=True)
    assert isinstance(outcomes[0], StorageError)
    assert "definition" in str(outcomes[0])
    assert outcomes[1] is None
    assert await database.read("definition", ("a",)) == []
    with pytest.raises(StorageError, match="refused"):
        await database.submit(
            Unit((Statement("put_definition", (1.5, b"no text")), Statement("put_definition", ("c",))))
        )


async def test_a_unit_that_can_never_be_written_is_refused_at_once(storage: Storage) -> None:
    database = storage.database
    with pytest.raises(StorageError, match="no statement 'unknown'"):
        await database.submit(Unit((Statement("unknown", ()),)))
    bad = Unit((Statement("put_definition", ("h", object())),))  # type: ignore[arg-type]
    good = database.submit(Unit((Statement("put_definition", ("g", b"x")),)))
    with pytest.raises(StorageError):
        await database.submit(bad)
    await good
    assert await database.read("definition", ("g",))


async def test_a_blob_of_an_unknown_format_is_refused(storage: Storage) -> None:
    await storage.database.submit(Unit((Statement("put_definition", ("h", b"\x02\x00\x00x")),)))
    with pytest.raises(StorageError, match="format 2"):
        await storage.documents.definition("h")


async def test_retention_deletes_what_ended_before_a_time(storage: Storage) -> None:
    journal = storage.journal
    for number, stopped in ((1, 10.0), (2, 20.0), (3, None)):
        key = Key(number, number.to_bytes(16, "big"))
        new = NewExecution(
            key=key, arn=f"arn:{number}", machine_arn="m", name="n", started=1.0, definition="h", input="1", head=b""
        )
        closed = Closed(status="FAILED", stopped=stopped) if stopped else None
        first = Append(
            key=key,
            expected=0,
            head=b"",
            runnable=False,
            page=Page(1, 1, b"x"),
            frames=[FrameRow(1, None, b"f")],
            payloads=[PayloadRow(1, "p")],
            closed=closed,
        )
        await journal.start(new, first)
    assert await forget_finished(storage.database, 15.0) == 1
    assert await forget_finished(storage.database, 15.0) == 0
    gone = Key(1, (1).to_bytes(16, "big"))
    assert await journal.load(gone) is None
    assert await journal.pages(gone, after=0, before=None, limit=5, newest_first=False) == []
    assert await journal.payloads(gone, [1]) == {}
    assert await storage.database.read("frames_of", (gone.id,)) == []
    assert [row.key.pid for row in await journal.rows("m")] == [3, 2]
