"""The status of a PodDisruptionBudget, as kube-controller-manager computes it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.kind import Object
from cn2.localkube.pods import is_finished, is_pod_ready

REMEMBERED = timedelta(minutes=2)
"""How long an allowed eviction counts although its pod still runs."""
_CONDITION = "DisruptionAllowed"

ScaleOf = Callable[[Object], int | None]
"""How many pods the controller of a pod wants; None when it has none that can be scaled."""


def status_of(budget: Object, pods: Iterable[Object], scale_of: ScaleOf, now: datetime) -> Object:
    """The status that a budget should have; `pods` are those of its namespace that it selects."""
    chosen = [pod for pod in pods if not is_finished(pod)]
    expected, desired = _wanted(mapping(budget, "spec"), chosen, scale_of)
    disrupted = _disrupted(budget, chosen, now)
    healthy = sum(
        is_pod_ready(pod)
        and not text(pod, "metadata", "deletionTimestamp")
        and name_of(pod) not in disrupted
        for pod in chosen
    )
    allowed = max(0, healthy - desired) if expected > 0 else 0
    generation = at(budget, "metadata", "generation")
    return {
        "conditions": [_condition(budget, allowed, now)],
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        **({"disruptedPods": disrupted} if disrupted else {}),
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": generation,
    }


def recheck_seconds(budget: Object, now: datetime) -> float | None:
    """When an allowed eviction that never happened is to be forgotten; None without any."""
    times = [_time(stamp) for stamp in mapping(budget, "status", "disruptedPods").values()]
    left = [(when + REMEMBERED - now).total_seconds() for when in times if when is not None]
    return max(0.5, min(left)) if left else None


def _wanted(spec: Object, pods: list[Object], scale_of: ScaleOf) -> tuple[int, int]:
    """Expected pods, and how many of them must stay."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        expected = _scale(pods, scale_of)
        return expected, max(0, expected - _scaled(most, expected))
    if least is None:
        least = 0
    if isinstance(least, int):
        return len(pods), least
    expected = _scale(pods, scale_of)
    return expected, _scaled(least, expected)


def _scale(pods: list[Object], scale_of: ScaleOf) -> int:
    """What the controllers of the pods want together, each counted once."""
    wanted: dict[str, int] = {}
    for pod in pods:
        owner = next(
            (o for o in items(pod, "metadata", "ownerReferences") if o.get("controller")), None
        )
        scale = scale_of(owner) if owner is not None else None
        if owner is not None and scale is not None:
            wanted[owner["uid"]] = scale
    return sum(wanted.values())


def _scaled(limit: object, expected: int) -> int:
    text = str(limit)
    return math.ceil(int(text[:-1]) * expected / 100) if text.endswith("%") else int(text)


def _disrupted(budget: Object, pods: list[Object], now: datetime) -> dict[str, str]:
    """Evictions that were allowed a moment ago, of pods that are still there and not deleted."""
    waiting = {name_of(p) for p in pods if not text(p, "metadata", "deletionTimestamp")}
    return {
        name: stamp
        for name, stamp in mapping(budget, "status", "disruptedPods").items()
        if name in waiting and (when := _time(stamp)) is not None and now - when < REMEMBERED
    }


def _condition(budget: Object, allowed: int, now: datetime) -> Object:
    status = "True" if allowed else "False"
    known = items(budget, "status", "conditions")
    before: Object = next((c for c in known if c.get("type") == _CONDITION), {})
    changed = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if before.get("status") == status:
        changed = before.get("lastTransitionTime", changed)
    return {
        "type": _CONDITION,
        "status": status,
        "observedGeneration": at(budget, "metadata", "generation"),
        "lastTransitionTime": changed,
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
    }


def _time(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
