"""What a pod's interfaces must be, or what is still missing for them.

A pod is plugged with all its interfaces or not at all, so this answers for the pod as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from cn2.api.kind import Object
from cn2.api.v1alpha1.virtual_machine_interface import POD_UID
from cn2.plan.node import objects
from cn2.plan.node.attachment import Address, Attachment, Network
from cn2.plan.node.snapshot import Key, Snapshot
from cn2.plan.node.stopping import stopped


@dataclass(frozen=True, slots=True)
class Waiting:
    """The pod cannot be plugged yet."""

    reason: str
    """Names the pod, the network and what is awaited, for the pod's event."""


class _NotReady(Exception):
    pass


def attachments(snapshot: Snapshot, pod: Key, uid: str = "") -> tuple[Attachment, ...] | Waiting:
    """All interfaces of the pod, in the order of their index.

    `uid` is the pod's, "" from a runtime that does not tell it: then any is taken, as long as the
    interfaces agree about it.
    """
    try:
        found = _interfaces(snapshot, pod, uid)
        return tuple(_attachment(snapshot, vmi, pod) for vmi in found)
    except _NotReady as missing:
        return Waiting(f"pod {'/'.join(pod)}: {missing}")


def conflict(snapshot: Snapshot, wanted: Sequence[Attachment]) -> Waiting | None:
    """What of `wanted` is still plugged for somebody else on this node.

    Two interfaces with one address in one network must never be; the earlier one goes first,
    unless it was silenced because the address is no longer its own.
    """
    for one in wanted:
        mine = {address.ip for address in one.addresses}
        for ifindex in snapshot.ports_of_network.get(one.network.key, ()):
            other = snapshot.ports[ifindex].attachment
            taken = mine & {address.ip for address in other.addresses}
            if taken and not stopped(snapshot, snapshot.ports[ifindex]):
                return Waiting(
                    f"pod {'/'.join(one.pod)}: address {min(taken)} of network {one.network.label}"
                    f" is still plugged for pod {'/'.join(other.pod)} (uid {other.pod_uid}),"
                    f" container {snapshot.ports[ifindex].container}"
                )
    return None


def _interfaces(snapshot: Snapshot, pod: Key, uid: str) -> list[Object]:
    known = list(snapshot.interfaces_of_pod.get(pod, ()))
    if not known:
        raise _NotReady("no VirtualMachineInterface on this node yet")
    uids = {objects.annotation(vmi, POD_UID) for vmi in known}
    stale = uids - {uid} if uid else set(sorted(uids)[1:])
    if stale:
        raise _NotReady(f"interfaces of its earlier uid {', '.join(sorted(stale))} are not gone")
    known.sort(key=objects.position)
    total = objects.position(known[0])[1]
    have = [objects.position(vmi)[0] for vmi in known]
    if have != list(range(total)):
        raise _NotReady(f"{len(known)} of {total} VirtualMachineInterfaces are there")
    return known


def _attachment(snapshot: Snapshot, vmi: Object, pod: Key) -> Attachment:
    network_key = objects.network_of(vmi)
    label = "/".join(network_key)
    if objects.state(vmi) != "Success":
        raise _NotReady(
            f"interface {'/'.join(objects.key(vmi))} in network {label} is not ready"
            f" ({objects.state(vmi) or 'no status'}: {objects.observation(vmi) or 'no reason'})"
        )
    vn = snapshot.networks.get(network_key)
    network = snapshot.network(network_key)
    if vn is None or network is None:
        what = "does not exist" if vn is None else "has no number or no subnet yet"
        raise _NotReady(f"network {label} {what}")
    mac, machine = objects.mac(vmi), objects.virtual_machine_uid(vmi)
    if not mac or not machine:
        raise _NotReady(f"interface {'/'.join(objects.key(vmi))} has no MAC or VirtualMachine yet")
    index = objects.position(vmi)[0]
    return Attachment(
        vmi=objects.key(vmi),
        pod=pod,
        pod_uid=objects.annotation(vmi, POD_UID),
        vm_uid=machine,
        index=index,
        name=objects.annotation(vmi, "interface") or f"eth{index}",
        mac=mac,
        network=network,
        addresses=_addresses(snapshot, vmi, vn, network),
        pairs=objects.pairs(vmi),
    )


def _addresses(
    snapshot: Snapshot, vmi: Object, vn: Object, network: Network
) -> tuple[Address, ...]:
    by_family: dict[str, Object] = {}
    for iip in snapshot.addresses_of_interface.get(objects.key(vmi), ()):
        by_family[str(iip["spec"].get("instanceIPFamily", "v4"))] = iip
    return tuple(
        _address(by_family.get(family), snapshot.subnets[subnet], family, network)
        for family, subnet in objects.subnets_of(vn).items()
    )


def _address(iip: Object | None, subnet: Object, family: str, network: Network) -> Address:
    if iip is None:
        raise _NotReady(f"no {family} InstanceIP in network {network.label} yet")
    ip = iip["spec"].get("instanceIPAddress", "")
    if objects.state(iip) != "Success" or not ip:
        raise _NotReady(
            f"{family} address in network {network.label} is not ready"
            f" ({objects.state(iip) or 'no status'}: {objects.observation(iip) or 'no reason'})"
        )
    return Address(
        ip=str(ip),
        prefix=ip_network(subnet["spec"]["cidr"], strict=False).prefixlen,
        gateway=str(subnet["spec"].get("defaultGateway", "")),
    )
