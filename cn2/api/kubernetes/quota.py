"""What an object uses of a ResourceQuota. Pure; the server refuses by it, a controller counts.

The names of resources are Kubernetes' (quota evaluators of kube-apiserver): pods and their
requests and limits, services, claims, and `count/PLURAL.GROUP` of everything in a namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cn2.api.access import at, items, mapping, text
from cn2.api.kind import Kind, Object
from cn2.api.kubernetes.pod_defaults import qos_class
from cn2.api.quantity import amount, amount_text

_COUNTED_BY_NAME = frozenset(
    {
        *("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers"),
        *("resourcequotas", "secrets", "services"),
    }
)
_COMPUTE = frozenset({"cpu", "memory", "ephemeral-storage"})


def usage(kind: Kind, obj: Object | None) -> dict[str, Decimal]:
    """What one object uses, by resource."""
    if obj is None:
        return {}
    used = {f"count/{kind.resource}": Decimal(1)}
    if kind.group:
        return used
    match kind.plural:
        case "pods":
            return used if _is_finished(obj) else {**used, "pods": Decimal(1), **_of_pod(obj)}
        case "services":
            return {**used, "services": Decimal(1), **_of_service(obj)}
        case "persistentvolumeclaims":
            return {**used, "persistentvolumeclaims": Decimal(1), **_of_claim(obj)}
        case plural if plural in _COUNTED_BY_NAME:
            return {**used, plural: Decimal(1)}
    return used


def counts_only(names: Iterable[str]) -> bool:
    """Whether every object of a kind uses the same of these, whatever is in it."""
    whole = _COUNTED_BY_NAME - {"pods"}
    return all(name in whole or name.startswith("count/") for name in names)


def applies(quota: Object, kind: Kind, obj: Object) -> bool:
    """Whether an object is in the scopes of a quota; only pods have scopes."""
    scopes = items(quota, "spec", "scopes")
    chosen = items(quota, "spec", "scopeSelector", "matchExpressions")
    if not scopes and not chosen:
        return True
    if (kind.group, kind.plural) != ("", "pods"):
        return False
    return all(_in_scope(obj, scope, "Exists", []) for scope in scopes) and all(
        _in_scope(obj, text(term, "scopeName"), text(term, "operator"), items(term, "values"))
        for term in chosen
    )


def charged(quota: Object, kind: Kind, obj: Object | None) -> dict[str, Decimal]:
    """The part of an object's usage that this quota limits."""
    if obj is None or not applies(quota, kind, obj):
        return {}
    hard = mapping(quota, "spec", "hard")
    return {name: number for name, number in usage(kind, obj).items() if name in hard}


def unspecified(quota: Object, pod: Object) -> str:
    """What a pod must say where a quota limits it: `limits.cpu for: main; ...`; "" if nothing."""
    hard = mapping(quota, "spec", "hard")
    told = []
    for name in sorted(hard):
        section, _, resource = name.rpartition(".")
        if resource not in _COMPUTE or section not in ("", "requests", "limits"):
            continue
        silent = [
            text(container, "name")
            for container in _containers(pod)
            if at(container, "resources", section or "requests", resource) is None
        ]
        if silent:
            told.append(f"{name} for: {','.join(silent)}")
    return "; ".join(told)


def totals(quota: Object, used: Iterable[Mapping[str, Decimal]]) -> dict[str, str]:
    """status.used: the sum for each resource that the quota limits."""
    sums: dict[str, Decimal] = {}
    for one in used:
        for name, number in one.items():
            sums[name] = sums.get(name, Decimal(0)) + number
    return {
        name: amount_text(sums.get(name, Decimal(0)), limit)
        for name, limit in sorted(mapping(quota, "spec", "hard").items())
    }


def _is_finished(pod: Object) -> bool:
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def _containers(pod: Object) -> list[Object]:
    return [*items(pod, "spec", "initContainers"), *items(pod, "spec", "containers")]


def _of_pod(pod: Object) -> dict[str, Decimal]:
    requests, limits = _pod_amounts(pod, "requests"), _pod_amounts(pod, "limits")
    used = {f"requests.{name}": number for name, number in requests.items()}
    used |= {name: number for name, number in requests.items() if name in _COMPUTE}
    return used | {f"limits.{name}": number for name, number in limits.items()}


def _pod_amounts(pod: Object, section: str) -> dict[str, Decimal]:
    """All containers together, or the largest init container where that is more."""
    sums: dict[str, Decimal] = {}
    for container in items(pod, "spec", "containers"):
        for name, given in mapping(container, "resources", section).items():
            sums[name] = sums.get(name, Decimal(0)) + amount(given)
    for container in items(pod, "spec", "initContainers"):
        for name, given in mapping(container, "resources", section).items():
            sums[name] = max(sums.get(name, Decimal(0)), amount(given))
    return sums


def _of_service(service: Object) -> dict[str, Decimal]:
    kind = text(service, "spec", "type")
    ports = Decimal(len(items(service, "spec", "ports")))
    nodes = kind in ("NodePort", "LoadBalancer")
    if kind == "LoadBalancer":
        nodes = at(service, "spec", "allocateLoadBalancerNodePorts") is not False
    return {
        **({"services.loadbalancers": Decimal(1)} if kind == "LoadBalancer" else {}),
        **({"services.nodeports": ports} if nodes else {}),
    }


def _of_claim(claim: Object) -> dict[str, Decimal]:
    wanted = at(claim, "spec", "resources", "requests", "storage")
    return {} if wanted is None else {"requests.storage": amount(wanted)}


def _in_scope(pod: Object, scope: str, operator: str, values: list[str]) -> bool:
    terminating = at(pod, "spec", "activeDeadlineSeconds") is not None
    match scope:
        case "Terminating":
            return terminating
        case "NotTerminating":
            return not terminating
        case "BestEffort":
            return qos_class(mapping(pod, "spec")) == "BestEffort"
        case "NotBestEffort":
            return qos_class(mapping(pod, "spec")) != "BestEffort"
        case "PriorityClass":
            return _matches(text(pod, "spec", "priorityClassName"), operator, values)
        case "CrossNamespacePodAffinity":
            return _crosses_namespaces(pod)
    return False


def _matches(name: str, operator: str, values: list[str]) -> bool:
    match operator:
        case "In":
            return name in values
        case "NotIn":
            return name not in values
        case "DoesNotExist":
            return not name
    return bool(name)


def _crosses_namespaces(pod: Object) -> bool:
    return any(
        term.get("namespaces") or term.get("namespaceSelector") is not None
        for which in ("podAffinity", "podAntiAffinity")
        for term in (
            *items(
                pod, "spec", "affinity", which, "requiredDuringSchedulingIgnoredDuringExecution"
            ),
            *(
                mapping(weighted, "podAffinityTerm")
                for weighted in items(
                    pod,
                    *("spec", "affinity", which, "preferredDuringSchedulingIgnoredDuringExecution"),
                )
            ),
        )
    )
