"""How large each ReplicaSet of a Deployment should be. Pure.

The arithmetic is that of kube-controller-manager's deployment controller: never more pods than
replicas plus surge, never fewer available ones than replicas minus what may be unavailable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cn2.api.access import annotation, at, name_of, text
from cn2.api.kind import Object
from cn2.api.kubernetes.amount import amount_of

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"

Sizes = dict[str, int]
"""New sizes of ReplicaSets, by name; those that keep theirs are left out."""


def replicas_of(obj: Object) -> int:
    """spec.replicas."""
    return int(at(obj, "spec", "replicas", default=1))


def count(obj: Object, name: str) -> int:
    """A counter of the status."""
    return int(at(obj, "status", name, default=0))


def is_rolling(deployment: Object) -> bool:
    return text(deployment, "spec", "strategy", "type") != "Recreate"


def limits(deployment: Object) -> tuple[int, int]:
    """How many pods may be there beyond the replicas, and how many of them may be missing."""
    if not is_rolling(deployment):
        return 0, 0
    total = replicas_of(deployment)
    rolling = at(deployment, "spec", "strategy", "rollingUpdate", default={})
    surge = amount_of(rolling.get("maxSurge"), total, up=True)
    missing = amount_of(rolling.get("maxUnavailable"), total, up=False)
    if not surge and not missing:
        missing = 1
    return surge, min(missing, total)


def total(sets: Iterable[Object]) -> int:
    return sum(replicas_of(replica_set) for replica_set in sets)


def new_size(deployment: Object, new: Object | None, old: Sequence[Object]) -> int:
    """The size that the newest ReplicaSet may have now."""
    wanted = replicas_of(deployment)
    if not is_rolling(deployment):
        return wanted
    have = replicas_of(new) if new else 0
    if have > wanted:
        return wanted
    room = wanted + limits(deployment)[0] - total(old) - have
    return have + max(0, min(room, wanted - have))


def shrink_old(deployment: Object, new: Object, old: Sequence[Object]) -> Sizes:
    """Which old ReplicaSets lose how many pods now: the unhealthy first, then by age."""
    least = replicas_of(deployment) - limits(deployment)[1]
    unavailable = replicas_of(new) - count(new, "availableReplicas")
    spare = total([new, *old]) - least - unavailable
    if spare <= 0 or not total(old):
        return {}
    sizes: Sizes = {}
    ordered = sorted(old, key=_age)
    for replica_set in ordered:
        idle = replicas_of(replica_set) - available(replica_set)
        gone = min(spare - sum(_losses(ordered, sizes)), idle)
        if gone > 0:
            sizes[name_of(replica_set)] = replicas_of(replica_set) - gone
    left = sum(available(replica_set) for replica_set in [new, *old]) - least
    for replica_set in ordered:
        have = sizes.get(name_of(replica_set), replicas_of(replica_set))
        gone = min(have, left)
        if gone > 0:
            sizes[name_of(replica_set)] = have - gone
            left -= gone
    return sizes


def available(replica_set: Object) -> int:
    """Its available pods, without those that a smaller size already asks back."""
    return min(count(replica_set, "availableReplicas"), replicas_of(replica_set))


def _losses(sets: Iterable[Object], sizes: Sizes) -> Iterable[int]:
    return (replicas_of(one) - sizes.get(name_of(one), replicas_of(one)) for one in sets)


def is_scaled_elsewhere(deployment: Object, sets: Iterable[Object]) -> bool:
    """The Deployment's size has changed since the ReplicaSets were given theirs."""
    wanted = str(replicas_of(deployment))
    said = [annotation(one, DESIRED) for one in sets if replicas_of(one) > 0]
    return any(text and text != wanted for text in said)


def scale(deployment: Object, new: Object | None, old: Sequence[Object]) -> Sizes:
    """The sizes after the Deployment was scaled, without rolling further: one active ReplicaSet
    takes it all, several share it by their proportions."""
    wanted = replicas_of(deployment)
    everyone = [*old, *([new] if new else [])]
    active = [one for one in everyone if replicas_of(one) > 0]
    if len(active) <= 1:
        only = active or ([new] if new else sorted(old, key=_age)[-1:])
        return _changed({name_of(one): wanted for one in only}, everyone)
    if new is not None and is_saturated(deployment, new):
        return {name_of(one): 0 for one in old if replicas_of(one) > 0}
    if not is_rolling(deployment):
        return {}
    return _changed(_share(deployment, active), everyone)


def is_saturated(deployment: Object, new: Object) -> bool:
    """The newest ReplicaSet alone is all that is wanted, and available."""
    wanted = replicas_of(deployment)
    return (
        annotation(new, DESIRED) == str(wanted)
        and replicas_of(new) == wanted
        and count(new, "availableReplicas") == wanted
    )


def _share(deployment: Object, active: Sequence[Object]) -> Sizes:
    allowed = replicas_of(deployment) + limits(deployment)[0] if replicas_of(deployment) else 0
    missing = allowed - total(active)
    # The largest first: what rounding leaves over goes to the first.
    ordered = sorted(active, key=_age, reverse=missing > 0)
    ordered.sort(key=replicas_of, reverse=True)
    sizes, given = Sizes(), 0
    for one in ordered:
        part = _part(one, deployment, missing - given) if missing != given else 0
        part = min(part, missing - given) if missing > 0 else max(part, missing - given)
        sizes[name_of(one)] = replicas_of(one) + part
        given += part
    first = name_of(ordered[0])
    sizes[first] = max(0, sizes[first] + missing - given)
    return sizes


def _part(replica_set: Object, deployment: Object, open_: int) -> int:
    """By how much a ReplicaSet's share of the Deployment has changed."""
    have, wanted = replicas_of(replica_set), replicas_of(deployment)
    if not wanted:
        return -have
    said = annotation(replica_set, MAXIMUM)
    before = int(said) if said.isdigit() and int(said) else count(deployment, "replicas")
    if not before or not open_:
        return 0
    size = have * (wanted + limits(deployment)[0]) / before
    return math.floor(size + 0.5) - have


def _changed(sizes: Sizes, sets: Iterable[Object]) -> Sizes:
    have = {name_of(one): replicas_of(one) for one in sets}
    return {name: size for name, size in sizes.items() if have.get(name) != size}


def _age(replica_set: Object) -> tuple[str, str]:
    """Oldest first."""
    return text(replica_set, "metadata", "creationTimestamp"), name_of(replica_set)
