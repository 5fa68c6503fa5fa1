"""Which node a pod goes to. Pure.

Filters are those of kube-scheduler that one machine can need: readiness, unschedulable, taints,
node selector, required node affinity, node name, number of pods. Among what fits, the node with
the fewest pods, then the first by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cn2.api.access import at, items, mapping, name_of, text
from cn2.api.kind import Object

_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The node's name, or why there is none, in kube-scheduler's words."""

    node: str
    message: str = ""


def choose(pod: Object, nodes: Iterable[Object], load: Mapping[str, int]) -> Choice:
    """`load` is the number of pods already on each node."""
    candidates = list(nodes)
    if not candidates:
        return Choice("", "no nodes available to schedule pods")
    reasons: Counter[str] = Counter()
    fitting: list[tuple[int, str]] = []
    for node in candidates:
        name = name_of(node)
        reason = misfit(pod, node, load.get(name, 0))
        if reason:
            reasons[reason] += 1
        else:
            fitting.append((load.get(name, 0), name))
    if fitting:
        return Choice(min(fitting)[1])
    told = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
    return Choice("", f"0/{len(candidates)} nodes are available: {told}.")


def misfit(pod: Object, node: Object, load: int) -> str:
    """Why the pod cannot go to the node; "" when it can."""
    if text(node, "metadata", "deletionTimestamp"):
        return "node(s) were being deleted"
    if at(node, "spec", "unschedulable") is True and not tolerates(pod, _UNSCHEDULABLE):
        return "node(s) were unschedulable"
    if not is_ready(node):
        return "node(s) were not ready"
    for taint in items(node, "spec", "taints"):
        if text(taint, "effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return f"node(s) had untolerated taint {{{text(taint, 'key')}: {text(taint, 'value')}}}"
    if not _selected(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    room = at(node, "status", "allocatable", "pods")
    if room is not None and str(room).isdigit() and load >= int(room):
        return "Too many pods"
    return ""


def is_ready(node: Object) -> bool:
    return any(
        text(condition, "type") == "Ready" and text(condition, "status") == "True"
        for condition in items(node, "status", "conditions")
    )


def tolerates(pod: Object, taint: Object) -> bool:
    return any(_matches(toleration, taint) for toleration in items(pod, "spec", "tolerations"))


def _matches(toleration: Object, taint: Object) -> bool:
    effect, key = text(toleration, "effect"), text(toleration, "key")
    if effect and effect != text(taint, "effect"):
        return False
    if key and key != text(taint, "key"):
        return False
    if (text(toleration, "operator") or "Equal") == "Exists":
        return True
    return bool(key) and text(toleration, "value") == text(taint, "value")


def _selected(pod: Object, node: Object) -> bool:
    labels = mapping(node, "metadata", "labels")
    wanted = mapping(pod, "spec", "nodeSelector")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    required = mapping(
        pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = items(required, "nodeSelectorTerms")
    return not required or any(_term(term, node, labels) for term in terms)


def _term(term: Object, node: Object, labels: Mapping[str, str]) -> bool:
    expressions = items(term, "matchExpressions")
    fields = items(term, "matchFields")
    if not expressions and not fields:
        return False
    names = {"metadata.name": name_of(node)}
    return all(_expression(entry, labels) for entry in expressions) and all(
        _expression(entry, names) for entry in fields
    )


def _expression(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(text(expression, "key"))
    values = items(expression, "values")
    match text(expression, "operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, values, operator)
        case _:
            return False


def _compares(value: str | None, values: list[str], operator: str) -> bool:
    try:
        have, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > bound if operator == "Gt" else have < bound


def belongs(pod: Object, node: Object) -> tuple[bool, bool]:
    """Whether a daemon's pod should run on the node, and whether one that is there may stay.

    The node's readiness and its room do not matter: the pod comes up when they allow.
    """
    if not _selected(pod, node):
        return False, False
    named = text(pod, "spec", "nodeName")
    if named and named != name_of(node):
        return False, False
    taints = [taint for taint in items(node, "spec", "taints") if not tolerates(pod, taint)]
    effects = {text(taint, "effect") for taint in taints}
    return not effects & {"NoSchedule", "NoExecute"}, "NoExecute" not in effects
