"""All workload controllers of one process, each with its own source of events."""

from __future__ import annotations

from cn2.api.kinds import REPLICATION_CONTROLLER
from cn2.client.events import Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.workloads.cron_job import CronJobs
from cn2.localkube.workloads.daemon_set import DaemonSets
from cn2.localkube.workloads.deployment import Deployments
from cn2.localkube.workloads.job import Jobs
from cn2.localkube.workloads.replica_set import ReplicaSets
from cn2.localkube.workloads.stateful_set import StatefulSets
from cn2.localkube.workloads.times import Clock, utc_now


class Workloads:
    def __init__(self, client: Client, informers: Informers, *, clock: Clock = utc_now) -> None:
        self.events: list[Events] = []
        """To be run beside the controllers."""
        self._client = client
        parts = (
            ReplicaSets(client, informers, self._source("replicaset-controller"), clock=clock),
            ReplicaSets(
                client,
                informers,
                self._source("replication-controller"),
                kind=REPLICATION_CONTROLLER,
                clock=clock,
            ),
            Deployments(client, informers, self._source("deployment-controller"), clock=clock),
            DaemonSets(client, informers, self._source("daemonset-controller"), clock=clock),
            StatefulSets(client, informers, self._source("statefulset-controller"), clock=clock),
            Jobs(client, informers, self._source("job-controller"), clock=clock),
            CronJobs(client, informers, self._source("cronjob-controller"), clock=clock),
        )
        self.controllers: list[Controller] = [part.controller for part in parts]

    def _source(self, component: str) -> Events:
        events = Events(self._client, component)
        self.events.append(events)
        return events
