"""NetworkAttachmentDefinition to Subnets and VirtualNetwork (F01 to F07).

A VirtualNetwork is ours when its annotations name the definition, a Subnet when `kubemanager` owns
its cidr. What is not ours is used when it is what the definition wants, and never changed.
"""

from __future__ import annotations

from typing import Any

from cn2.api import definitions
from cn2.api.definitions import Intent
from cn2.api.kind import Object
from cn2.api.kinds import (
    INSTANCE_IP,
    NAMESPACE,
    NETWORK_ATTACHMENT_DEFINITION,
    SUBNET,
    VIRTUAL_NETWORK,
)
from cn2.plan.cluster import networks, objects, subnets
from cn2.plan.cluster.cluster_networks import new_subnet
from cn2.plan.cluster.settings import Settings
from cn2.plan.cluster.steps import Create, Patch, Say, Steps
from cn2.plan.finding import Finding
from cn2.plan.snapshot import Key, Snapshot

FINALIZER = "virtual-network.finalizers.kube-manager.juniper.net"
MANAGER = "kubemanager"

NAD_NAME = "juniper.net/nad-name"
NAD_NAMESPACE = "juniper.net/nad-namespace"
NAD_CLUSTER_NAME = "juniper.net/nad-cluster-name"

_DEFAULTS: dict[str, Any] = {"fabricSNAT": False}
_PROPERTIES = {"forwardingMode": "l2_l3", "rpf": "enable"}
_LISTS = definitions.LISTS


class _Refused(Exception):
    """The definition cannot be followed; the sentence is for its author."""


def plan(snapshot: Snapshot, settings: Settings, key: Key) -> Steps:
    """The next steps for one NetworkAttachmentDefinition."""
    nad = snapshot.get(NETWORK_ATTACHMENT_DEFINITION, key[1], key[0])
    if nad is None:
        return []
    text = objects.notes(nad).get(definitions.ANNOTATION)
    if objects.terminating(nad) or (settings.enable_nad and text is None):
        return _withdraw(snapshot, settings, nad)
    if not settings.enable_nad or text is None or _closing(snapshot, key[0]):
        return []
    try:
        intent = definitions.parse(text)
        return _follow(snapshot, settings, nad, intent)
    except (ValueError, _Refused) as problem:
        return _fail(snapshot, settings, nad, str(problem))


def is_ours(network: Object, cluster: str, nad: Key) -> bool:
    """Whether a VirtualNetwork was made for this definition."""
    notes = objects.notes(network)
    found = notes.get(NAD_CLUSTER_NAME), notes.get(NAD_NAMESPACE), notes.get(NAD_NAME)
    return found == (cluster, *nad)


def subnet_names(nad: str) -> dict[str, str]:
    """Family -> name of the Subnet that a definition asks for."""
    return {family: f"{nad}-{family}" for family in ("v4", "v6")}


def _closing(snapshot: Snapshot, name: str) -> bool:
    namespace = snapshot.get(NAMESPACE, name)
    return namespace is None or objects.terminating(namespace)


def _follow(snapshot: Snapshot, settings: Settings, nad: Object, intent: Intent) -> Steps:
    namespace, name = objects.key(nad)
    network = snapshot.get(VIRTUAL_NETWORK, name, namespace)
    if network is not None and objects.terminating(network):
        return []  # the next one is made when this one is gone
    ours = network is None or is_ours(network, settings.cluster_name, (namespace, name))
    if network is not None and not ours:
        _compare(snapshot, network, intent)
        steps = _hold(nad)
    else:
        steps = _make(snapshot, settings, nad, intent, network)
    return steps or _report(snapshot, nad, intent)


def _make(
    snapshot: Snapshot, settings: Settings, nad: Object, intent: Intent, network: Object | None
) -> Steps:
    _check_subnets(snapshot, nad, intent)
    steps = _hold(nad)
    if steps:
        return steps
    namespace, name = objects.key(nad)
    references: dict[str, Any] = {}
    for family, subnet_name in subnet_names(name).items():
        block = intent.blocks.get(family)
        subnet = snapshot.get(SUBNET, subnet_name, namespace)
        if block is None:
            continue
        if subnet is None:
            key = namespace, subnet_name
            steps.append(Create(SUBNET, new_subnet(key, block.cidr, [], block.gateway)))
        elif objects.terminating(subnet):
            return []  # made again when it is gone
        elif objects.spec(subnet).get("cidr") != block.cidr:
            return [objects.delete(SUBNET, subnet)]
        else:
            if objects.owns(subnet, MANAGER, "spec", "defaultGateway"):
                wanted = {"spec": {"defaultGateway": block.gateway}}
                steps += objects.set_fields(SUBNET, subnet, wanted)
            references[f"{family}SubnetReference"] = objects.reference(SUBNET, subnet)
    if len(references) < len(intent.blocks):
        return steps
    if network is None:
        return [
            *steps,
            Create(VIRTUAL_NETWORK, _new_network(settings, nad, intent, references)),
        ]
    steps += _update(settings, nad, intent, references, network)
    return steps or _drop_subnets(snapshot, nad, intent)


def _hold(nad: Object) -> Steps:
    return [*objects.add_finalizers(NETWORK_ATTACHMENT_DEFINITION, nad, (FINALIZER,))]


def _check_subnets(snapshot: Snapshot, nad: Object, intent: Intent) -> None:
    """Refuse before anything is made: a definition has all of its objects or none."""
    namespace, name = objects.key(nad)
    for family, subnet_name in subnet_names(name).items():
        subnet = snapshot.get(SUBNET, subnet_name, namespace)
        if subnet is None or objects.terminating(subnet):
            continue
        block, cidr = intent.blocks.get(family), objects.spec(subnet).get("cidr")
        if block is not None and block.cidr == cidr:
            continue
        if not _our_subnet(subnet):
            if block is None:
                continue
            raise _Refused(f"Subnet {namespace}/{subnet_name} exists with cidr {cidr}")
        if snapshot.find(INSTANCE_IP, subnets.BY_SUBNET, f"{namespace}/{subnet_name}"):
            raise _Refused(f"subnet in use: {namespace}/{subnet_name} {cidr} has addresses")


def _our_subnet(subnet: Object) -> bool:
    return objects.owns(subnet, MANAGER, "spec", "cidr")


def _drop_subnets(snapshot: Snapshot, nad: Object, intent: Intent) -> Steps:
    """A family that is no longer asked for."""
    namespace, name = objects.key(nad)
    return [
        objects.delete(SUBNET, subnet)
        for family, subnet_name in subnet_names(name).items()
        if family not in intent.blocks
        and (subnet := snapshot.get(SUBNET, subnet_name, namespace)) is not None
        and not objects.terminating(subnet)
        and _our_subnet(subnet)
    ]


def _new_network(
    settings: Settings, nad: Object, intent: Intent, references: dict[str, Any]
) -> Object:
    namespace, name = objects.key(nad)
    metadata: dict[str, Any] = {
        "namespace": namespace,
        "name": name,
        "annotations": {
            NAD_CLUSTER_NAME: settings.cluster_name,
            NAD_NAME: name,
            NAD_NAMESPACE: namespace,
        },
    }
    if objects.labels(nad):
        metadata["labels"] = dict(objects.labels(nad))
    return {
        "apiVersion": VIRTUAL_NETWORK.api_version,
        "kind": VIRTUAL_NETWORK.kind,
        "metadata": metadata,
        "spec": {
            **references,
            **_DEFAULTS,
            **intent.switches,
            **intent.lists,
            "virtualNetworkProperties": _PROPERTIES | intent.properties,
        },
    }


def _update(
    settings: Settings,
    nad: Object,
    intent: Intent,
    references: dict[str, Any],
    network: Object,
) -> Steps:
    """Fields that the definition gives, and what is still as we set it; the rest is others'."""
    given: dict[str, Any] = {**intent.switches, **intent.lists, **references}
    spec = dict(given)
    for field in (*_LISTS, "v4SubnetReference", "v6SubnetReference", "fabricForwarding"):
        if field not in given and objects.owns(network, MANAGER, "spec", field):
            spec[field] = None
    for field, value in _DEFAULTS.items():
        if field not in given and objects.owns(network, MANAGER, "spec", field):
            spec[field] = value
    properties = dict(intent.properties)
    for field, value in _PROPERTIES.items():
        if field not in properties and objects.owns(
            network, MANAGER, "spec", "virtualNetworkProperties", field
        ):
            properties[field] = value
    spec["virtualNetworkProperties"] = properties
    labels: dict[str, str | None] = dict(objects.labels(nad))
    for label in objects.owned_labels(network, MANAGER):
        labels.setdefault(label, None)
    wanted = {"metadata": {"labels": labels}, "spec": spec}
    return [*objects.set_fields(VIRTUAL_NETWORK, network, wanted)]


def _compare(snapshot: Snapshot, network: Object, intent: Intent) -> None:
    """Refuse a VirtualNetwork of somebody else's that is not what the definition wants."""
    spec = objects.spec(network)
    differing = [
        field
        for field in _LISTS
        if sorted(spec.get(field) or ()) != sorted(intent.lists.get(field, ()))
    ]
    have = {}
    for family, (namespace, name) in networks.subnet_keys(network).items():
        subnet = snapshot.get(SUBNET, name, namespace)
        have[family] = objects.spec(subnet).get("cidr") if subnet else None
    wanted = {family: block.cidr for family, block in intent.blocks.items()}
    differing += [
        f"{family}SubnetReference"
        for family in ("v4", "v6")
        if have.get(family) != wanted.get(family)
    ]
    differing += [
        field
        for field, value in (_DEFAULTS | intent.switches).items()
        if bool(spec.get(field)) != value
    ]
    properties = spec.get("virtualNetworkProperties") or {}
    differing += [
        field for field, value in intent.properties.items() if properties.get(field) != value
    ]
    if differing:
        where = objects.text(objects.key(network))
        raise _Refused(f"VirtualNetwork {where} exists and differs in {', '.join(differing)}")


def _report(snapshot: Snapshot, nad: Object, intent: Intent) -> Steps:
    steps: Steps = [*_note(nad, definitions.success_text(nad["metadata"]["name"], intent))]
    if intent.unknown:
        message = definitions.unknown_text(intent.unknown)
        if snapshot.first_time(objects.uid(nad), message):
            steps.append(Say(Finding(nad, "UnknownKeys", message)))
    return steps


def _note(nad: Object, text: str | None) -> list[Patch]:
    wanted = {"metadata": {"annotations": {definitions.STATUS_ANNOTATION: text}}}
    return objects.set_fields(NETWORK_ATTACHMENT_DEFINITION, nad, wanted)


def _fail(snapshot: Snapshot, settings: Settings, nad: Object, problem: str) -> Steps:
    """Say so. What is there from better days stays; otherwise nothing of ours does."""
    steps: Steps = [*_note(nad, definitions.failure_text(nad["metadata"]["name"], problem))]
    if steps:
        return [*steps, Say(Finding(nad, "NetworkFailed", problem))]
    if not _leftovers(snapshot, settings, nad):
        steps += objects.remove_finalizers(NETWORK_ATTACHMENT_DEFINITION, nad, (FINALIZER,))
    return steps


def _leftovers(snapshot: Snapshot, settings: Settings, nad: Object) -> list[tuple[Any, Object]]:
    """(kind, object) of everything that was made for the definition and is still there."""
    key = namespace, name = objects.key(nad)
    found: list[tuple[Any, Object]] = []
    network = snapshot.get(VIRTUAL_NETWORK, name, namespace)
    if network is not None and is_ours(network, settings.cluster_name, key):
        found.append((VIRTUAL_NETWORK, network))
    for subnet_name in subnet_names(name).values():
        subnet = snapshot.get(SUBNET, subnet_name, namespace)
        if subnet is not None and _our_subnet(subnet):
            found.append((SUBNET, subnet))
    return found


def _withdraw(snapshot: Snapshot, settings: Settings, nad: Object) -> Steps:
    """Everything goes at once, also with pods attached; the finalizer goes last."""
    if FINALIZER not in objects.finalizers(nad):
        return []
    leftovers = _leftovers(snapshot, settings, nad)
    if leftovers:
        return [
            objects.delete(kind, obj) for kind, obj in leftovers if not objects.terminating(obj)
        ]
    if not objects.terminating(nad) and (steps := _note(nad, None)):
        return [*steps]
    return [*objects.remove_finalizers(NETWORK_ATTACHMENT_DEFINITION, nad, (FINALIZER,))]
