"""Node lifecycle: a node that stops renewing its Lease becomes Unknown, and is tainted meanwhile.

Silence is measured by our own monotonic clock from the change that we saw last, so that a clock
that is set, or a restart of this process, condemns nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cn2.api.access import items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import LEASE, NODE, POD
from cn2.api.kubernetes.lease import NODE_LEASES
from cn2.client.cache import Key
from cn2.client.errors import NotFound
from cn2.client.events import NORMAL, Events
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller
from cn2.client.request import Patch
from cn2.localkube.pods import BY_NODE, is_pod_ready, node_of_pod

GRACE = 40.0
"""Seconds of silence, kube-controller-manager's --node-monitor-grace-period of the day."""
_TAINTS = {
    "False": "node.kubernetes.io/not-ready",
    "Unknown": "node.kubernetes.io/unreachable",
}


@dataclass(slots=True)
class _Pulse:
    sign: tuple[str, str]
    """What changes while the node lives: the lease's renewTime, the kubelet's heartbeat."""
    at: float


class NodeLife:
    def __init__(
        self,
        client: Client,
        informers: Informers,
        events: Events,
        *,
        grace: float = GRACE,
        tick: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._events = events
        self._grace = grace
        self._tick = tick
        self._clock = clock
        self._nodes = informers.of(NODE)
        self._leases = informers.of(LEASE)
        self._pods = informers.of(POD)
        self._pods.add_index(BY_NODE, node_of_pod)
        self._pulses: dict[str, _Pulse] = {}
        self.controller = (
            Controller("node-life", self.reconcile)
            .watch(self._nodes)
            .watch(self._leases, _node_of_lease)
        )

    async def reconcile(self, key: Key) -> float | None:
        node = self._nodes.objects.get(key)
        if node is None:
            self._pulses.pop(key[1], None)
            return None
        left = self._grace - self._silence(node)
        if left <= 0 and ready_status(node) != "Unknown":
            node = await self._give_up(node)
        await self._taint(node)
        if ready_status(node) == "Unknown":
            await self._pods_not_ready(key[1])
        return left if left > 0 else None

    def _silence(self, node: Object) -> float:
        """Seconds since the node's last sign of life."""
        name = name_of(node)
        lease = self._leases.get(name, NODE_LEASES)
        sign = (text(lease, "spec", "renewTime"), text(ready_of(node), "lastHeartbeatTime"))
        pulse = self._pulses.get(name)
        if pulse is None or pulse.sign != sign:
            pulse = self._pulses[name] = _Pulse(sign, self._tick())
        return self._tick() - pulse.at

    async def _give_up(self, node: Object) -> Object:
        stamp = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        change = {"status": {"conditions": unknown_conditions(node, stamp)}}
        patched = await self._client.patch(
            NODE, name_of(node), change, how=Patch.STRATEGIC, subresource="status"
        )
        self._nodes.learn(patched)
        self._events.emit(
            node, NORMAL, "NodeNotReady", f"Node {name_of(node)} status is now: NodeNotReady"
        )
        return patched

    async def _taint(self, node: Object) -> None:
        taints = wanted_taints(node)
        if taints == items(node, "spec", "taints"):
            return
        change = {
            "metadata": {"resourceVersion": text(node, "metadata", "resourceVersion")},
            "spec": {"taints": taints or None},
        }
        self._nodes.learn(await self._client.patch(NODE, name_of(node), change))

    async def _pods_not_ready(self, node: str) -> None:
        """Nobody hears from these pods: services must not count on them."""
        stamp = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        for pod in self._pods.by_index(BY_NODE, node):
            if not is_pod_ready(pod):
                continue
            entry = {"type": "Ready", "status": "False", "lastTransitionTime": stamp}
            try:
                self._pods.learn(
                    await self._client.patch(
                        POD,
                        name_of(pod),
                        {"status": {"conditions": [entry]}},
                        namespace_of(pod),
                        how=Patch.STRATEGIC,
                        subresource="status",
                    )
                )
            except NotFound:
                continue


def ready_of(node: Object) -> Object:
    for condition in items(node, "status", "conditions"):
        if text(condition, "type") == "Ready":
            return mapping(condition)
    return {}


def ready_status(node: Object) -> str:
    """True, False or Unknown; "" when the node has not said anything yet."""
    return text(ready_of(node), "status")


def unknown_conditions(node: Object, stamp: str) -> list[Object]:
    """What becomes of a silent node's conditions: all that it reported itself are Unknown."""
    reported = [text(entry, "type") for entry in items(node, "status", "conditions")]
    types = [name for name in reported if name not in ("NetworkUnavailable", "Ready")] + ["Ready"]
    return [
        {
            "type": name,
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            "lastTransitionTime": stamp,
        }
        for name in types
    ]


def wanted_taints(node: Object) -> list[Object]:
    """The node's taints with ours as its readiness has it, others as they are."""
    wanted = _TAINTS.get(ready_status(node), "")
    taints = [
        taint
        for taint in items(node, "spec", "taints")
        if not (
            text(taint, "key") in _TAINTS.values()
            and text(taint, "effect") == "NoSchedule"
            and text(taint, "key") != wanted
        )
    ]
    if wanted and not any(
        text(taint, "key") == wanted and text(taint, "effect") == "NoSchedule" for taint in taints
    ):
        taints.append({"key": wanted, "effect": "NoSchedule"})
    return taints


def _node_of_lease(lease: Object) -> list[Key]:
    return [("", name_of(lease))] if namespace_of(lease) == NODE_LEASES else []
