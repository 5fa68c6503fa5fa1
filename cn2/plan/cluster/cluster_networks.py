"""The cluster's namespace with its pod and service networks, and the label on every namespace."""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Object
from cn2.api.kinds import NAMESPACE, NODE, SUBNET, VIRTUAL_NETWORK
from cn2.net.prefix import Prefix, parse_prefix
from cn2.plan.cluster import networks, objects
from cn2.plan.cluster.settings import Settings
from cn2.plan.cluster.steps import Create, Steps
from cn2.plan.cluster.system import CLUSTER_LABEL
from cn2.plan.snapshot import Key, Snapshot


def plan(snapshot: Snapshot, settings: Settings) -> Steps:
    """The next steps towards the cluster's namespace and networks."""
    namespace = snapshot.get(NAMESPACE, settings.namespace)
    if namespace is None:
        metadata = {
            "name": settings.namespace,
            "labels": {CLUSTER_LABEL: settings.cluster_name},
        }
        made = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata}
        return [Create(NAMESPACE, made)]
    if objects.terminating(namespace):
        return []
    steps: Steps = []
    for name, blocks in _blocks(settings).items():
        steps += _plan_network(snapshot, settings, name, blocks)
    return steps


def plan_namespace(snapshot: Snapshot, settings: Settings, key: Key) -> Steps:
    """Every namespace carries the cluster's name."""
    namespace = snapshot.get(NAMESPACE, key[1])
    if namespace is None or objects.terminating(namespace):
        return []
    labels = {CLUSTER_LABEL: settings.cluster_name}
    return [*objects.set_fields(NAMESPACE, namespace, {"metadata": {"labels": labels}})]


def node_block(node: Object, family: str) -> Prefix | None:
    """The block of the pod network that a node's pods get their addresses from."""
    spec = objects.spec(node)
    for text in spec.get("podCIDRs") or [spec.get("podCIDR")]:
        if text and (prefix := parse_prefix(text)).family == family:
            return prefix
    return None


def subnet_name(network: str, family: str) -> str:
    """As CN2 names them, `pod` for the service network too (cn2-api.md 3.11)."""
    return f"{network}-pod-{family}-subnet"


def _blocks(settings: Settings) -> dict[str, dict[str, str]]:
    """Network -> family -> CIDR."""
    wanted = {
        settings.cluster_pod_virtual_network: {
            "v4": settings.pod_v4_subnet,
            "v6": settings.pod_v6_subnet,
        },
        settings.cluster_service_virtual_network: {
            "v4": settings.service_v4_subnet,
            "v6": settings.service_v6_subnet,
        },
    }
    return {
        network: {family: cidr for family, cidr in blocks.items() if cidr}
        for network, blocks in wanted.items()
    }


def _plan_network(
    snapshot: Snapshot, settings: Settings, name: str, blocks: dict[str, str]
) -> Steps:
    steps: Steps = []
    references: dict[str, Any] = {}
    for family, cidr in blocks.items():
        key = settings.namespace, subnet_name(name, family)
        ranges = _ranges(snapshot, cidr) if name == settings.cluster_pod_virtual_network else []
        subnet = snapshot.get(SUBNET, key[1], key[0])
        if subnet is None:
            steps.append(Create(SUBNET, new_subnet(key, cidr, ranges)))
            continue
        if ranges:
            steps += objects.set_fields(SUBNET, subnet, {"spec": {"ranges": ranges}})
        references[f"{family}SubnetReference"] = objects.reference(SUBNET, subnet)
    network = snapshot.get(VIRTUAL_NETWORK, name, settings.namespace)
    if network is None and len(references) == len(blocks):
        steps.append(Create(VIRTUAL_NETWORK, _network(settings, name, references)))
    elif network is not None and not objects.terminating(network):
        steps += objects.set_fields(VIRTUAL_NETWORK, network, {"spec": references})
    return steps


def new_subnet(key: Key, cidr: str, ranges: list[dict[str, Any]], gateway: str = "") -> Object:
    """A new Subnet; the gateway is the first host address when none is given."""
    spec: dict[str, Any] = {
        "cidr": cidr,
        "defaultGateway": gateway or parse_prefix(cidr).default_gateway,
    }
    if ranges:
        spec["ranges"] = ranges
    return {
        "apiVersion": SUBNET.api_version,
        "kind": SUBNET.kind,
        "metadata": {"namespace": key[0], "name": key[1]},
        "spec": spec,
    }


def _network(settings: Settings, name: str, references: dict[str, Any]) -> Object:
    return {
        "apiVersion": VIRTUAL_NETWORK.api_version,
        "kind": VIRTUAL_NETWORK.kind,
        "metadata": {
            "namespace": settings.namespace,
            "name": name,
            "labels": {networks.SYSTEM_LABEL: name},
        },
        "spec": {
            **references,
            "fabricSNAT": name == settings.cluster_pod_virtual_network,
            "virtualNetworkProperties": {"forwardingMode": "l2_l3", "rpf": "enable"},
        },
    }


def _ranges(snapshot: Snapshot, cidr: str) -> list[dict[str, Any]]:
    """One range per node that has a block in `cidr`, keyed by the node's name."""
    whole = parse_prefix(cidr)
    ranges = []
    for node in sorted(snapshot.all(NODE), key=objects.key):
        block = node_block(node, whole.family)
        if block is None or not whole.overlaps(block):
            continue
        # The block's own first and last address stay free, as in a network of its size.
        edge = 1 if block.capacity > 2 else 0
        first, last = block.address(edge), block.address(block.capacity - 1 - edge)
        key = node["metadata"]["name"]
        ranges.append({"key": key, "ipRanges": [{"from": first, "to": last}]})
    return ranges
