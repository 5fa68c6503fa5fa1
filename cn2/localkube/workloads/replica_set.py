"""ReplicaSets, and ReplicationControllers, which are the same: as many pods as asked for."""

from __future__ import annotations

from collections.abc import Sequence

from cn2.api.access import at, mapping, namespace_of, text
from cn2.api.kind import Kind, Object
from cn2.api.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER
from cn2.api.kubernetes.mirror import is_mirror
from cn2.client.cache import Key
from cn2.client.errors import ApiError
from cn2.client.events import Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.workloads.backoff import seconds_to_retry
from cn2.localkube.workloads.claims import BY_NAMESPACE
from cn2.localkube.workloads.ownership import controller_of, controller_reference, is_deleting
from cn2.localkube.workloads.pod_control import PodControl, namespace_is_ending
from cn2.localkube.workloads.pod_state import (
    BURST,
    by_deletion,
    is_active,
    seconds_to_available,
)
from cn2.localkube.workloads.replica_set_status import replica_set_status
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.templates import pod_of
from cn2.localkube.workloads.times import Clock, utc_now


class ReplicaSets:
    def __init__(
        self,
        client: Client,
        informers: Informers,
        events: Events,
        *,
        kind: Kind = REPLICA_SET,
        clock: Clock = utc_now,
    ) -> None:
        self._client = client
        self._clock = clock
        plain_selector = kind is REPLICATION_CONTROLLER
        self._sets = informers.of(kind, keep=as_replica_set if plain_selector else None)
        self._pods = informers.of(POD)
        self._control = PodControl(client, self._sets, self._pods, events)
        self.controller = (
            Controller(kind.kind.lower(), self.reconcile)
            .watch(self._sets)
            .watch(self._pods, self._control.claims.owners_of)
        )

    async def reconcile(self, key: Key) -> float | None:
        replica_set = self._sets.objects.get(key)
        if replica_set is None or is_mirror(replica_set):
            return None
        everyone = await self._control.take(replica_set)
        pods = [pod for pod in everyone if is_active(pod)]
        error, failure = None, None
        held = seconds_to_retry(everyone, self._clock())
        short = len(pods) < at(replica_set, "spec", "replicas", default=1)
        if not is_deleting(replica_set) and not (short and held):
            error, reason = await self._scale(replica_set, pods)
            failure = (reason, error.message) if error else None
        pods = [pod for pod in self._control.owned(replica_set) if is_active(pod)]
        now = self._clock()
        status = replica_set_status(replica_set, pods, failure, now)
        await write_status(self._client, self._sets, replica_set, status)
        if error is not None and not namespace_is_ending(error):
            raise error
        min_ready = at(replica_set, "spec", "minReadySeconds", default=0)
        ripe = seconds_to_available(pods, min_ready, now)
        waits = [wait for wait in (ripe, held if short and held else None) if wait is not None]
        return min(waits, default=None)

    async def _scale(
        self, replica_set: Object, pods: Sequence[Object]
    ) -> tuple[ApiError | None, str]:
        """Creates what is missing or deletes what is too many; an error and its reason."""
        surplus = len(pods) - at(replica_set, "spec", "replicas", default=1)
        if surplus < 0:
            new = self._new_pods(replica_set, min(-surplus, BURST))
            return await self._control.create_all(replica_set, new), "FailedCreate"
        if surplus > 0:
            first = by_deletion(pods, self._related(replica_set))[: min(surplus, BURST)]
            return await self._control.delete_all(replica_set, first), "FailedDelete"
        return None, ""

    def _new_pods(self, replica_set: Object, number: int) -> list[Object]:
        template = mapping(replica_set, "spec", "template")
        reference = controller_reference(self._sets.kind, replica_set)
        return [pod_of(template, replica_set, reference) for _ in range(number)]

    def _related(self, replica_set: Object) -> list[Object]:
        """The pods of all ReplicaSets that the same Deployment controls."""
        controller = text(controller_of(replica_set), "uid")
        if not controller:
            return self._control.owned(replica_set)
        siblings = [
            other
            for other in self._sets.by_index(BY_NAMESPACE, namespace_of(replica_set))
            if text(controller_of(other), "uid") == controller
        ]
        return [pod for sibling in siblings for pod in self._control.owned(sibling)]


def as_replica_set(obj: Object) -> Object:
    """A ReplicationController with its map of labels as a selector."""
    spec = mapping(obj, "spec")
    return {**obj, "spec": {**spec, "selector": {"matchLabels": mapping(spec, "selector")}}}
