"""Pod to VirtualMachine, VirtualMachineInterfaces and InstanceIPs (F08 to F12, cn2-api.md 8).

Made when the pod is bound to a node, removed when the pod is gone: the VirtualMachine by us, what
it owns by garbage collection. Names are hashes without separators, so two pods can meet in one
name: an object that does not say that it was made for this pod is never taken over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cn2.api import network_annotations
from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NODE,
    POD,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_ROUTER,
)
from cn2.api.v1alpha1.virtual_machine_interface import (
    POD_CLUSTER_NAME,
    POD_NAME,
    POD_NAMESPACE,
    POD_UID,
)
from cn2.net.names import interface_name, pod_address_name
from cn2.plan.cluster import networks, objects, pod_networks, static_addresses
from cn2.plan.cluster.cluster_networks import node_block
from cn2.plan.cluster.pod_networks import Asked
from cn2.plan.cluster.settings import Settings
from cn2.plan.cluster.steps import Create, Later, Say, Steps
from cn2.plan.cluster.system import VIRTUAL_ROUTER_LABEL
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

VM_UUID = "kube-manager.juniper.net/vm-uuid"

BY_NETWORK = "network"
"""Index of Pods: `namespace/name` of the networks that they ask for."""
BY_NODE = "node"
"""Index of Pods: the node that they are bound to."""
BY_MACHINE = "machine"
"""Index of VirtualRouters: the names of the VirtualMachines that they refer to."""

PATIENCE = 1.0
"""Seconds for which something may be missing before people are told: watches of different kinds
are torn against each other, and a pod is often applied together with its network."""


def networks_of(pod: Object) -> list[str]:
    """Index function: additional networks only, every pod has the default one."""
    text = objects.notes(pod).get(network_annotations.NETWORKS, "")
    try:
        asked = pod_networks.parse(text, pod["metadata"]["namespace"])
    except ValueError:
        return []
    return [f"{one.namespace}/{one.network}" for one in asked]


def node_of(pod: Object) -> list[str]:
    """Index function."""
    node = objects.spec(pod).get("nodeName")
    return [node] if node else []


def machines_of(router: Object) -> list[str]:
    """Index function."""
    references = objects.spec(router).get("virtualMachineReferences") or ()
    return [one["name"] for one in references]


def pod_key(machine: Object) -> Key:
    """The pod that a VirtualMachine was made for."""
    notes = objects.notes(machine)
    return notes.get(POD_NAMESPACE, ""), notes.get(POD_NAME, "")


def plan(snapshot: Snapshot, settings: Settings, key: Key) -> Steps:
    """The next steps for one pod."""
    pod = snapshot.get(POD, key[1], key[0])
    machine = snapshot.get(VIRTUAL_MACHINE, settings.machine(key))
    if pod is None or not pod_networks.needs_network(pod):
        return _clean(snapshot, settings, key, machine)
    if machine is not None and not _made_for(machine, settings, pod):
        if pod_key(machine) == key:
            return _clean(snapshot, settings, key, machine)  # of an earlier pod of this name
        return _collision(snapshot, pod, VIRTUAL_MACHINE, machine)
    if objects.terminating(pod) or (machine is not None and objects.terminating(machine)):
        return []
    text = objects.notes(pod).get(network_annotations.NETWORKS, "")
    made = text if machine is None else objects.notes(machine).get(network_annotations.NETWORKS, "")
    try:
        asked = _asked(settings, pod, made)
    except ValueError as problem:
        return _complain(snapshot, pod, "InvalidNetworks", str(problem), patience=0)
    missing = _missing_networks(snapshot, asked)
    if missing:
        return _complain(snapshot, pod, "NetworkNotReady", missing)
    if machine is None:
        if unavailable := static_addresses.problem(snapshot, asked):
            return _complain(snapshot, pod, "AddressUnavailable", unavailable)
        if unavailable := static_addresses.mac_problem(snapshot, pod, asked):
            return _complain(snapshot, pod, "MACUnavailable", unavailable)
        return [Create(VIRTUAL_MACHINE, _machine(settings, pod, text))]
    steps = _interfaces(snapshot, settings, pod, machine, asked)
    if text != made:
        # Interfaces cannot come to a pod that runs, nor go from it.
        message = f"stays with the networks that it began with ({made}): create it again"
        steps += _complain(snapshot, pod, "NetworksChanged", message, patience=0)
    return steps


def plan_router(snapshot: Snapshot, settings: Settings, key: Key) -> Steps:
    """The VirtualMachines of one node in its VirtualRouter, in the order of their coming."""
    router = snapshot.get(VIRTUAL_ROUTER, key[1])
    if router is None or objects.terminating(router):
        return []
    machines = {}
    for pod in snapshot.find(POD, BY_NODE, key[1]):
        machine = snapshot.get(VIRTUAL_MACHINE, settings.machine(objects.key(pod)))
        if (
            machine is not None
            and pod_networks.needs_network(pod)
            and _made_for(machine, settings, pod)
        ):
            machines[objects.uid(machine)] = machine
    have = objects.spec(router).get("virtualMachineReferences") or []
    kept = [one for one in have if one.get("uid") in machines]
    known = {one["uid"] for one in kept}
    new = [machine for uid, machine in machines.items() if uid not in known]
    new.sort(key=lambda one: (one["metadata"].get("creationTimestamp", ""), objects.key(one)))
    wanted = kept + [objects.reference(VIRTUAL_MACHINE, one) for one in new]
    if len(kept) == len(have) and not new:
        return []
    body = {"spec": {"virtualMachineReferences": wanted or None}}
    return [objects.patch(VIRTUAL_ROUTER, router, body)]


def _clean(snapshot: Snapshot, settings: Settings, key: Key, machine: Object | None) -> Steps:
    """The pod is gone: its VirtualMachine goes, once the VirtualRouter has let go of it."""
    if machine is None or objects.terminating(machine):
        return []
    ours = objects.notes(machine).get(POD_CLUSTER_NAME) == settings.cluster_name
    if not ours or pod_key(machine) != key:
        return []
    if snapshot.find(VIRTUAL_ROUTER, BY_MACHINE, machine["metadata"]["name"]):
        return []
    return [objects.delete(VIRTUAL_MACHINE, machine)]


def _asked(settings: Settings, pod: Object, text: str) -> list[Asked]:
    default = Asked(*settings.pod_network, "eth0")
    return [default, *pod_networks.parse(text, pod["metadata"]["namespace"])]


def _missing_networks(snapshot: Snapshot, asked: list[Asked]) -> str:
    missing, going = [], []
    for name in dict.fromkeys((one.namespace, one.network) for one in asked):
        network = snapshot.get(VIRTUAL_NETWORK, name[1], name[0])
        if network is None:
            missing.append(objects.text(name))
        elif objects.terminating(network):
            going.append(objects.text(name))
    problems = [f"VirtualNetwork {', '.join(missing)} not found: create it"] if missing else []
    if going:
        problems.append(
            f"VirtualNetwork {', '.join(going)} is being deleted: wait, or ask for others"
        )
    return "; ".join(problems)


def _interfaces(
    snapshot: Snapshot, settings: Settings, pod: Object, machine: Object, asked: list[Asked]
) -> Steps:
    steps: Steps = []
    found = []
    for index, one in enumerate(asked):
        made = _interface(snapshot, settings, pod, machine, index, one, len(asked))
        existing = _existing(snapshot, settings, pod, VIRTUAL_MACHINE_INTERFACE, made)
        if not isinstance(existing, dict):
            steps += existing
            continue
        addresses = _addresses(snapshot, settings, pod, machine, index, one, existing)
        if isinstance(addresses, list):
            steps += addresses
            continue
        found.append((one, existing, addresses))
    if len(found) == len(asked) and not steps:
        return _report(snapshot, pod, machine, found)
    return [*steps, *_introduce(snapshot, pod, machine)]


def _introduce(snapshot: Snapshot, pod: Object, machine: Object) -> Steps:
    """A pod is told its VirtualMachine in one write with its interfaces, or alone if they take
    long."""
    steps = _annotate(pod, {VM_UUID: objects.uid(machine)})
    waited = snapshot.waited(objects.uid(pod), VM_UUID)
    return [Later(PATIENCE - waited)] if steps and waited < PATIENCE else steps


def _annotate(pod: Object, notes: dict[str, str]) -> Steps:
    return [*objects.set_fields(POD, pod, {"metadata": {"annotations": notes}})]


def _existing(
    snapshot: Snapshot, settings: Settings, pod: Object, kind: Kind, wanted: Object
) -> Object | Steps:
    """The object if it is there and this pod's; otherwise what to do about it."""
    namespace, name = objects.key(wanted)
    obj = snapshot.get(kind, name, namespace)
    if obj is None:
        return [Create(kind, wanted)]
    if _made_for(obj, settings, pod):
        return [] if objects.terminating(obj) else obj
    if pod_key(obj) == objects.key(pod):
        return []  # of an earlier pod of this name: it is on its way out
    return _collision(snapshot, pod, kind, obj)


def _addresses(
    snapshot: Snapshot,
    settings: Settings,
    pod: Object,
    machine: Object,
    index: int,
    asked: Asked,
    interface: Object,
) -> dict[str, Object] | Steps:
    network = snapshot.get(VIRTUAL_NETWORK, asked.network, asked.namespace)
    assert network is not None, "checked before"
    families = networks.subnet_keys(network)
    if attached := pod_networks.attached(pod, index):
        # A pod that runs has what it was plugged with: no family comes to it or is taken away.
        families = {family: key for family, key in families.items() if family in attached}
        asked = replace(asked, addresses=attached)
    found: dict[str, Object] = {}
    steps: Steps = []
    for family in families:
        made = _address(snapshot, settings, pod, machine, index, asked, interface, family, network)
        existing = _existing(snapshot, settings, pod, INSTANCE_IP, made)
        if isinstance(existing, dict):
            found[family] = existing
        else:
            steps += existing
    return steps if len(found) < len(families) else found


def _report(
    snapshot: Snapshot,
    pod: Object,
    machine: Object,
    found: list[tuple[Asked, Object, dict[str, Object]]],
) -> Steps:
    """Tell the pod what it has, or what keeps it waiting."""
    for _, interface, addresses in found:
        for obj in (interface, *addresses.values()):
            if objects.state(obj) == objects.SUCCESS:
                continue
            steps = _introduce(snapshot, pod, machine)
            observation = objects.status(obj).get("observation", "")
            if not observation:
                return steps
            reason = "AddressUnavailable" if obj["kind"] == INSTANCE_IP.kind else "NetworkNotReady"
            return [*steps, *_complain(snapshot, pod, reason, observation)]
    snapshot.settle(objects.uid(pod))
    notes = {VM_UUID: objects.uid(machine)}
    if len(found) > 1:
        notes[pod_networks.NETWORK_STATUS] = _network_status(found)
    return _annotate(pod, notes)


def _network_status(found: list[tuple[Asked, Object, dict[str, Object]]]) -> str:
    return pod_networks.status(
        pod_networks.status_element(
            (one.namespace, one.network),
            objects.notes(interface)["interface"],
            [addresses[family]["spec"]["instanceIPAddress"] for family in sorted(addresses)],
            interface["spec"]["virtualMachineInterfaceMacAddresses"]["macAddress"][0],
            default=index == 0,
        )
        for index, (one, interface, addresses) in enumerate(found)
    )


def _complain(
    snapshot: Snapshot, pod: Object, reason: str, message: str, patience: float = PATIENCE
) -> Steps:
    uid = objects.uid(pod)
    waited = snapshot.waited(uid, message)
    if waited < patience:
        return [Later(patience - waited)]
    if snapshot.first_time(uid, message):
        return [Say(Finding(pod, reason, message))]
    return []


def _collision(snapshot: Snapshot, pod: Object, kind: Kind, obj: Object) -> Steps:
    where = objects.text(objects.key(obj))
    message = f"{kind.kind} {where} exists and was not made for this pod"
    # Nothing says when the other is gone: its name leads to no pod.
    return [*_complain(snapshot, pod, "NameCollision", message, patience=0), Later(PATIENCE)]


def _made_for(obj: Object, settings: Settings, pod: Object) -> bool:
    notes = objects.notes(obj)
    return bool(
        notes.get(POD_UID) == objects.uid(pod)
        and notes.get(POD_CLUSTER_NAME) == settings.cluster_name
    )


def _notes(settings: Settings, pod: Object) -> dict[str, str]:
    namespace, name = objects.key(pod)
    return {
        POD_CLUSTER_NAME: settings.cluster_name,
        POD_NAME: name,
        POD_NAMESPACE: namespace,
        POD_UID: objects.uid(pod),
    }


def _machine(settings: Settings, pod: Object, networks_text: str) -> Object:
    namespace, name = objects.key(pod)
    notes = _notes(settings, pod)
    if networks_text:
        notes[network_annotations.NETWORKS] = networks_text
    return {
        "apiVersion": VIRTUAL_MACHINE.api_version,
        "kind": VIRTUAL_MACHINE.kind,
        "metadata": {
            "name": settings.machine((namespace, name)),
            "annotations": notes,
        },
        "spec": {
            "serverType": "container",
            "serverName": name,
            "serverNamespace": namespace,
            "serverClusterName": "",
        },
    }


def _interface(
    snapshot: Snapshot,
    settings: Settings,
    pod: Object,
    machine: Object,
    index: int,
    asked: Asked,
    total: int,
) -> Object:
    namespace, name = objects.key(pod)
    network = snapshot.get(VIRTUAL_NETWORK, asked.network, asked.namespace)
    assert network is not None, "checked before"
    spec: dict[str, Any] = {
        "virtualNetworkReference": objects.reference(VIRTUAL_NETWORK, network),
        "virtualMachineReferences": [objects.reference(VIRTUAL_MACHINE, machine)],
    }
    owner = snapshot.get(NAMESPACE, namespace)
    if owner is not None:
        spec["parent"] = objects.parent(NAMESPACE, owner)
    if asked.mac:
        spec["virtualMachineInterfaceMacAddresses"] = {"macAddress": [asked.mac]}
    if asked.pairs:
        spec["allowedAddressPairs"] = {"allowedAddressPair": list(asked.pairs)}
    made = _owned(
        VIRTUAL_MACHINE_INTERFACE,
        interface_name(namespace, name, asked.network, index),
        settings,
        pod,
        machine,
        spec,
    )
    made["metadata"]["namespace"] = namespace
    made["metadata"]["annotations"] |= {
        "interface": asked.interface or f"eth{index}",
        "index": f"{index}/{total}",
    }
    return made


def _address(
    snapshot: Snapshot,
    settings: Settings,
    pod: Object,
    machine: Object,
    index: int,
    asked: Asked,
    interface: Object,
    family: str,
    network: Object,
) -> Object:
    name = pod_address_name(
        settings.cluster_name,
        *objects.key(pod),
        asked.namespace,
        asked.network,
        index,
        family,
    )
    spec: dict[str, Any] = {
        "instanceIPFamily": family,
        "virtualNetworkReference": objects.reference(VIRTUAL_NETWORK, network),
        "virtualMachineInterfaceReferences": [
            objects.reference(VIRTUAL_MACHINE_INTERFACE, interface)
        ],
    }
    if wanted := (asked.addresses or {}).get(family):
        spec["instanceIPAddress"] = wanted
    node = snapshot.get(NODE, objects.spec(pod)["nodeName"])
    if index == 0 and node is not None and node_block(node, family) is not None:
        spec["ipRangeKeys"] = [node["metadata"]["name"]]
    return _owned(INSTANCE_IP, name, settings, pod, machine, spec)


def _owned(
    kind: Kind, name: str, settings: Settings, pod: Object, machine: Object, spec: dict[str, Any]
) -> Object:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {
            "name": name,
            "labels": {VIRTUAL_ROUTER_LABEL: objects.spec(pod)["nodeName"]},
            "annotations": _notes(settings, pod),
            "ownerReferences": [objects.owner(VIRTUAL_MACHINE, machine)],
        },
        "spec": spec,
    }
