"""Polls for activity tasks: what is kept in memory for them, and what happens beside a parked execution."""

from __future__ import annotations

import asyncio

import pytest

from engine_house import new_execution
from stepwell.engine import actor as actor_module
from stepwell.engine import codec
from stepwell.engine.advance import advance
from stepwell.engine.messages import Start, Succeeded
from stepwell.engine.references import digest_of
from stepwell.engine.turn import Env
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from worker_house import one, open_worker, turns

ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:a"
WORK = one({"Type": "Task", "Resource": ACTIVITY})


async def test_nothing_is_held_in_memory_for_an_activity_that_nobody_polls() -> None:
    async with open_worker(WORK) as house:
        await house.start("a")
        await house.start("b")
        desk = house.worker.activities
        assert (len(desk._offers), len(desk._polls)) == (0, 0)
        task = await desk.poll(ACTIVITY, None, 0)
        assert task is not None
        assert await desk.poll(ACTIVITY, None, 0) is not None
        assert await desk.poll(ACTIVITY, None, 0) is None
        assert (len(desk._offers), len(desk._polls), len(desk._polling)) == (0, 0, 0)


async def test_a_poll_that_waits_gets_the_task_that_comes() -> None:
    async with open_worker(WORK) as house:
        poll = asyncio.ensure_future(house.worker.activities.poll(ACTIVITY, None, 60))
        await turns()
        await house.start()
        task = await asyncio.wait_for(poll, 5)
        assert task is not None
        assert task.input == "{}"


async def test_a_parked_execution_does_not_keep_workers_from_the_tasks_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_worker(WORK) as house:
        bad = await house.start("bad")
        good = await house.start("good")

        def partly(execution: object, messages: object, env: object) -> object:
            if getattr(execution, "name", "") == "bad":
                raise ZeroDivisionError("broken")
            return advance(execution, messages, env)  # type: ignore[arg-type]

        monkeypatch.setattr(actor_module, "advance", partly)
        task = await house.worker.activities.poll(ACTIVITY, None, 0)
        assert task is not None
        token = house.worker.tokens.read(task.token)
        assert token is not None
        assert token.key == good
        assert (await house.row(bad)).fault == "ZeroDivisionError: broken"


async def test_large_texts_are_remembered_by_their_digest_and_written_once() -> None:
    async with open_worker(one({"Type": "Task", "Resource": ACTIVITY, "Next": "T"}) | _two()) as house:
        execution = new_execution(house.machine, Json({"a": "x" * 9_000}), house.clock.now())
        env = Env(now=house.clock.now(), ids=SeededIds(1))
        codec.to_append(execution, advance(execution, [Start()], env)[0])
        large = Json({"b": "y" * 9_000})
        event = next(iter(f.waiting.event for f in execution.frames.values()))  # type: ignore[union-attr]
        append = codec.to_append(execution, advance(execution, [Succeeded(1, event, large)], env)[0])
        assert [row.body for row in append.payloads] == [large.text]
        assert list(execution.payloads) == [digest_of(large.text)]


def _two() -> dict[str, object]:
    return {
        "States": {
            "S": {"Type": "Task", "Resource": ACTIVITY, "Next": "T"},
            "T": {"Type": "Task", "Resource": ACTIVITY, "End": True},
        }
    }
