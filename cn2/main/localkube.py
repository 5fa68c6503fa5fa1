"""`cn2 localkube`: Kubernetes' own controllers on one machine."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from cn2.api.kinds import EVENT, KINDS
from cn2.client.events import Events
from cn2.client.health import Health
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Loop
from cn2.localkube import volume_claims
from cn2.localkube.accounts import ServiceAccounts
from cn2.localkube.disruption import Disruption
from cn2.localkube.endpoints import ServiceEndpoints
from cn2.localkube.expiry import EventExpiry
from cn2.localkube.garbage import GarbageCollector
from cn2.localkube.namespaces import NamespaceDeletion
from cn2.localkube.node_life import NodeLife
from cn2.localkube.pod_garbage import PodGarbage
from cn2.localkube.quota_status import QuotaStatus
from cn2.localkube.role_aggregation import RoleAggregation
from cn2.localkube.scheduler import NAME as SCHEDULER
from cn2.localkube.scheduler import Scheduler
from cn2.localkube.workloads.wiring import Workloads
from cn2.main import process

MANAGER = "kube-controller-manager"


def main(argv: Sequence[str] | None = None) -> int:
    parser = process.arguments("localkube", "Kubernetes' own controllers, for one machine.")
    parser.add_argument(
        "--node-monitor-grace-period",
        type=float,
        default=40.0,
        metavar="SECONDS",
        help="silence after which a node is Unknown",
    )
    parser.add_argument(
        "--event-ttl",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="how long events are kept after they were last seen",
    )
    options = parser.parse_args(argv)
    return process.run("localkube", options, lambda health: serve(options, health))


async def serve(options: Namespace, health: Health) -> None:
    """Runs all controllers until cancelled."""
    manager = Client.from_kubeconfig(options.kubeconfig, manager=MANAGER)
    scheduler = Client.from_kubeconfig(options.kubeconfig, manager="kube-scheduler")
    try:
        await _run(options, health, manager, scheduler)
    finally:
        await manager.close()
        await scheduler.close()


async def _run(options: Namespace, health: Health, manager: Client, scheduler: Client) -> None:
    loop = Loop(Informers(manager))
    health.ready("informers", loop.problem)
    node_events = Events(manager, "node-controller")
    pod_events = Events(scheduler, SCHEDULER)
    workloads = Workloads(manager, loop.informers)
    for controller in workloads.controllers:
        loop.add(controller)
    claim_events = Events(manager, volume_claims.SOURCE)
    loop.add(volume_claims.VolumeClaims(loop.informers, claim_events).controller)
    _add_controllers(loop, options, manager, scheduler, node_events, pod_events)
    try:
        async with asyncio.TaskGroup() as group:
            for events in workloads.events:
                group.create_task(events.run(), name="workload events")
            group.create_task(node_events.run(), name="node events")
            group.create_task(claim_events.run(), name="claim events")
            group.create_task(pod_events.run(), name="pod events")
            await loop.run()
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await pod_events.flush()


def _add_controllers(
    loop: Loop,
    options: Namespace,
    manager: Client,
    scheduler: Client,
    node_events: Events,
    pod_events: Events,
) -> None:
    """Those that need whole objects come first: the first to ask an informer decides what it
    keeps, and the collector and namespace deletion are content with metadata."""
    informers = loop.informers
    deletable = [kind for kind in KINDS if {"list", "watch", "delete"} <= set(kind.verbs)]
    owned = [kind for kind in deletable if kind is not EVENT]
    ca = manager.connection.ca.decode()
    for part in (
        Scheduler(scheduler, informers, pod_events),
        NodeLife(manager, informers, node_events, grace=options.node_monitor_grace_period),
        PodGarbage(manager, informers),
        ServiceEndpoints(manager, informers),
        ServiceAccounts(manager, informers, ca),
        EventExpiry(manager, informers, ttl=options.event_ttl),
        Disruption(manager, informers),
        QuotaStatus(manager, informers, owned),
        RoleAggregation(manager, informers),
        NamespaceDeletion(manager, informers, deletable),
        GarbageCollector(manager, informers, owned),
    ):
        loop.add(part.controller)


if __name__ == "__main__":
    sys.exit(main())
