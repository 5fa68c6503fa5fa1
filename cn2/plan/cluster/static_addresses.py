"""Addresses and MACs that pods ask for (F09): looked at before anything is made for the pod."""

from __future__ import annotations

from collections.abc import Iterable

from cn2.api import network_annotations
from cn2.api.kind import Object
from cn2.api.kinds import (
    INSTANCE_IP,
    POD,
    SUBNET,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
)
from cn2.plan.cluster import networks, objects, pod_networks, subnets
from cn2.plan.cluster.pod_networks import Asked
from cn2.plan.snapshot import Key, Snapshot

BY_ADDRESS = "address"
"""Index of InstanceIPs: the address that they hold. Of Pods: the addresses that they ask for."""
BY_MAC = "mac"
"""Index of VirtualMachineInterfaces and Pods: `namespace/network mac` that they have or ask for."""


def address_of(address: Object) -> list[str]:
    """Index function of InstanceIPs."""
    given = objects.spec(address).get("instanceIPAddress")
    return [given] if given and objects.status(address).get("subnetReference") else []


def asked_by(pod: Object) -> list[str]:
    """Index function of Pods."""
    text = objects.notes(pod).get(network_annotations.NETWORKS, "")
    try:
        asked = pod_networks.parse(text, pod["metadata"]["namespace"])
    except ValueError:
        return []
    return [ip for one in asked for ip in (one.addresses or {}).values()]


def macs_of(interface: Object) -> list[str]:
    """Index function of VirtualMachineInterfaces."""
    spec = objects.spec(interface)
    where = objects.text(objects.target(spec.get("virtualNetworkReference")))
    macs = (spec.get("virtualMachineInterfaceMacAddresses") or {}).get("macAddress") or ()
    return [f"{where} {mac.lower()}" for mac in macs]


def macs_asked_by(pod: Object) -> list[str]:
    """Index function of Pods."""
    text = objects.notes(pod).get(network_annotations.NETWORKS, "")
    try:
        asked = pod_networks.parse(text, pod["metadata"]["namespace"])
    except ValueError:
        return []
    return [f"{one.namespace}/{one.network} {one.mac}" for one in asked if one.mac]


def mac_problem(snapshot: Snapshot, pod: Object, asked: Iterable[Asked]) -> str:
    """Why one of the MACs cannot be had on its network, "" when all can. Of two pods that ask
    for one, the older has it."""
    seen: set[str] = set()
    for one in asked:
        if not one.mac:
            continue
        key = f"{one.namespace}/{one.network} {one.mac}"
        where = f"MAC {one.mac} on network {one.namespace}/{one.network}"
        for interface in snapshot.find(VIRTUAL_MACHINE_INTERFACE, BY_MAC, key):
            name = objects.text(objects.key(interface))
            return f"{where} is used by VirtualMachineInterface {name}: ask for another"
        for other in snapshot.find(POD, BY_MAC, key):
            if pod_networks.needs_network(other) and _age(other) < _age(pod):
                name = objects.text(objects.key(other))
                return f"{where} is asked for by Pod {name} too: ask for another"
        if key in seen:
            return f"{where} is asked for twice"
        seen.add(key)
    return ""


def _age(pod: Object) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp", ""), objects.uid(pod)


def problem(snapshot: Snapshot, asked: Iterable[Asked]) -> str:
    """Why one of the addresses cannot be had now, "" when all can.

    The claim in the store decides in the end; this keeps a pod that waits for an address from
    holding others meanwhile.
    """
    taken: set[tuple[Key, str]] = set()
    for one in asked:
        for family, ip in (one.addresses or {}).items():
            network = snapshot.get(VIRTUAL_NETWORK, one.network, one.namespace)
            where = networks.subnet_keys(network).get(family) if network else None
            if where is None:
                return (
                    f"VirtualNetwork {one.namespace}/{one.network} has no {family} Subnet for {ip}"
                )
            if found := _problem(snapshot, where, ip):
                return found
            if (where, ip) in taken:
                return f"{ip} is asked for twice"
            taken.add((where, ip))
    return ""


def _problem(snapshot: Snapshot, where: Key, ip: str) -> str:
    subnet = snapshot.get(SUBNET, where[1], where[0])
    if subnet is None or objects.terminating(subnet):
        return ""  # its InstanceIP waits for the Subnet
    prefix = subnets.prefix_of(subnet)
    if ip not in prefix:
        return f"{ip} is not in Subnet {objects.text(where)} ({prefix})"
    if prefix.id(ip) in subnets.reserved(subnet):
        return f"{ip} is reserved in Subnet {objects.text(where)}"
    for user in snapshot.find(INSTANCE_IP, BY_ADDRESS, ip):
        if objects.target(objects.status(user)["subnetReference"]) == where:
            return f"{ip} is used by InstanceIP {user['metadata']['name']}"
    return ""
