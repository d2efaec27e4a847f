"""Express executions: in memory from start to end, as many at once as a limit allows.

A synchronous one leaves no trace: no database write, no thread. An asynchronous one is durable before it is acknowledged:
what is needed to run it is kept in a store under a place ``PID/ID``, and forgotten when it has ended. After a crash, or when
the partition gets another owner, it runs again from its start, under the same ARN but with new idempotency keys. So it runs
at least once, as AWS promises for asynchronous Express workflows:
https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, Protocol

from stepwell.engine.execution_log import EventLog, LogPlan
from stepwell.engine.journal import PARTITIONS, Key
from stepwell.engine.machines import Machines
from stepwell.engine.memory import MemoryRun
from stepwell.engine.state import Execution
from stepwell.engine.tasks import TaskRunner
from stepwell.engine.turn import MakeTurn, Turn
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import Clock, wait_until
from stepwell.kernel.errors import ServiceError, StorageError
from stepwell.kernel.ids import Ids
from stepwell.kernel.jsontext import Json
from stepwell.kernel.limits import EXPRESS_SECONDS

IN_FLIGHT = 20_000  # at once, of both kinds; more are refused
BATCH = 500  # kept executions read at a time
RETRY_SECONDS = 1.0
SURELY_OVER = EXPRESS_SECONDS + 60.0  # seconds after which no server can still be running an execution
ID_BYTES = 16
log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """An acknowledged execution that has not ended yet, as it is stored. ``body`` is a JSON object."""

    place: str  # the partition's three digits, a slash, and the first run's id
    body: dict[str, Any]


class ExpressStore(Protocol):
    """Where acknowledged executions are kept. All coroutines may raise StorageError."""

    async def keep(self, kept: Kept) -> None:
        """Returns when it is durable."""
        ...

    async def forget(self, place: str) -> None: ...

    async def kept(self, after: str | None, limit: int) -> list[Kept]:
        """In the order of their places."""
        ...


def new_execution_key(pid: int, now: float, ids: Ids) -> Key:
    """A key whose id sorts by time: six bytes of milliseconds, ten random ones."""
    return Key(pid, round(now * 1000).to_bytes(6, "big") + ids.token(ID_BYTES - 6))


class Express:
    """Runs Express executions. ``owns`` says which partitions are this server's."""

    def __init__(
        self,
        machines: Machines,
        runner: TaskRunner,
        store: ExpressStore,
        clock: Clock,
        ids: Ids,
        *,
        owns: Callable[[int], bool] = lambda pid: pid >= 0,
        limit: int = IN_FLIGHT,
        events: EventLog | None = None,
    ) -> None:
        self._machines = machines
        self._runner = runner
        self._store = store
        self._clock = clock
        self._ids = ids
        self._owns = owns
        self._limit = limit
        self._events = events
        self._runs: set[MemoryRun] = set()
        self._background: dict[str, asyncio.Task[None]] = {}
        self._direct = 0  # synchronous ones
        self._recoveries = 0  # going on now
        self._ended: set[str] = set()  # places that ended while one goes on: it may have read them before

    @property
    def in_flight(self) -> int:
        return len(self._background) + self._direct

    async def sync(self, execution: Execution, make_turn: MakeTurn = Turn) -> Execution:
        """Run to the end. Raises ServiceError (ThrottlingException) when too many are in flight."""
        self._admit()
        execution.sync = True
        self._direct += 1
        try:
            return await self._run(execution, make_turn)
        finally:
            self._direct -= 1

    async def start(self, execution: Execution) -> None:
        """Acknowledge an execution durably, then run it in the background.

        Raises ServiceError (ThrottlingException), StorageError.
        """
        self._admit()
        execution.key = key = Key(self._home(execution.key.id), execution.key.id)
        kept = Kept(f"{key.pid:03d}/{key.id.hex()}", _body(execution))
        # It counts as running from now on, so that a recovery at the same time leaves it alone.
        acknowledged: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._launch(kept.place, self._when(acknowledged, kept.place, execution))
        try:
            await self._store.keep(kept)
        except BaseException:
            _resolve(acknowledged, False)
            raise
        _resolve(acknowledged, True)

    async def recover(self, pids: Iterable[int]) -> int:
        """Run again what was acknowledged in these partitions and does not run here; how many there were.

        To be called when partitions are gained. Raises StorageError.
        """
        gained = set(pids)
        return await self._take_up(lambda pid, _started: pid in gained)

    async def sweep(self) -> int:
        """Run again what a server without partitions of its own left behind; to be called every minute or so."""
        before = self._clock.now() - SURELY_OVER
        return await self._take_up(lambda pid, started: self._owns(pid) and started < before)

    async def settle(self) -> None:
        """Until all that runs only waits for time to pass (for tests with a manual clock)."""
        while True:
            await asyncio.sleep(0)
            for run in list(self._runs):
                await run.settle()
            if self.in_flight <= sum(run.execution.status == "RUNNING" for run in self._runs):
                return

    async def shut_down(self, seconds: float) -> None:
        """Let background executions end for so many seconds; the rest runs again when the server is back."""
        if self._background:
            _, late = await asyncio.wait(list(self._background.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # ------------------------------------------------------------------ inside
    def _admit(self) -> None:
        if self.in_flight >= self._limit:
            raise ServiceError("ThrottlingException", "Rate exceeded")

    async def _run(self, execution: Execution, make_turn: MakeTurn = Turn) -> Execution:
        run = MemoryRun(
            execution,
            self._runner,
            self._clock,
            self._ids,
            stopwatch=time.perf_counter,
            make_turn=make_turn,
            events=self._events,
        )
        self._runs.add(run)
        try:
            return await run.run()
        finally:
            self._runs.discard(run)

    def _home(self, identity: bytes) -> int:
        """A partition of this server, so that nobody else takes the execution for abandoned; else any."""
        first = identity[-1] % PARTITIONS
        nearest = (pid % PARTITIONS for pid in range(first, first + PARTITIONS))
        return next((pid for pid in nearest if self._owns(pid)), first)

    def _launch(self, place: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background[place] = task
        task.add_done_callback(lambda _done: self._leave(place))

    def _leave(self, place: str) -> None:
        del self._background[place]
        if self._recoveries:
            self._ended.add(place)

    async def _when(self, acknowledged: asyncio.Future[bool], place: str, execution: Execution) -> None:
        if await acknowledged:
            await self._through(place, execution)

    async def _through(self, place: str, execution: Execution) -> None:
        """Run in the background; then there is nothing to keep. A cancelled run stays kept."""
        try:
            ended = await self._run(execution)
            log.debug("the Express execution %s is %s: %s", ended.arn, ended.status, ended.error)
        except Exception:  # our bug; running it again would end the same way
            log.exception("the Express execution %s cannot go on", execution.arn)
        while True:
            try:
                await self._store.forget(place)
            except StorageError as error:
                log.warning("the Express execution %s has ended, but its record stays: %s", execution.arn, error)
                await wait_until(self._clock, self._clock.now() + RETRY_SECONDS)
            else:
                return

    async def _take_up(self, wanted: Callable[[int, float], bool]) -> int:
        self._recoveries += 1
        after, count = None, 0
        try:
            while batch := await self._store.kept(after, BATCH):
                after = batch[-1].place
                for kept in batch:
                    pid = int(kept.place.partition("/")[0])
                    ours = kept.place in self._background or kept.place in self._ended
                    if not ours and wanted(pid, kept.body["started"]):
                        log.debug("the Express execution %s runs again", kept.body["arn"])
                        self._launch(kept.place, self._again(kept, pid))
                        count += 1
                await asyncio.sleep(0)
        finally:
            self._recoveries -= 1
            if not self._recoveries:
                self._ended.clear()
        return count

    async def _again(self, kept: Kept, pid: int) -> None:
        now = round(self._clock.now(), 3)
        try:
            machine = await self._machines.get(kept.body["definition"])
        except (StorageError, KeyError) as error:
            log.warning("the Express execution %s waits for the next recovery: %r", kept.body["arn"], error)
            return
        body = kept.body
        execution = Execution(
            key=new_execution_key(pid, now, self._ids),
            arn=body["arn"],
            name=body["name"],
            machine=machine,
            machine_arn=body["machineArn"],
            machine_name=body["machineName"],
            role_arn=body["roleArn"],
            scope=Scope(*body["scope"]),
            definition=body["definition"],
            started=now,
            input=Json(text=body["input"]),
            express=True,
            version=body["version"],
            trace_header=body["traceHeader"],
            log=LogPlan(*body["log"]) if body.get("log") else None,
            frames={},
            payloads={},
            tasks={},
        )
        await self._through(kept.place, execution)


def _resolve(acknowledged: asyncio.Future[bool], written: bool) -> None:
    """Nobody waits any more if the server is shutting down; then the execution runs when it is back."""
    if not acknowledged.done():
        acknowledged.set_result(written)


def _body(execution: Execution) -> dict[str, Any]:
    scope, log_plan = execution.scope, execution.log
    return {
        "arn": execution.arn,
        "name": execution.name,
        "machineArn": execution.machine_arn,
        "machineName": execution.machine_name,
        "roleArn": execution.role_arn,
        "scope": [scope.partition, scope.region, scope.account],
        "definition": execution.definition,
        "started": execution.started,
        "input": execution.input.text,
        "version": execution.version,
        "traceHeader": execution.trace_header,
        "log": None if log_plan is None else list(log_plan),
    }
