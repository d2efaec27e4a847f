"""Workloads of the engine alone: no HTTP, this process and its writer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from bench import machines
from bench.disk import BareAppend, commit_cpu, commit_seconds, flush_seconds
from bench.house import ECHO, SCOPE, Compiled, House, house
from bench.load import Load, under_load
from bench.options import Options
from bench.processes import cpu_seconds, running
from bench.results import Row
from stepwell.kernel.jsontext import Json, dumps

CLIENTS = 16
TASKS = 10
SLOW_FLUSH = 1e-3  # seconds; below, the wall ratio of a durable path says nothing about us
FLOODERS = 4
BATCHES = 40


async def express_ten(options: Options, folder: Path) -> list[Row]:
    """CPU of ten Pass and Choice states with their history."""
    async with house(folder) as home:
        machine = await home.machine("ten", machines.ten_states())
        text = dumps(machines.TEN_INPUT)

        async def once() -> None:
            await home.in_memory(machine, Json.parse(text), machines.TEN_OUTPUT)

        values = await _cpu_turns(once, options, 2_000)
    return [Row(path="Express, 10 states", what="CPU", unit="us", values=_in("us", values), budget=40)]


async def jsonata_ten(options: Options, folder: Path) -> list[Row]:
    """The same ten states in JSONata with variables, against those in JSONPath."""
    text = dumps(machines.TEN_INPUT)
    one_turn = replace(options, turns=1)
    jsonata, ratios = [], []
    async with house(folder) as home:
        plain = await home.machine("ten", machines.ten_states())
        twin = await home.machine("ten-jsonata", machines.ten_states_in_jsonata())

        async def once(machine: Compiled) -> None:
            await home.in_memory(machine, Json.parse(text), machines.TEN_OUTPUT)

        for _ in range(options.turns):
            [limit] = await _cpu_turns(partial(once, plain), one_turn, 2_000)
            [ours] = await _cpu_turns(partial(once, twin), one_turn, 2_000)
            jsonata.append(ours)
            ratios.append(ours / limit)
    path = "Express, 10 states in JSONata"
    return [
        Row(path=path, what="CPU", unit="us", values=_in("us", jsonata)),
        Row(path=path, what="CPU / the same in JSONPath", unit="", values=ratios, budget=3),
    ]


async def maps(options: Options, folder: Path) -> list[Row]:
    """An inline Map of 1,000 items and three states."""
    async with house(folder) as home:
        machine = await home.machine("map", machines.map_of_three())
        text, wanted = dumps(machines.map_input()), machines.map_output()

        async def express() -> None:
            await home.in_memory(machine, Json.parse(text), wanted)

        async def standard() -> None:
            await home.standard(machine, Json.parse(text), wanted)

        in_memory = await _cpu_turns(express, options, 40)
        durable = await _tree_turns(standard, options, home, 8)
    path = f"Map of {machines.MAP_ITEMS:,} x 3 states"
    return [
        Row(path=path, what="Express CPU", unit="ms", values=_in("ms", in_memory), budget=30),
        Row(path=path, what="Standard CPU", unit="ms", values=_in("ms", [sum(pair) for pair in durable]), budget=300),
    ]


async def standard_ten(options: Options, folder: Path) -> list[Row]:
    """Ten states durably, against a bare append of pages of the same size."""
    cpu, rates, p50 = [], [], []
    async with house(folder) as home:
        machine = await home.machine("ten", machines.ten_states())
        text = dumps(machines.TEN_INPUT)
        sample = await home.standard(machine, Json.parse(text), machines.TEN_OUTPUT)
        bodies = [page.body for page in await home.pages(sample)]
        body = b"".join(bodies)
        for _ in range(options.turns):
            bare = await _bare(folder, body, options, home)

            async def once() -> None:
                await home.standard(machine, Json.parse(text), machines.TEN_OUTPUT)

            ours = await under_load([once] * CLIENTS, options.seconds, home.pids)
            cpu.append(ours.cpu - bare.cpu)
            rates.append(ours.rate / bare.rate)
            p50.append(ours.p50)
    flush = flush_seconds(folder, options.seconds / 4)
    slow = flush >= SLOW_FLUSH
    path, note = (
        f"Standard, 10 states, {CLIENTS} clients",
        f"one page of {len(body):,} bytes; a flush takes {flush * 1e3:.2f} ms",
    )
    ratio = 0.5 if slow else None
    return [
        Row(path=path, what="CPU over the bare append", unit="ms", values=_in("ms", cpu), budget=1, note=note),
        Row(path=path, what="rate / bare append", unit="", values=rates, budget=ratio, at_least=True),
        Row(path=path, what="p50", unit="ms", values=_in("ms", p50)),
    ]


async def ten_tasks(options: Options, folder: Path) -> list[Row]:
    """Ten tasks one after the other, answered in this process."""
    async with house(folder) as home:
        machine = await home.machine("tasks", machines.tasks(TASKS, ECHO, {"id.$": "$.id"}))
        text = dumps(machines.TEN_INPUT)
        wanted = {**machines.TEN_INPUT, **{f"r{number}": {"id": 12345} for number in range(TASKS)}}
        commits: list[float] = []

        async def once() -> None:
            execution = await home.standard(machine, Json.parse(text), wanted)
            commits.append(execution.seq / TASKS)

        cpu = await _tree_turns(once, options, home, 100)
        bare = [commit_cpu(folder, 200) * (TASKS + 1) for _ in range(options.turns)]
    path = f"Standard, {TASKS} sequential tasks"
    return [
        Row(path=path, what="commits a task", unit="", values=commits[:1], budget=2),
        Row(path=path, what="CPU, writer included", unit="ms", values=_in("ms", [sum(pair) for pair in cpu]), budget=3),
        Row(path=path, what="CPU of the server alone", unit="ms", values=_in("ms", [own for own, _ in cpu])),
        Row(path=path, what=f"CPU of {TASKS + 1} bare commits", unit="ms", values=_in("ms", bare)),
    ]


async def http_tasks(options: Options, folder: Path) -> list[Row]:
    """Four ``http:invoke`` states, against four calls of the same client library."""
    import aiohttp  # noqa: PLC0415 - one workload needs it

    rows: dict[str, list[float]] = {"Express": [], "Standard": []}
    with running("-m", "bench.partner") as partner:
        url = f"http://127.0.0.1:{partner.first}/"
        async with house(folder) as home, aiohttp.ClientSession() as session:
            auth = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "v"}}
            made = await home.connections.create(
                SCOPE, {"Name": "bench", "AuthorizationType": "API_KEY", "AuthParameters": auth}
            )
            parameters = {
                "ApiEndpoint": url,
                "Method": "GET",
                "Authentication": {"ConnectionArn": made["ConnectionArn"]},
            }
            machine = await home.machine("http", machines.tasks(4, "arn:aws:states:::http:invoke", parameters))

            async def bare() -> None:
                for _ in range(4):
                    async with session.get(url) as answer:
                        if await answer.json() != {"ok": True}:
                            raise RuntimeError("wrong answer")

            async def express() -> None:
                _four(await home.in_memory(machine, Json.parse("{}"), None))

            async def standard() -> None:
                _four(await home.standard(machine, Json.parse("{}"), None))

            for _ in range(options.turns):
                limit = await under_load([bare] * CLIENTS, options.seconds, home.pids)
                for kind, work in (("Express", express), ("Standard", standard)):
                    ours = await under_load([work] * CLIENTS, options.seconds, home.pids)
                    rows[kind].append(ours.p50 / limit.p50)
    path = f"4 http:invoke states, {CLIENTS} clients"
    return [
        Row(path=path, what=f"{kind} p50 / bare calls", unit="", values=values, budget=3)
        for kind, values in rows.items()
    ]


async def under_flood(options: Options, folder: Path) -> list[Row]:
    """The wait for a Standard commit while Express executions keep the event loop busy."""
    ratios, idle_p50, flood_p50 = [], [], []
    async with house(folder) as home:
        machine = await home.machine("ten", machines.ten_states())
        text = dumps(machines.TEN_INPUT)

        async def once() -> None:
            await home.standard(machine, Json.parse(text), machines.TEN_OUTPUT)

        async def flood() -> None:
            while True:
                await home.in_memory(machine, Json.parse(text), machines.TEN_OUTPUT)
                await asyncio.sleep(0)

        for _ in range(options.turns):
            idle = await under_load([once], options.seconds, home.pids)
            flooders = [asyncio.ensure_future(flood()) for _ in range(FLOODERS)]
            busy = await under_load([once], options.seconds, home.pids)
            for flooder in flooders:
                flooder.cancel()
            await asyncio.gather(*flooders, return_exceptions=True)
            idle_p50.append(idle.p50)
            flood_p50.append(busy.p50)
            ratios.append(busy.p50 / idle.p50)
    path = "Standard commit under an Express flood"
    return [
        Row(path=path, what="p50 / idle p50", unit="", values=ratios, budget=4),
        Row(path=path, what="idle p50", unit="ms", values=_in("ms", idle_p50)),
        Row(path=path, what="flooded p50", unit="ms", values=_in("ms", flood_p50)),
    ]


async def durable_limits(options: Options, folder: Path) -> list[Row]:
    """What one flush and one commit take on this disk."""
    flushes = [flush_seconds(folder, options.seconds / 2) for _ in range(options.turns)]
    commits = [commit_seconds(folder, options.seconds / 2, b"x" * 1_000) for _ in range(options.turns)]
    return [
        Row(path="The disk", what="write and fsync, p50", unit="ms", values=_in("ms", flushes)),
        Row(path="The disk", what="bare SQLite commit, p50", unit="ms", values=_in("ms", commits)),
    ]


# ---------------------------------------------------------------------------------------------------------- helpers
async def _bare(folder: Path, body: bytes, options: Options, home: House) -> Load:
    path = folder / f"bare-{time.time_ns()}.db"
    names = count()
    async with BareAppend(path) as bare:

        async def once() -> None:
            await bare.append(next(names).to_bytes(16, "big"), 1, body)

        return await under_load([once] * CLIENTS, options.seconds, home.pids)


def _four(execution: object) -> None:
    output = getattr(execution, "output", None)
    if output is None or any(output.value[f"r{number}"]["ResponseBody"] != {"ok": True} for number in range(4)):
        raise RuntimeError(f"wrong answer: {output}")


async def _cpu_turns(once: Callable[[], Awaitable[None]], options: Options, runs: int) -> list[float]:
    """CPU of this process for one run: in each turn the least disturbed of many short batches."""
    batch = max(1, runs // BATCHES)
    values = []
    for _ in range(options.turns):
        taken = []
        for _ in range(BATCHES):
            begun = time.process_time()
            for _ in range(batch):
                await once()
            taken.append((time.process_time() - begun) / batch)
        values.append(min(taken))
    return values


async def _tree_turns(
    once: Callable[[], Awaitable[None]], options: Options, home: House, runs: int
) -> list[tuple[float, float]]:
    """CPU of this process and of its writer for one run, in each turn."""
    await once()
    values = []
    for _ in range(options.turns):
        own, writer = time.process_time(), cpu_seconds(home.writer)
        for _ in range(runs):
            await once()
        values.append(((time.process_time() - own) / runs, (cpu_seconds(home.writer) - writer) / runs))
    return values


def _in(unit: str, seconds: list[float]) -> list[float]:
    factor = {"us": 1e6, "ms": 1e3}[unit]
    return [value * factor for value in seconds]
