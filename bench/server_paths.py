"""Workloads of a whole server process, over HTTP."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bench import machines
from bench.disk import commit_seconds
from bench.http_client import Connection, head_of
from bench.load import under_load
from bench.options import Options
from bench.processes import cpu_seconds, resident_bytes, running, stepwell, threads
from bench.results import Row

CLIENTS = 16
MB = 1 << 20
SETTLE_SECONDS = 3.0
START_TURNS = 3
ROLE = "arn:aws:iam::000000000000:role/bench"


async def sync_express(options: Options, folder: Path) -> list[Row]:
    """StartSyncExecution of ten states, against a bare echo of the same request body."""
    ratios, rates, echoes, cpu, echo_cpu = [], [], [], [], []
    with running("-m", "bench.echo") as echo, stepwell(folder) as (server, port):
        ours, theirs = await _connect(port, CLIENTS), await _connect(int(echo.first), CLIENTS)
        machine = await create(ours[0], "ten", machines.ten_states(), "EXPRESS")
        body = json.dumps({"stateMachineArn": machine, "input": json.dumps(machines.TEN_INPUT)}).encode()
        head, wanted = head_of("states", "StartSyncExecution"), json.loads(body)

        def started(connection: Connection) -> Callable[[], Awaitable[None]]:
            async def once() -> None:
                answer = await connection.call("StartSyncExecution", body)
                if answer["status"] != "SUCCEEDED" or json.loads(answer["output"]) != machines.TEN_OUTPUT:
                    raise RuntimeError(f"wrong answer: {answer}")

            return once

        def echoed(connection: Connection) -> Callable[[], Awaitable[None]]:
            async def once() -> None:
                _, answer = await connection.post(head, body)
                if json.loads(answer) != wanted:
                    raise RuntimeError(f"wrong answer: {answer!r}")

            return once

        await under_load([started(connection) for connection in ours], 0.3, ())
        for _ in range(options.turns):
            bare = await under_load([echoed(connection) for connection in theirs], options.seconds, (echo.pid,))
            load = await under_load([started(connection) for connection in ours], options.seconds, (server.pid,))
            ratios.append(load.rate / bare.rate)
            rates.append(load.rate)
            echoes.append(bare.rate)
            cpu.append(load.cpu * 1e6)
            echo_cpu.append(bare.cpu * 1e6)
    path = f"StartSyncExecution, 10 states, {CLIENTS} clients"
    return [
        Row(path=path, what="rate / bare echo", unit="", values=ratios, budget=0.5, at_least=True),
        Row(path=path, what="requests a second", unit="", values=rates),
        Row(path=path, what="bare echo, requests a second", unit="", values=echoes),
        Row(path=path, what="server CPU", unit="us", values=cpu),
        Row(path=path, what="bare echo, server CPU", unit="us", values=echo_cpu),
    ]


async def standard_over_http(options: Options, folder: Path) -> list[Row]:
    """StartExecution until DescribeExecution says SUCCEEDED; one client's latency against a durable commit."""
    latencies, bounds, rates, cpu = [], [], [], []
    with stepwell(folder) as (server, port):
        clients = await _connect(port, CLIENTS)
        machine = await create(clients[0], "ten", machines.ten_states(), "STANDARD")
        work = [until_succeeded(connection, machine) for connection in clients]
        await under_load(work, 0.3, ())
        for _ in range(options.turns):
            commit = commit_seconds(folder, options.seconds / 4, b"x" * 3_000)
            one = await under_load(work[:1], options.seconds, ())
            many = await under_load(work, options.seconds, (server.pid,))
            latencies.append(one.p50 * 1e3)
            bounds.append((3 * commit + 0.002) * 1e3)
            rates.append(many.rate)
            cpu.append(many.cpu * 1e3)
    path, bound = "Standard, 10 states, HTTP", statistics.median(bounds)
    return [
        Row(
            path=path, what="1 client, p50", unit="ms", values=latencies, budget=bound, note="3 durable commits + 2 ms"
        ),
        Row(path=path, what=f"{CLIENTS} clients, executions a second", unit="", values=rates),
        Row(path=path, what=f"{CLIENTS} clients, server CPU", unit="ms", values=cpu),
    ]


async def many_waiting(options: Options, folder: Path) -> list[Row]:
    """Executions that wait: what each costs in memory, threads and idle CPU, and how long it takes to start them."""
    count = options.waiting
    with stepwell(folder) as (server, port):
        clients = await _connect(port, CLIENTS)
        machine = await create(clients[0], "wait", machines.waiting(), "STANDARD")
        ten = await create(clients[0], "ten", machines.ten_states(), "STANDARD")
        for connection in clients:
            await until_succeeded(connection, ten)()
        before, threads_before = resident_bytes(server.pid), threads(server.pid)
        todo = iter(range(count))

        async def start(connection: Connection) -> None:
            for _ in todo:
                await connection.call("StartExecution", _start_body(machine, "{}"))

        begun = time.perf_counter()
        await asyncio.gather(*(start(connection) for connection in clients))
        elapsed = time.perf_counter() - begun
        await asyncio.sleep(SETTLE_SECONDS)
        after, used = resident_bytes(server.pid), cpu_seconds(server.pid)
        await asyncio.sleep(SETTLE_SECONDS)
        busy = (cpu_seconds(server.pid) - used) / SETTLE_SECONDS * 100
        grown = threads(server.pid) - threads_before
        await _all_running(clients[0], machine)
    path = f"{count:,} waiting executions"
    return [
        Row(path=path, what="memory each", unit="KB", values=[(after - before) / count / 1024], budget=10),
        Row(path=path, what="threads more", unit="", values=[grown], budget=0),
        Row(path=path, what="idle CPU", unit="%", values=[busy], budget=1),
        Row(path=path, what="started in", unit="s", values=[elapsed], budget=count / 1_000),
    ]


async def idle_server(options: Options, folder: Path) -> list[Row]:
    """From the command to the line that says it listens, and the memory of the process and its writer."""
    ready, resident = [], []
    for number in range(max(START_TURNS, options.turns)):
        with stepwell(folder / str(number)) as (server, port):
            (connection,) = await _connect(port, 1)
            await connection.call("ListStateMachines", b"{}")
            ready.append(server.ready)
            resident.append(resident_bytes(server.pid) / MB)
    return [
        Row(path="Idle server", what="ready in", unit="s", values=ready, budget=1),
        Row(path="Idle server", what="memory, writer included", unit="MB", values=resident, budget=120),
    ]


# ---------------------------------------------------------------------------------------------------------- helpers
async def create(connection: Connection, name: str, definition: machines.Definition, kind: str) -> str:
    request = {
        "name": f"{name}-{uuid.uuid4().hex[:8]}",
        "definition": json.dumps(definition),
        "roleArn": ROLE,
        "type": kind,
    }
    answer = await connection.call("CreateStateMachine", json.dumps(request).encode())
    return str(answer["stateMachineArn"])


def until_succeeded(connection: Connection, machine: str) -> Callable[[], Awaitable[None]]:
    """Starts an execution of the ten states and asks until it has ended."""
    document = json.dumps(machines.TEN_INPUT)

    async def once() -> None:
        started = await connection.call("StartExecution", _start_body(machine, document))
        question = json.dumps({"executionArn": started["executionArn"]}).encode()
        pause = 0.001
        while (answer := await connection.call("DescribeExecution", question))["status"] == "RUNNING":
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        if answer["status"] != "SUCCEEDED" or json.loads(answer["output"]) != machines.TEN_OUTPUT:
            raise RuntimeError(f"wrong answer: {answer}")

    return once


def _start_body(machine: str, document: str) -> bytes:
    return json.dumps({"stateMachineArn": machine, "input": document, "name": uuid.uuid4().hex}).encode()


async def _connect(port: int, count: int) -> Sequence[Connection]:
    return [await Connection.connect(port) for _ in range(count)]


async def _all_running(connection: Connection, machine: str) -> None:
    question: dict[str, Any] = {"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1_000}
    answer = await connection.call("ListExecutions", json.dumps(question).encode())
    if len(answer["executions"]) != 1_000:
        raise RuntimeError(f"only {len(answer['executions'])} executions are running")
