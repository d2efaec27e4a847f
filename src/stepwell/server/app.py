"""The composition root: the one place that knows everyone.

::

    settings -> storage, keys, clock
             -> caller for tasks (checks parameters) --> IntegrationRunner --> Worker, Express
             -> StepFunctions, EventBridge, Iam, SecurityTokens, Logs: the embedded services
             -> caller for requests (parameters are checked already) --> Pipeline
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepwell.engine.express import Express
from stepwell.engine.machines import Machines
from stepwell.engine.tokens import Tokens
from stepwell.engine.worker import Sole, Worker
from stepwell.integrations.caller import RoutingCaller
from stepwell.integrations.remote import RemoteServices
from stepwell.integrations.runner import IntegrationRunner
from stepwell.kernel.caller import Params, Service
from stepwell.kernel.clock import Clock
from stepwell.kernel.ids import SystemIds
from stepwell.kernel.keys import KeyRing
from stepwell.kernel.settings import Settings
from stepwell.server.data import key_ring, prepare
from stepwell.server.guard import open_guard
from stepwell.server.health import Report
from stepwell.server.identity import identifier
from stepwell.server.metrics import Metrics
from stepwell.server.ownership import Leased, SharedClock
from stepwell.server.pages import pages
from stepwell.server.peers import PREFIX, HttpPeers
from stepwell.server.pipeline import Pipeline
from stepwell.server.upkeep import Upkeep
from stepwell.services.events.connections import Connections
from stepwell.services.events.service import EventBridge
from stepwell.services.iam import Iam
from stepwell.services.logs import Delivery, Destinations, Logs, Retention, Shelf
from stepwell.services.stepfunctions import AcknowledgedExpress, StepFunctions, Watcher
from stepwell.services.sts import SecurityTokens
from stepwell.storage.bundle import Storage, open_storage
from stepwell.storage.logs import LogStore
from stepwell.wire.models import Models
from stepwell.wire.validation import Validator


class Children:
    """Waits for child executions through the Watcher, which is made after the runner that asks."""

    watcher: Watcher

    async def wait(self, execution_arn: str) -> dict[str, Any]:
        return await self.watcher.wait(execution_arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A server's parts, and their life. Implements ``run.Application``."""

    pipeline: Pipeline
    storage: Storage
    worker: Worker
    express: Express
    upkeep: Upkeep
    runner: IntegrationRunner
    remote: RemoteServices
    delivery: Delivery
    peers: HttpPeers | None
    drain_seconds: float

    async def start(self) -> None:
        """Take what is free, and go on with it."""
        await self.storage.membership.join(self.upkeep.gained, self.upkeep.lost)
        self.upkeep.start()

    async def stop(self) -> None:
        """Stop working, write what is buffered, close the database."""
        try:
            await self.upkeep.stop()
            await self.worker.shut_down(self.drain_seconds)
            await self.express.shut_down(self.drain_seconds)
            await self.delivery.close()
            await self.runner.close()
            await self.remote.close()
            if self.peers is not None:
                await self.peers.close()
        finally:
            await self.storage.close()


async def assemble(settings: Settings, url: str) -> App:
    """Open the database and put everything together. Raises SettingError, StorageUnavailable."""
    prepare(settings)
    keys = key_ring(settings)
    storage = await open_storage(
        settings.store_url,
        address=settings.advertise or url,
        lease=settings.lease_seconds,
        pooler=settings.pooler,
    )
    try:
        return _assemble(settings, storage, keys)
    except BaseException:
        await storage.close()
        raise


def _assemble(settings: Settings, storage: Storage, keys: KeyRing) -> App:
    clock: Clock = SharedClock(storage.membership.now)
    ids, tokens, machines = SystemIds(), Tokens(keys), Machines(storage.documents.definition)
    models, validator, remote = Models(), Validator(), RemoteServices()

    def check(service: str, operation: str, params: Params) -> None:
        validator.validate(models.operation(service, operation), params)

    embedded: dict[str, Service] = {}
    for_tasks = RoutingCaller(settings.endpoints, embedded, remote=remote, check=check)
    for_requests = RoutingCaller(settings.endpoints, embedded, remote=remote)
    connections = Connections(storage.documents, keys, clock, ids)
    children = Children()
    runner = IntegrationRunner(for_tasks, connections, clock, watcher=children)
    shelf = Shelf(storage.documents, LogStore(storage.database), clock, ids)
    delivery = Delivery(shelf, clock)
    ownership = Leased(storage.membership) if settings.on_postgresql else Sole()
    peers = HttpPeers(storage.membership, keys, clock) if settings.on_postgresql else None
    worker = Worker(
        storage.journal,
        machines,
        runner,
        clock,
        ids,
        tokens,
        ownership=ownership,
        peers=peers,
        loaded=settings.idle_executions,
        events=delivery,
    )
    if peers is not None:
        peers.attach(worker)
    acknowledged = AcknowledgedExpress(storage.documents)
    express = Express(machines, runner, acknowledged, clock, ids, owns=ownership.owns, events=delivery)
    states = StepFunctions(
        documents=storage.documents,
        journal=storage.journal,
        worker=worker,
        machines=machines,
        express=express,
        tokens=tokens,
        keys=keys,
        clock=clock,
        ids=ids,
        destinations=Destinations(shelf, here="logs" not in settings.endpoints),
    )
    children.watcher = Watcher(worker, states.describe)
    identities = Iam(storage.documents, clock, ids)
    services = (states, EventBridge(connections), identities, SecurityTokens(), Logs(shelf))
    embedded.update({service.name: service for service in services})
    metrics = Metrics()
    report = Report(storage, worker, express, "postgresql" if settings.on_postgresql else "sqlite")
    report.count_in(metrics)
    dropped = "Log records of executions that are in no log group: too many at once, or the group is gone."
    metrics.counter("stepwell_log_records_dropped", dropped, lambda: {(): float(delivery.dropped)})
    extra = {("POST", PREFIX + action): peers.receive for action in ("deliver", "wake")} if peers is not None else {}
    pipeline = Pipeline(
        caller=for_requests,
        identify=identifier(settings, clock),
        guard=open_guard((*settings.allowed_hosts, settings.host)) if settings.access == "open" else None,
        pages={**pages(report.health, metrics), **extra},
        metrics=metrics,
        ids=ids,
        models=models,
        validator=validator,
        max_requests=settings.max_requests,
    )
    metrics.gauge("stepwell_requests_in_flight", "Requests being answered.", lambda: {(): float(pipeline.in_flight)})
    return App(
        pipeline=pipeline,
        storage=storage,
        worker=worker,
        express=express,
        upkeep=Upkeep(worker, express, storage.database, clock, Retention(shelf)),
        runner=runner,
        remote=remote,
        delivery=delivery,
        peers=peers,
        drain_seconds=settings.drain_seconds,
    )
