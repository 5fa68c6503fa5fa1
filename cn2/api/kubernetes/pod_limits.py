"""What LimitRanges do to a pod: fill in what it leaves open, refuse what is out of bounds. Pure.

Words and order are those of Kubernetes' LimitRanger admission.
"""

from __future__ import annotations

from decimal import Decimal

from cn2.api.access import items, mapping, text
from cn2.api.kind import Object
from cn2.api.quantity import amount

ANNOTATION = "kubernetes.io/limit-ranger"


def complete_limits(entry: Object) -> None:
    """Defaults of one item of a LimitRange: the maximum limits, the limit requests."""
    if text(entry, "type") != "Container":
        return
    chain = (("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest"))
    for source, target in chain:
        for name, given in mapping(entry, source).items():
            entry.setdefault(target, {}).setdefault(name, given)


def fill(pod: Object, limit_range: Object) -> None:
    """Gives each container the defaults that it does not say itself, and notes that."""
    entries = [e for e in items(limit_range, "spec", "limits") if text(e, "type") == "Container"]
    notes = []
    for what, section in (("", "containers"), ("init ", "initContainers")):
        for container in items(pod, "spec", section):
            for entry in entries:
                notes += _fill_one(container, entry, f"{what}container {text(container, 'name')}")
    if notes:
        told = "LimitRanger plugin set: " + "; ".join(notes)
        pod["metadata"].setdefault("annotations", {})[ANNOTATION] = told


def _fill_one(container: Object, entry: Object, called: str) -> list[str]:
    resources = container.get("resources") or {}
    requests, limits = dict(mapping(resources, "requests")), dict(mapping(resources, "limits"))
    for name, given in limits.items():
        requests.setdefault(name, given)
    set_limits = [name for name in mapping(entry, "default") if name not in limits]
    set_requests = [name for name in mapping(entry, "defaultRequest") if name not in requests]
    limits |= {name: entry["default"][name] for name in set_limits}
    requests |= {name: entry["defaultRequest"][name] for name in set_requests}
    if set_limits or set_requests:
        container["resources"] = {**resources, "limits": limits, "requests": requests}
    notes = []
    for section, names in (("request", set_requests), ("limit", set_limits)):
        if names:
            notes.append(f"{', '.join(sorted(names))} {section} for {called}")
    return notes


def violations(pod: Object, limit_range: Object) -> list[str]:
    """What is out of bounds."""
    told = []
    for entry in items(limit_range, "spec", "limits"):
        kind = text(entry, "type")
        if kind == "Container":
            for container in (
                *items(pod, "spec", "containers"),
                *items(pod, "spec", "initContainers"),
            ):
                requests = mapping(container, "resources", "requests")
                limits = mapping(container, "resources", "limits")
                told += _outside(entry, kind, requests, limits)
        elif kind == "Pod":
            told += _outside(entry, kind, _sum(pod, "requests"), _sum(pod, "limits"))
    return told


def _sum(pod: Object, section: str) -> dict[str, object]:
    containers = items(pod, "spec", "containers")
    named = [mapping(container, "resources", section) for container in containers]
    sums: dict[str, object] = {}
    for name in {name for one in named for name in one}:
        sums[name] = str(sum((amount(one.get(name, 0)) for one in named), Decimal(0)))
    return sums


def _outside(
    entry: Object, kind: str, requests: dict[str, object], limits: dict[str, object]
) -> list[str]:
    told = []
    for name, least in mapping(entry, "min").items():
        told += _too_little(f"minimum {name} usage per {kind} is {least}", name, least, requests)
        if name in limits and amount(limits[name]) < amount(least):
            told.append(f"minimum {name} usage per {kind} is {least}, but limit is {limits[name]}")
    for name, most in mapping(entry, "max").items():
        begin = f"maximum {name} usage per {kind} is {most}"
        if name not in limits:
            told.append(f"{begin}.  No limit is specified")
        elif amount(limits[name]) > amount(most):
            told.append(f"{begin}, but limit is {limits[name]}")
        elif name in requests and amount(requests[name]) > amount(most):
            told.append(f"{begin}, but request is {requests[name]}")
    for name, ratio in mapping(entry, "maxLimitRequestRatio").items():
        told += _too_far_apart(name, kind, ratio, requests, limits)
    return told


def _too_little(begin: str, name: str, least: object, requests: dict[str, object]) -> list[str]:
    if name not in requests:
        return [f"{begin}.  No request is specified"]
    if amount(requests[name]) < amount(least):
        return [f"{begin}, but request is {requests[name]}"]
    return []


def _too_far_apart(
    name: str, kind: str, ratio: object, requests: dict[str, object], limits: dict[str, object]
) -> list[str]:
    begin = f"{name} max limit to request ratio per {kind} is {ratio}"
    if name not in requests or name not in limits or not amount(requests[name]):
        return [f"{begin}, but no request is specified or request is 0"]
    given = amount(limits[name]) / amount(requests[name])
    return [f"{begin}, but provided ratio is {given:f}"] if given > amount(ratio) else []
