"""Where a DaemonSet's pods run, and which of them are replaced. Pure.

As in Kubernetes a pod is bound by the scheduler, to the node that a required node affinity names;
it tolerates what nodes in trouble are tainted with, so a drained or silent node keeps it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.kind import Object
from cn2.api.kubernetes.amount import amount_of
from cn2.localkube.fit import belongs
from cn2.localkube.pods import is_finished
from cn2.localkube.workloads.ownership import is_deleting
from cn2.localkube.workloads.pod_state import is_available
from cn2.localkube.workloads.revisions import HASH_LABEL
from cn2.localkube.workloads.templates import pod_of

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


@dataclass(slots=True)
class Steps:
    """What to do now."""

    create: list[str] = field(default_factory=list)
    """Names of nodes."""
    delete: list[Object] = field(default_factory=list)
    failed: list[Object] = field(default_factory=list)
    """Of those to be deleted, pods that have ended."""


def daemon_pod(daemon_set: Object, node: str, revision: str, reference: Object) -> Object:
    """The pod of a DaemonSet for one node."""
    pod = pod_of(mapping(daemon_set, "spec", "template"), daemon_set, reference)
    pod["metadata"].setdefault("labels", {})[HASH_LABEL] = revision
    tolerate(pod["spec"])
    bind(pod["spec"], node)
    return pod


def tolerate(spec: Object) -> None:
    taints = [*_TOLERATED, *([_HOST_NETWORK] if spec.get("hostNetwork") else [])]
    have = items(spec, "tolerations")
    more = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in taints]
    spec["tolerations"] = [*have, *(one for one in more if one not in have)]


def bind(spec: Object, node: str) -> None:
    """Adds the node's name to every term of the required node affinity."""
    match = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = copy.deepcopy(mapping(spec, "affinity"))
    required = affinity.setdefault("nodeAffinity", {}).setdefault(_REQUIRED, {})
    terms = items(required, "nodeSelectorTerms") or [{}]
    required["nodeSelectorTerms"] = [{**term, **match} for term in terms]
    spec["affinity"] = affinity


def node_of(pod: Object) -> str:
    """The node that a daemon's pod runs on or is made for."""
    bound = text(pod, "spec", "nodeName")
    required = mapping(pod, "spec", "affinity", "nodeAffinity", _REQUIRED)
    for term in items(required, "nodeSelectorTerms"):
        for entry in items(term, "matchFields"):
            if not bound and text(entry, "key") == "metadata.name":
                return str(next(iter(items(entry, "values")), ""))
    return bound


def eligible(daemon_set: Object, nodes: Iterable[Object]) -> dict[str, bool]:
    """Which nodes should run a pod (True), and which only keep the one they have (False)."""
    spec = copy.deepcopy(mapping(daemon_set, "spec", "template", "spec"))
    tolerate(spec)
    found = {}
    for node in nodes:
        fits, stays = belongs({"spec": spec}, node)
        if stays:
            found[name_of(node)] = fits
    return found


def pods_by_node(pods: Iterable[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        found.setdefault(node_of(pod), []).append(pod)
    return found


def manage(nodes: Mapping[str, bool], pods: Mapping[str, Sequence[Object]], surge: int) -> Steps:
    """One pod on each node that should have one, none elsewhere; ended ones are replaced. With a
    surge a node may have a second pod, which the update looks after."""
    steps = Steps()
    for name, fits in nodes.items():
        here = pods.get(name, ())
        ended = [pod for pod in here if is_finished(pod) and not is_deleting(pod)]
        steps.failed += ended
        alive = [pod for pod in here if not is_finished(pod) and not is_deleting(pod)]
        # A pod that is being deleted still has the node to itself.
        if fits and not here:
            steps.create.append(name)
        if len(alive) > 1 and not surge:
            steps.delete += sorted(alive, key=_age)[1:]
    for name, here in pods.items():
        if name not in nodes:
            steps.delete += [pod for pod in here if not is_deleting(pod)]
    steps.delete += steps.failed
    return steps


def limits(daemon_set: Object, wanted: int) -> tuple[int, int]:
    """How many nodes may have a second pod, and on how many it may be missing, in an update."""
    rolling = mapping(daemon_set, "spec", "updateStrategy", "rollingUpdate")
    surge = amount_of(rolling.get("maxSurge"), wanted, up=True)
    missing = amount_of(rolling.get("maxUnavailable", 1), wanted, up=True)
    return surge, max(missing, 0 if surge else 1)


def roll(
    daemon_set: Object,
    nodes: Mapping[str, bool],
    pods: Mapping[str, Sequence[Object]],
    revision: str,
    now: datetime,
) -> Steps:
    """The next step of a rolling update: old pods that are no use first, then as many available
    ones as may be missing; with a surge, new pods beside old ones."""
    min_ready = at(daemon_set, "spec", "minReadySeconds", default=0)
    surge, missing = limits(daemon_set, sum(nodes.values()))
    steps, replaceable = Steps(), list[Object]()
    unavailable = surging = 0
    for name in sorted(name for name, fits in nodes.items() if fits):
        here = [pod for pod in pods.get(name, ()) if not is_deleting(pod)]
        old = [pod for pod in here if not has_hash(pod, revision)]
        new = [pod for pod in here if has_hash(pod, revision)]
        ready = [pod for pod in here if is_available(pod, min_ready, now)]
        if not ready:
            unavailable += 1
        if surge:
            if old and new:
                surging += 1
                if any(pod in ready for pod in new):
                    steps.delete += old
            elif old:
                replaceable += old
            continue
        useless = [pod for pod in old if pod not in ready]
        steps.delete += useless
        replaceable += [pod for pod in old if pod in ready]
    if surge:
        steps.create = [node_of(pod) for pod in replaceable[: max(0, surge - surging)]]
    else:
        steps.delete += replaceable[: max(0, missing - unavailable)]
    return steps


def has_hash(pod: Object, revision: str) -> bool:
    return text(pod, "metadata", "labels", HASH_LABEL) == revision


def _age(pod: Object) -> tuple[bool, str]:
    """Bound ones first, then the oldest."""
    return not text(pod, "spec", "nodeName"), text(pod, "metadata", "creationTimestamp")
