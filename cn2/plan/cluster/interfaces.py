"""The status of VirtualMachineInterfaces, and of kinds that wait for nothing.

A node acts on an explicit status, never on absence. While a network is being made again (it is
gone or not ready, but a NetworkAttachmentDefinition wants it), its interfaces keep their status
and their traffic. When it is gone for good they turn Pending.
"""

from __future__ import annotations

from cn2.api.kind import Kind, Object
from cn2.api.kinds import (
    NETWORK_ATTACHMENT_DEFINITION,
    ROUTING_INSTANCE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
)
from cn2.plan.cluster import objects
from cn2.plan.cluster.steps import Steps
from cn2.plan.snapshot import Key, Snapshot

BY_NETWORK = "network"
"""Index of VirtualMachineInterfaces: `namespace/name` of their network."""
BY_WANTED = "wanted"
"""Index of NetworkAttachmentDefinitions: the holders that they want (`Kind.wants`)."""


def network_of(interface: Object) -> list[str]:
    """Index function."""
    return [objects.text(objects.target(objects.spec(interface).get("virtualNetworkReference")))]


def wanted_by(definition: Object) -> list[str]:
    """Index function: the same rule by which the store keeps numbers."""
    wants = NETWORK_ATTACHMENT_DEFINITION.wants
    return wants(definition) if wants else []


def plan(snapshot: Snapshot, key: Key) -> Steps:
    """The status of one VirtualMachineInterface."""
    interface = snapshot.get(VIRTUAL_MACHINE_INTERFACE, key[1], key[0])
    if interface is None or objects.terminating(interface):
        return []
    where = objects.target(objects.spec(interface).get("virtualNetworkReference"))
    problem = _problem(snapshot, where)
    if not problem:
        instance = snapshot.get(ROUTING_INSTANCE, where[1], where[0])
        assert instance is not None, "checked"
        reference = objects.reference(ROUTING_INSTANCE, instance) | {"attributes": {}}
        wanted = objects.success(routingInstanceReferences=[reference])
    elif objects.state(interface) == objects.SUCCESS and _comes_back(snapshot, where):
        return []
    else:
        wanted = objects.pending(problem)
    return [*objects.set_status(VIRTUAL_MACHINE_INTERFACE, interface, wanted)]


def plan_simple(kind: Kind, snapshot: Snapshot, key: Key) -> Steps:
    """The status of an object that waits for nothing: VirtualMachine, VirtualRouter, the global
    configurations."""
    obj = snapshot.get(kind, key[1], key[0])
    if obj is None or objects.terminating(obj):
        return []
    return [*objects.set_status(kind, obj, objects.success())]


def _problem(snapshot: Snapshot, where: Key) -> str:
    network = snapshot.get(VIRTUAL_NETWORK, where[1], where[0])
    if network is None:
        return f"VirtualNetwork {objects.text(where)} not found"
    if objects.terminating(network):
        return f"VirtualNetwork {objects.text(where)} is being deleted"
    instance = snapshot.get(ROUTING_INSTANCE, where[1], where[0])
    ready = instance is not None and not objects.terminating(instance)
    if objects.state(network) != objects.SUCCESS or not ready:
        return f"VirtualNetwork {objects.text(where)} is not ready"
    return ""


def _comes_back(snapshot: Snapshot, where: Key) -> bool:
    """The network is there and on its way to Success, or somebody will make it again."""
    network = snapshot.get(VIRTUAL_NETWORK, where[1], where[0])
    if network is not None and not objects.terminating(network):
        return True
    holder = objects.holder_of(VIRTUAL_NETWORK, where)
    return bool(snapshot.find(NETWORK_ATTACHMENT_DEFINITION, BY_WANTED, holder))
