"""Crash-anywhere: run one execution on a worker that dies again and again, and compare what happened with a run that did not.

The worker is killed before or after a commit, or before or after a task's call, at points drawn from a seed; everything in
its memory is gone, the database stays, and a new worker recovers. At other points only the database fails: a read or write
is not done, or a write is done and its answer is lost; then the same worker must go on by itself. In the end the history
must hold the same events, each following the same chain of events as without crashes; every effect must have happened at
least once, and always under one key.

What may differ: times, tokens, and after which sibling a join or a later Map iteration follows (any order of branches).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter, defaultdict
from typing import Any

from crash.machines import Plan
from stepwell.engine.events import Event
from stepwell.engine.journal import Append, ExecutionRow, Journal, Key, NewExecution, Stored, partition_of
from stepwell.engine.machines import Machines, definition_hash
from stepwell.engine.messages import Failed, Succeeded
from stepwell.engine.pages import events_of_page, payloads_of_page
from stepwell.engine.state import Execution
from stepwell.engine.tasks import Submitted, TaskCall, TaskFailed, TaskOutcome, TaskSubmitted, TaskSucceeded
from stepwell.engine.timers import HORIZON
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import ManualClock
from stepwell.kernel.errors import StorageUnavailable
from stepwell.kernel.ids import SeededIds
from stepwell.kernel.jsontext import Json
from stepwell.kernel.keys import KeyRing
from stepwell.storage.bundle import Storage
from stepwell.storage.documents import PutDefinition

MACHINE_ARN = "arn:aws:states:us-east-1:000000000000:stateMachine:crash"
ACTIVITY_ARN = "arn:aws:states:us-east-1:000000000000:activity:crash"
INPUT = '{"items": [1, 2, 3]}'
LONGEST = 100_000.0  # seconds of workflow time, far more than any plan takes
MERCY = 100  # after so many crashes they become half as likely: all calls of a wide fork must survive at once
LIVES = 500  # more than any run needs; a run that needs them all is stuck
FREE_PREDECESSOR = frozenset(
    {"MapIterationStarted", "MapStateSucceeded", "MapStateExited", "ParallelStateSucceeded", "ParallelStateExited"}
)


class Reaper:
    """Decides, from a seed, at which points the worker dies."""

    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(f"crash {seed}")
        self._chance = 0.0 if seed is None else self._random.choice([0.05, 0.15, 0.3])
        self.crashes = 0
        self.failures = 0
        self.died = asyncio.Event()

    def revive(self) -> None:
        self.died = asyncio.Event()
        if self.crashes % MERCY == MERCY - 1:
            self._chance /= 2

    async def point(self) -> None:
        """A place where the process may end. The dead never go on."""
        if self.died.is_set():
            await asyncio.get_running_loop().create_future()
        if self._random.random() < self._chance:
            self.crashes += 1
            self.died.set()
            await asyncio.get_running_loop().create_future()

    def fail(self) -> None:
        """A place where the database may fail."""
        if self._random.random() < self._chance / 3:
            self.failures += 1
            raise StorageUnavailable("the answer of the database was lost")


class MortalJournal:
    """A journal whose worker may die, or whose database may fail, before or after each write."""

    def __init__(self, journal: Journal, reaper: Reaper) -> None:
        self._journal = journal
        self._reaper = reaper

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def start(self, new: NewExecution, first: Append | None) -> ExecutionRow | None:
        await self._reaper.point()
        self._reaper.fail()
        taken = await self._journal.start(new, first)
        self._reaper.fail()
        await self._reaper.point()
        return taken

    async def append(self, append: Append) -> None:
        await self._reaper.point()
        self._reaper.fail()
        await self._journal.append(append)
        self._reaper.fail()
        await self._reaper.point()

    async def load(self, key: Key) -> Stored | None:
        self._reaper.fail()
        return await self._journal.load(key)


class HastyWorker(Worker):
    """Tries again at once: the clock of a trial stands still while there is work."""

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Outside:
    """The world the tasks act on. It outlives every worker."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.effects: Counter[tuple[str, str]] = Counter()  # (state, key) -> times
        self.tokens: dict[str, str] = {}  # tokens to answer, with their state

    def answer(self, state: str, attempt: int) -> TaskOutcome:
        if attempt < self._plan.failures.get(state, 0):
            return TaskFailed(error="Busy", cause=f"attempt {attempt}")
        return TaskSucceeded(output=Json({"done": state}))


class MortalRunner:
    """Calls tasks in the outside world; the worker may die before or after."""

    def __init__(self, outside: Outside, reaper: Reaper) -> None:
        self._outside = outside
        self._reaper = reaper

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        del submitted
        await self._reaper.point()
        self._outside.effects[call.state, call.key] += 1
        outcome: TaskOutcome
        if call.token is None:
            outcome = self._outside.answer(call.state, call.attempt)
        else:
            self._outside.tokens[call.token] = f"{call.state}/{call.attempt}"
            outcome = TaskSubmitted(output=Json({"accepted": call.state}))
        await self._reaper.point()
        return outcome


class Trial:
    """One execution of a plan on one database, with or without crashes."""

    def __init__(self, storage: Storage, plan: Plan, name: str, crash_seed: int | None) -> None:
        self.outside = Outside(plan)
        self.reaper = Reaper(crash_seed)
        self._storage = storage
        self._plan = plan
        self._tokens = Tokens(KeyRing({1: b"k" * 32}))
        self._ids = SeededIds(name)
        self._now = ManualClock().now()
        self.arn = f"arn:aws:states:us-east-1:000000000000:execution:crash:{name}"
        self._key = Key(partition_of(self.arn), self._ids.token(16))
        self._text = json.dumps(plan.definition)

    async def run(self) -> list[Event]:
        """Until the execution has ended; its history."""
        await self._storage.documents.write([PutDefinition(definition_hash(self._text), self._text)])
        for _ in range(LIVES):
            if await self._life():
                return await self._history()
        raise AssertionError(f"{self.arn} did not end in {LIVES} lives")

    async def _life(self) -> bool:
        """One worker from its start to its death, or to the end of the execution."""
        self.reaper.revive()
        before = asyncio.all_tasks()
        clock = ManualClock(self._now)
        machines = Machines(self._storage.documents.definition)
        journal = MortalJournal(self._storage.journal, self.reaper)
        runner = MortalRunner(self.outside, self.reaper)
        worker = HastyWorker(journal, machines, runner, clock, self._ids, self._tokens)
        clock.settlers.append(worker.settle)
        living = asyncio.ensure_future(self._live(worker, machines, clock))
        dying = asyncio.ensure_future(self.reaper.died.wait())
        await asyncio.wait([living, dying], return_when=asyncio.FIRST_COMPLETED)
        ended = living.done() and not self.reaper.died.is_set()
        if living.done() and not living.cancelled() and (error := living.exception()):
            raise error
        self._now = clock.now()
        remains = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
        for task in remains:
            task.cancel()
        await asyncio.gather(*remains, return_exceptions=True)
        return ended

    async def _live(self, worker: Worker, machines: Machines, clock: ManualClock) -> None:
        while await self._storage.journal.row(self.arn) is None:
            with contextlib.suppress(StorageUnavailable):
                await worker.start(await self._new(machines, clock))
            await worker.settle()
        await worker.recover()
        await worker.settle()
        began = clock.now()
        while (await self._row()).status == "RUNNING":
            acted = await self._answer_tokens(worker) or await self._work_activity(worker)
            await worker.settle()
            if not acted and (await self._row()).status == "RUNNING":
                await worker.scan_timers()
                due = clock.next_due()
                await clock.advance(HORIZON / 2 if due is None else max(0.0, due - clock.now()))
                assert clock.now() - began < LONGEST, "the execution waits for nothing"

    async def _new(self, machines: Machines, clock: ManualClock) -> Execution:
        definition = definition_hash(self._text)
        return Execution(
            key=self._key,
            arn=self.arn,
            name=self.arn.rsplit(":", 1)[1],
            machine=await machines.get(definition),
            machine_arn=MACHINE_ARN,
            machine_name="crash",
            role_arn="arn:aws:iam::000000000000:role/crash",
            scope=Scope(),
            definition=definition,
            started=clock.now(),
            input=Json.parse(INPUT),
            frames={},
            payloads={},
            tasks={},
        )

    async def _answer_tokens(self, worker: Worker) -> bool:
        """Answer one token; one that does not count any more is forgotten (its task was answered before a crash)."""
        for text, named in list(self.outside.tokens.items()):
            state, attempt = named.rsplit("/", 1)
            token = self._tokens.read(text)
            assert token is not None
            outcome = self.outside.answer(state, int(attempt))
            if isinstance(outcome, TaskFailed):
                message: Any = Failed(token.frame, token.event, outcome.error, outcome.cause, callback=True)
            else:
                assert isinstance(outcome, TaskSucceeded)
                message = Succeeded(token.frame, token.event, outcome.output, callback=True)
            with contextlib.suppress(StorageUnavailable):
                await worker.tell(token.key, message)
                del self.outside.tokens[text]
            return True
        return False

    async def _work_activity(self, worker: Worker) -> bool:
        """Poll for one activity task and leave its answer to the tokens."""
        rows = await self._storage.journal.waiting_activities(ACTIVITY_ARN, 1)
        claimed = [row for row in (await self._storage.journal.load(self._key)).tasks if row.kind == "worker"]  # type: ignore[union-attr]
        for row in claimed:  # a worker that got its task, or whose poll's answer a crash swallowed, does it
            state, attempt, token, *_ = json.loads(row.body)
            self.outside.effects[state, f"activity {row.event}"] += 1
            self.outside.tokens[token] = f"{state}/{attempt}"
        if claimed:
            return True
        if not rows:
            return False
        with contextlib.suppress(StorageUnavailable):
            return await worker.activities.poll(ACTIVITY_ARN, "worker", 0) is not None
        return True

    async def _row(self) -> ExecutionRow:
        row = await self._storage.journal.row(self.arn)
        assert row is not None
        return row

    async def _history(self) -> list[Event]:
        row = await self._row()
        pages = await self._storage.journal.pages(row.key, after=0, before=None, limit=10_000, newest_first=False)
        numbers = {number for page in pages for number in payloads_of_page(page)}
        payloads = await self._storage.journal.payloads(row.key, sorted(numbers))
        return [event for page in pages for event in events_of_page(page, row, payloads)]


def chains(events: list[Event], reaper_free: frozenset[str] = FREE_PREDECESSOR) -> Counter[str]:
    """The history as a multiset of chains: each event with all the events it follows, times and tokens masked."""
    assert [event.id for event in events] == list(range(1, len(events) + 1)), "event ids are not dense"
    words: dict[int, str] = {0: ""}
    found: Counter[str] = Counter()
    for event in events:
        assert event.previous < event.id
        before = "" if event.type in reaper_free else str(hash(words[event.previous]))
        words[event.id] = f"{before} {event.type} {_masked(event.details)}"
        found[words[event.id]] += 1
    return found


def _masked(details: dict[str, Any] | None) -> str:
    shown = {name: value.value if isinstance(value, Json) else value for name, value in (details or {}).items()}
    text = json.dumps(shown, sort_keys=True)
    if "token" in text:
        shown["parameters"] = {
            **shown["parameters"],
            "MessageBody": {**shown["parameters"]["MessageBody"], "token": "..."},
        }
        text = json.dumps(shown, sort_keys=True)
    return text


def keys_per_effect(outside: Outside) -> dict[str, int]:
    """How many different keys each state's effects had."""
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for state, key in outside.effects:
        keys[state].add(key)
    return {state: len(found) for state, found in keys.items()}
