"""The engine without HTTP: a durable worker and an Express runner over one SQLite file, in this process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machines import Definition
from stepwell.engine.express import Express, new_execution_key
from stepwell.engine.journal import Page, partition_of
from stepwell.engine.machines import Machines, definition_hash
from stepwell.engine.state import Execution
from stepwell.engine.tasks import Submitted, TaskCall, TaskOutcome, TaskSucceeded
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Worker
from stepwell.integrations.caller import RoutingCaller
from stepwell.integrations.runner import IntegrationRunner
from stepwell.kernel.arns import Scope
from stepwell.kernel.clock import SystemClock
from stepwell.kernel.ids import SystemIds
from stepwell.kernel.jsontext import Json, dumps
from stepwell.kernel.keys import KeyRing
from stepwell.services.events.connections import Connections
from stepwell.services.stepfunctions import AcknowledgedExpress
from stepwell.storage.bundle import Storage, open_storage
from stepwell.storage.documents import PutDefinition
from stepwell.storage.sqlite import SqliteDatabase

SCOPE = Scope()
ROLE = SCOPE.arn("iam", "role/bench")
ECHO = SCOPE.arn("lambda", "function:echo")
WAIT_SECONDS = 60.0
CLOCK, IDS = SystemClock(), SystemIds()


class Runner:
    """Answers tasks in this process with their own parameters; ``http:invoke`` goes the product's way."""

    def __init__(self, integrations: IntegrationRunner) -> None:
        self._integrations = integrations

    async def run(self, call: TaskCall, submitted: Submitted) -> TaskOutcome:
        if call.resource.text.endswith(":http:invoke"):
            return await self._integrations.run(call, submitted)
        return TaskSucceeded(output=call.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A machine that is stored and parsed."""

    name: str
    hash: str
    machines: Machines

    def execution(self, document: Json, *, express: bool) -> Execution:
        now = round(CLOCK.now(), 3)
        name = IDS.uuid()
        arn = SCOPE.arn("states", f"execution:{self.name}:{name}")
        machine = self.machines.known(self.hash)
        assert machine is not None
        return Execution(
            key=new_execution_key(0 if express else partition_of(arn), now, IDS),
            arn=arn,
            name=name,
            machine=machine,
            machine_arn=SCOPE.arn("states", f"stateMachine:{self.name}"),
            machine_name=self.name,
            role_arn=ROLE,
            scope=SCOPE,
            definition=self.hash,
            started=now,
            input=document,
            express=express,
            frames={},
            payloads={},
            tasks={},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    storage: Storage
    worker: Worker
    express: Express
    machines: Machines
    connections: Connections

    async def machine(self, name: str, definition: Definition) -> Compiled:
        text = dumps(definition)
        found = definition_hash(text)
        await self.storage.documents.write([PutDefinition(found, text)])
        await self.machines.get(found)
        return Compiled(name=name, hash=found, machines=self.machines)

    @property
    def writer(self) -> int:
        """The writer process."""
        database = self.storage.database
        assert isinstance(database, SqliteDatabase)
        assert database.writer_pid is not None
        return database.writer_pid

    @property
    def pids(self) -> tuple[int, ...]:
        """Whose CPU counts. The writer is this process's child, so it is in the tree already."""
        return (os.getpid(),)

    async def standard(self, machine: Compiled, document: Json, wanted: Any) -> Execution:
        """Run a Standard execution to its end and check the output."""
        execution = machine.execution(document, express=False)
        if await self.worker.start(execution) is not None:
            raise RuntimeError("the name is taken")
        if execution.status == "RUNNING":
            await self.worker.wait_closed(execution.arn, WAIT_SECONDS)
        return checked(execution, wanted)

    async def in_memory(self, machine: Compiled, document: Json, wanted: Any) -> Execution:
        """The same as an Express execution."""
        return checked(await self.express.sync(machine.execution(document, express=True)), wanted)

    async def pages(self, execution: Execution) -> list[Page]:
        return await self.storage.journal.pages(execution.key, after=0, before=None, limit=1_000, newest_first=False)


def checked(execution: Execution, wanted: Any) -> Execution:
    """Raises RuntimeError for an execution that did not succeed with this output."""
    if execution.output is None or (wanted is not None and execution.output.value != wanted):
        raise RuntimeError(f"wrong answer: {execution.status} {execution.error} {execution.cause} {execution.output}")
    return execution


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    keys = KeyRing.generate()
    storage = await open_storage(f"sqlite:{folder / 'house.db'}")
    await storage.membership.join()
    machines = Machines(storage.documents.definition)
    connections = Connections(storage.documents, keys, CLOCK, IDS)
    integrations = IntegrationRunner(RoutingCaller({}, {}), connections, CLOCK)
    runner = Runner(integrations)
    worker = Worker(storage.journal, machines, runner, CLOCK, IDS, Tokens(keys))
    express = Express(machines, runner, AcknowledgedExpress(storage.documents), CLOCK, IDS)
    try:
        yield House(storage=storage, worker=worker, express=express, machines=machines, connections=connections)
    finally:
        await worker.shut_down(1.0)
        await express.shut_down(1.0)
        await integrations.close()
        await storage.close()
