"""DaemonSets: a pod on each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cn2.api.access import at, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import DAEMON_SET, NODE, POD
from cn2.api.kubernetes.mirror import is_mirror
from cn2.client.cache import Key, key_of
from cn2.client.errors import ApiError
from cn2.client.events import WARNING, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.localkube.pods import is_finished, is_pod_ready
from cn2.localkube.workloads import daemon_pods as plan
from cn2.localkube.workloads.backoff import Failures
from cn2.localkube.workloads.history import History
from cn2.localkube.workloads.ownership import controller_reference, is_deleting
from cn2.localkube.workloads.pod_control import PodControl, namespace_is_ending
from cn2.localkube.workloads.pod_state import is_available, seconds_to_available
from cn2.localkube.workloads.revisions import HASH_LABEL, hash_of
from cn2.localkube.workloads.status import write_status
from cn2.localkube.workloads.times import Clock, utc_now


class DaemonSets:
    def __init__(
        self, client: Client, informers: Informers, events: Events, *, clock: Clock = utc_now
    ) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._failures = Failures()
        self._sets = informers.of(DAEMON_SET)
        self._nodes = informers.of(NODE)
        self._control = PodControl(client, self._sets, informers.of(POD), events)
        self._history = History(client, informers, self._sets)
        self.controller = (
            Controller("daemonset", self.reconcile)
            .watch(self._sets)
            .watch(informers.of(POD), self._control.claims.owners_of)
            .watch(self._history.informer, self._history.claims.owners_of)
            .watch(self._nodes, lambda _: [key_of(one) for one in self._sets.objects.values()])
        )

    async def reconcile(self, key: Key) -> float | None:
        daemon_set = self._sets.objects.get(key)
        if daemon_set is None or is_mirror(daemon_set) or is_deleting(daemon_set):
            self._failures.forget(key)
            return None
        revisions = await self._history.claims.take(daemon_set)
        revision = hash_of(await self._history.current(daemon_set, revisions))
        pods = await self._control.take(daemon_set)
        nodes = plan.eligible(daemon_set, self._nodes.objects.values())
        wait, error = await self._manage(daemon_set, nodes, pods, revision)
        now = self._clock()
        if error is None and text(daemon_set, "spec", "updateStrategy", "type") != "OnDelete":
            here = plan.pods_by_node(self._control.owned(daemon_set))
            steps = plan.roll(daemon_set, nodes, here, revision, now)
            error = await self._carry_out(daemon_set, steps, revision)
        pods = self._control.owned(daemon_set)
        used = {text(pod, "metadata", "labels", HASH_LABEL) for pod in pods}
        await self._history.clean(daemon_set, revisions, {*used, revision})
        status = daemon_set_status(daemon_set, nodes, pods, revision, now)
        await write_status(self._client, self._sets, daemon_set, status)
        if error is not None and not namespace_is_ending(error):
            raise error
        min_ready = at(daemon_set, "spec", "minReadySeconds", default=0)
        ripe = seconds_to_available(pods, min_ready, now)
        return min((one for one in (wait, ripe) if one is not None), default=None)

    async def _manage(
        self,
        daemon_set: Object,
        nodes: Mapping[str, bool],
        pods: Sequence[Object],
        revision: str,
    ) -> tuple[float | None, ApiError | None]:
        """Pods for nodes that have none, none for others. A failed one is replaced, later each
        time: the seconds until one is due."""
        surge, _ = plan.limits(daemon_set, sum(nodes.values()))
        steps = plan.manage(nodes, plan.pods_by_node(pods), surge)
        waits = []
        for pod in steps.failed:
            place = (key_of(daemon_set), plan.node_of(pod))
            left = self._failures.seconds(place, pod, self._clock())
            if left > 0:
                waits.append(left)
                steps.delete.remove(pod)
                continue
            message = (
                f"Found failed daemon pod {namespace_of(pod)}/{name_of(pod)} on node"
                f" {plan.node_of(pod)}, will try to kill it"
            )
            self._events.emit(daemon_set, WARNING, "FailedDaemonPod", message)
        return min(waits, default=None), await self._carry_out(daemon_set, steps, revision)

    async def _carry_out(
        self, daemon_set: Object, steps: plan.Steps, revision: str
    ) -> ApiError | None:
        reference = controller_reference(DAEMON_SET, daemon_set)
        new = [plan.daemon_pod(daemon_set, node, revision, reference) for node in steps.create]
        error = await self._control.create_all(daemon_set, new)
        return await self._control.delete_all(daemon_set, steps.delete) or error


def daemon_set_status(
    daemon_set: Object,
    nodes: Mapping[str, bool],
    pods: Sequence[Object],
    revision: str,
    now: datetime,
) -> Object:
    """The whole status: nodes are counted, not pods."""
    min_ready = at(daemon_set, "spec", "minReadySeconds", default=0)
    here = plan.pods_by_node(pod for pod in pods if not is_finished(pod))
    wanted = [name for name, fits in nodes.items() if fits]
    ready = [name for name in wanted if any(is_pod_ready(pod) for pod in here.get(name, ()))]
    available = [
        name
        for name in wanted
        if any(is_available(pod, min_ready, now) for pod in here.get(name, ()))
    ]
    updated = [
        name for name in wanted if any(plan.has_hash(pod, revision) for pod in here.get(name, ()))
    ]
    status: Object = {
        "currentNumberScheduled": sum(name in here for name in wanted),
        "desiredNumberScheduled": len(wanted),
        "numberMisscheduled": sum(name not in wanted for name in here),
        "numberReady": len(ready),
        "observedGeneration": at(daemon_set, "metadata", "generation", default=0),
    }
    more = {
        "collisionCount": at(daemon_set, "status", "collisionCount", default=0),
        "numberAvailable": len(available),
        "numberUnavailable": len(wanted) - len(available),
        "updatedNumberScheduled": len(updated),
    }
    conditions = at(daemon_set, "status", "conditions")
    return {
        **status,
        **{name: number for name, number in more.items() if number},
        **({"conditions": conditions} if conditions else {}),
    }
