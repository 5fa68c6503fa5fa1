"""Reading the objects that a node sees: the only place that knows their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cn2.api.kind import Object
from cn2.api.v1alpha1.virtual_machine_interface import POD_NAME, POD_NAMESPACE
from cn2.plan.node.attachment import Network, Pair

Key = tuple[str, str]


POD_NETWORK = "default-podnetwork"
"""The network that every pod's first interface is on, in the cluster's or an isolated namespace."""


def key(obj: Object) -> Key:
    """(namespace, name); the namespace of a cluster-scoped object is ""."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def target(reference: Mapping[str, Any]) -> Key:
    """(namespace, name) that a reference points at."""
    return reference.get("namespace", ""), reference.get("name", "")


def annotation(obj: Object, name: str) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(name, ""))


def state(obj: Object) -> str:
    """`Success`, `Pending`, `Failure`, or "" while no controller has said anything."""
    return str((obj.get("status") or {}).get("state", ""))


def observation(obj: Object) -> str:
    return str((obj.get("status") or {}).get("observation", ""))


def pod_of(vmi: Object) -> Key:
    """(namespace, name) of the pod that an interface belongs to."""
    return annotation(vmi, POD_NAMESPACE), annotation(vmi, POD_NAME)


def interfaces_of(iip: Object) -> Iterator[Key]:
    """The interfaces that an InstanceIP is for."""
    spec = iip.get("spec") or {}
    for reference in spec.get("virtualMachineInterfaceReferences") or ():
        yield target(reference)


def network_of(vmi: Object) -> Key:
    return target((vmi.get("spec") or {}).get("virtualNetworkReference") or {})


def virtual_machine_uid(vmi: Object) -> str:
    references = (vmi.get("spec") or {}).get("virtualMachineReferences") or ()
    return next((str(one.get("uid", "")) for one in references), "")


def mac(vmi: Object) -> str:
    spec = vmi.get("spec") or {}
    macs = (spec.get("virtualMachineInterfaceMacAddresses") or {}).get("macAddress") or ()
    return str(macs[0]).lower() if macs else ""


def position(vmi: Object) -> tuple[int, int]:
    """(index, how many interfaces the pod has in all), from the annotation `index`: `0/2`.

    (0, 0) when the annotation says nothing usable.
    """
    index, _, total = annotation(vmi, "index").partition("/")
    return (int(index), int(total)) if index.isdigit() and total.isdigit() else (0, 0)


def pairs(vmi: Object) -> tuple[Pair, ...]:
    """The allowed address pairs: further prefixes that may send from the interface."""
    allowed = (vmi.get("spec") or {}).get("allowedAddressPairs") or {}
    return tuple(
        Pair(
            ip=str(ip["ipPrefix"]),
            prefix=int(ip.get("ipPrefixLen", 128 if ":" in ip["ipPrefix"] else 32)),
            mac=str(one.get("mac") or "").lower(),
        )
        for one in allowed.get("allowedAddressPair") or ()
        if (ip := one.get("ip") or {}).get("ipPrefix")
    )


def subnets_of(vn: Object) -> dict[str, Key]:
    """Family (`v4`, `v6`) to the Subnet that the network takes its addresses from."""
    spec = vn.get("spec") or {}
    return {
        family: target(reference)
        for family in ("v4", "v6")
        if (reference := spec.get(f"{family}SubnetReference"))
    }


def network(vn: Object, subnets: Mapping[Key, Object]) -> Network | None:
    """What the datapath has to know of `vn`; None until it has its number and its subnets."""
    vni = (vn.get("status") or {}).get("virtualNetworkNetworkId")
    wanted = list(subnets_of(vn).values())
    if not vni or any(one not in subnets for one in wanted):
        return None
    namespace, name = key(vn)
    properties = (vn.get("spec") or {}).get("virtualNetworkProperties") or {}
    gateways = (str(subnets[one]["spec"].get("defaultGateway", "")) for one in wanted)
    return Network(
        namespace=namespace,
        name=name,
        vni=int(vni),
        # Frames that are not IP have no place among all pods of a cluster.
        mode="l3" if name == POD_NETWORK else properties.get("forwardingMode") or "l2_l3",
        rpf=(properties.get("rpf") or "enable") != "disable",
        gateways=tuple(filter(None, gateways)),
    )
