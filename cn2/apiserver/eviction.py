"""Evictions: deletions that a PodDisruptionBudget may refuse (pods/eviction).

The rules and words are those of kube-apiserver's EvictionREST.
"""

from __future__ import annotations

from typing import Any

from cn2.api.access import at, items, mapping, text
from cn2.api.kind import Object
from cn2.api.kinds import POD_DISRUPTION_BUDGET
from cn2.api.kubernetes.selectors import selector_matches
from cn2.apiserver import codec, deletion, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.deletion import DeleteOptions
from cn2.apiserver.errors import ApiError, done, forbidden, internal
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving
from cn2.apiserver.writes import Update

_MANAGER = "kube-apiserver"
_MOST_DISRUPTED = 2000
_BUSY_SECONDS = 10
_REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."


async def evict(serving: Serving, request: Request, target: Target) -> Reply:
    """Deletes the pod unless its budget has nothing left (429)."""
    backend = serving.backend
    body = codec.parse(request.body, request.headers.get("content-type", ""))
    options = DeleteOptions.parse({**request.query, **codec.part(body, "deleteOptions")})
    pod = codec.decode(await backend.existing(target.kind, target.namespace, target.name))
    if not _goes_freely(pod):
        budgets = _budgets_of(backend, pod)
        if len(budgets) > 1:
            raise internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource"
                " does not support."
            )
        if budgets and _is_protected(budgets[0], pod):
            await _take(backend, budgets[0], target.name, options.dry_run)
    await deletion.delete(backend, target.kind, target.namespace, target.name, options)
    return Reply(201, codec.dump(done()))


def _goes_freely(pod: Object) -> bool:
    """What runs nothing yet or any more disrupts nobody."""
    phase = text(pod, "status", "phase")
    dying = bool(text(pod, "metadata", "deletionTimestamp"))
    return dying or phase in ("Pending", "Succeeded", "Failed")


def _budgets_of(backend: Backend, pod: Object) -> list[Object]:
    labels = mapping(pod, "metadata", "labels")
    prefix = keys.under(POD_DISRUPTION_BUDGET, pod["metadata"]["namespace"])
    budgets = [codec.decode(entry) for entry in backend.store.latest_under(prefix)]
    return [
        budget
        for budget in budgets
        if (selector := at(budget, "spec", "selector")) is not None
        and selector_matches(selector, labels)
    ]


def _is_protected(budget: Object, pod: Object) -> bool:
    """Unhealthy pods may go where the policy says so, or while enough others are healthy."""
    ready = any(
        text(condition, "type") == "Ready" and text(condition, "status") == "True"
        for condition in items(pod, "status", "conditions")
    )
    if ready:
        return True
    if text(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return False
    wanted = at(budget, "status", "desiredHealthy", default=0)
    return not (wanted > 0 and at(budget, "status", "currentHealthy", default=0) >= wanted)


async def _take(backend: Backend, budget: Object, pod: str, dry_run: bool) -> None:
    """Takes one allowed disruption, or raises."""

    def change(current: Object) -> Object:
        _check(current)
        status = current["status"]
        status["disruptionsAllowed"] -= 1
        status.setdefault("disruptedPods", {})[pod] = backend.now()
        return current

    metadata = budget["metadata"]
    await Update(
        backend=backend,
        kind=POD_DISRUPTION_BUDGET,
        namespace=metadata["namespace"],
        name=metadata["name"],
        change=change,
        options=WriteOptions(_MANAGER, dry_run=dry_run),
        subresource="status",
    ).run()


def _check(budget: Object) -> None:
    name, status = budget["metadata"]["name"], mapping(budget, "status")
    if status.get("observedGeneration", 0) < at(budget, "metadata", "generation", default=0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(why, retryAfterSeconds=_BUSY_SECONDS)
    if len(status.get("disruptedPods") or {}) > _MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden(POD_DISRUPTION_BUDGET, name, why)
    if status.get("disruptionsAllowed", 0) <= 0:
        raise _too_many(
            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods"
            f" and has {status.get('currentHealthy', 0)} currently"
        )


def _too_many(why: str, **details: Any) -> ApiError:
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return ApiError(429, "TooManyRequests", _REFUSAL, {**details, "causes": causes})
