"""All workload controllers of one process, each with its own source of events."""

from __future__ import annotations

from cn2.client.events import Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.workloads.daemon_set import DaemonSets
from cn2.localkube.workloads.deployment import Deployments
from cn2.localkube.workloads.replica_set import ReplicaSets
from cn2.localkube.workloads.stateful_set import StatefulSets


class Workloads:
    def __init__(self, client: Client, informers: Informers) -> None:
        self.events: list[Events] = []
        """To be run beside the controllers."""
        self._client = client
        parts = (
            ReplicaSets(client, informers, self._source("replicaset-controller")),
            Deployments(client, informers, self._source("deployment-controller")),
            DaemonSets(client, informers, self._source("daemonset-controller")),
            StatefulSets(client, informers, self._source("statefulset-controller")),
        )
        self.controllers: list[Controller] = [part.controller for part in parts]

    def _source(self, component: str) -> Events:
        events = Events(self._client, component)
        self.events.append(events)
        return events
