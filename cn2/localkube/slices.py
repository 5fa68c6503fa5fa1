"""EndpointSlices and Endpoints of a service, from its pods. Pure.

The forms are those of kube-controller-manager's endpointslice and endpoints controllers: a slice
has one address family and one set of ports; a pod whose named port resolves differently lands in
another slice. Names are derived, not generated, so that a second pass finds what the first made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cn2.api.access import at, items, mapping, name_of, namespace_of, text
from cn2.api.kind import Object
from cn2.api.kinds import ENDPOINT_SLICE, ENDPOINTS
from cn2.localkube.pods import is_finished, is_pod_ready
from cn2.net.names import fnv1a32

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
ENDPOINTS_MANAGER = "endpoint-controller"
_HEADLESS = "service.kubernetes.io/headless"
_PER_SLICE = 100
"""Endpoints in one slice, kube-controller-manager's --max-endpoints-per-slice."""

Ports = tuple[tuple[str, int, str], ...]
"""(name, number, protocol) in the order of the service."""


@dataclass(frozen=True, slots=True)
class Member:
    """A pod of a service, at one address."""

    pod: Object
    address: str
    ports: Ports
    ready: bool
    serving: bool
    terminating: bool


def selects(service: Object, pod: Object) -> bool:
    selector = mapping(service, "spec", "selector")
    labels = mapping(pod, "metadata", "labels")
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def families(service: Object) -> list[str]:
    """IPv4, IPv6 or both; a service that does not say is of the family of its address."""
    named = [family for family in items(service, "spec", "ipFamilies") if isinstance(family, str)]
    return named or ["IPv6" if ":" in text(service, "spec", "clusterIP") else "IPv4"]


def members(service: Object, pods: Iterable[Object], family: str) -> list[Member]:
    """The pods of a service that have an address of the family, by name."""
    found = []
    for pod in sorted(pods, key=name_of):
        address = _address(pod, family)
        if not address or is_finished(pod) or not selects(service, pod):
            continue
        serving = is_pod_ready(pod)
        terminating = bool(text(pod, "metadata", "deletionTimestamp"))
        unready_too = at(service, "spec", "publishNotReadyAddresses") is True
        found.append(
            Member(
                pod=pod,
                address=address,
                ports=_ports(service, pod),
                ready=unready_too or (serving and not terminating),
                serving=serving,
                terminating=terminating,
            )
        )
    return found


def endpoint_slices(service: Object, pods: Iterable[Object]) -> dict[str, Object]:
    """The slices that a service should have, by name."""
    pods = list(pods)
    slices: dict[str, Object] = {}
    for family in families(service):
        groups: dict[Ports, list[Member]] = {}
        for member in members(service, pods, family):
            groups.setdefault(member.ports, []).append(member)
        parts = [
            (ports, group[start : start + _PER_SLICE])
            for ports, group in sorted(groups.items())
            for start in range(0, len(group), _PER_SLICE)
        ]
        for number, (ports, part) in enumerate(parts or [(_ports(service, None), [])]):
            name = _slice_name(service, family, number)
            slices[name] = _slice(service, name, family, ports, part)
    return slices


def endpoints(service: Object, pods: Iterable[Object]) -> Object:
    """The Endpoints object of a service: one subset per set of ports, first family only."""
    groups: dict[Ports, tuple[list[Object], list[Object]]] = {}
    for member in members(service, pods, families(service)[0]):
        if member.terminating:
            continue
        ready, unready = groups.setdefault(member.ports, ([], []))
        (ready if member.ready else unready).append(_subset_address(member))
    subsets = []
    for ports, (ready, unready) in groups.items():
        subset: Object = {}
        if ready:
            subset["addresses"] = ready
        if unready:
            subset["notReadyAddresses"] = unready
        if ports:
            subset["ports"] = _port_objects(ports)
        subsets.append(subset)
    made: Object = {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": {
            "name": name_of(service),
            "namespace": namespace_of(service),
            "labels": mapping(service, "metadata", "labels")
            | {ENDPOINTS_MANAGED_BY: ENDPOINTS_MANAGER}
            | _headless_label(service),
        },
    }
    if subsets:
        made["subsets"] = subsets
    return made


def _slice(service: Object, name: str, family: str, ports: Ports, group: list[Member]) -> Object:
    return {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": ENDPOINT_SLICE.kind,
        "metadata": {
            "name": name,
            "namespace": namespace_of(service),
            "labels": mapping(service, "metadata", "labels")
            | {SERVICE_LABEL: name_of(service), MANAGED_BY: MANAGER}
            | _headless_label(service),
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": name_of(service),
                    "uid": text(service, "metadata", "uid"),
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "addressType": family,
        "endpoints": [_endpoint(member) for member in group],
        "ports": _port_objects(ports),
    }


def _slice_name(service: Object, family: str, number: int) -> str:
    digest = fnv1a32(text(service, "metadata", "uid"), family, str(number))
    return f"{name_of(service)[:240]}-{digest}"


def _endpoint(member: Member) -> Object:
    endpoint: Object = {
        "addresses": [member.address],
        "conditions": {
            "ready": member.ready,
            "serving": member.serving,
            "terminating": member.terminating,
        },
        "targetRef": _target(member.pod),
    }
    node = text(member.pod, "spec", "nodeName")
    if node:
        endpoint["nodeName"] = node
    hostname = text(member.pod, "spec", "hostname")
    if hostname and text(member.pod, "spec", "subdomain"):
        endpoint["hostname"] = hostname
    return endpoint


def _subset_address(member: Member) -> Object:
    address: Object = {"ip": member.address, "targetRef": _target(member.pod)}
    node = text(member.pod, "spec", "nodeName")
    if node:
        address["nodeName"] = node
    return address


def _target(pod: Object) -> Object:
    return {
        "kind": "Pod",
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "uid": text(pod, "metadata", "uid"),
    }


def _headless_label(service: Object) -> dict[str, str]:
    return {_HEADLESS: ""} if text(service, "spec", "clusterIP") == "None" else {}


def _address(pod: Object, family: str) -> str:
    addresses = [text(entry, "ip") for entry in items(pod, "status", "podIPs")]
    for address in addresses or [text(pod, "status", "podIP")]:
        if address and (":" in address) == (family == "IPv6"):
            return address
    return ""


def _ports(service: Object, pod: Object | None) -> Ports:
    """The service's ports as numbers on this pod; a name that the pod lacks is left out."""
    found = []
    for port in items(service, "spec", "ports"):
        protocol = text(port, "protocol") or "TCP"
        number = _port_number(at(port, "targetPort", default=port.get("port")), protocol, pod)
        if number:
            found.append((text(port, "name"), number, protocol))
    return tuple(found)


def _port_number(target: Any, protocol: str, pod: Object | None) -> int:
    if isinstance(target, int):
        return target
    for container in items(pod, "spec", "containers"):
        for port in items(container, "ports"):
            if text(port, "name") == target and (text(port, "protocol") or "TCP") == protocol:
                number = port.get("containerPort")
                return number if isinstance(number, int) else 0
    return 0


def _port_objects(ports: Ports) -> list[Object]:
    return [
        {"name": name, "port": number, "protocol": protocol} for name, number, protocol in ports
    ]
