"""Service to InstanceIP: every cluster address is held in the service network (F40)."""

from __future__ import annotations

from cn2.api.kind import Object
from cn2.api.kinds import INSTANCE_IP, SERVICE, SUBNET, VIRTUAL_NETWORK
from cn2.net.names import service_address_name
from cn2.net.prefix import family_of
from cn2.plan.cluster import networks, objects, subnets
from cn2.plan.cluster.settings import Settings
from cn2.plan.cluster.steps import Create, Steps
from cn2.plan.snapshot import Key, Snapshot

SERVICE_NAME = "kube-manager.juniper.net/service-name"
SERVICE_NAMESPACE = "kube-manager.juniper.net/service-namespace"
SERVICE_CLUSTER_NAME = "kube-manager.juniper.net/service-cluster-name"

BY_SERVICE = "service"
"""Index of InstanceIPs: `namespace/name` of the Service that they were made for."""


def service_of(address: Object) -> list[str]:
    """Index function."""
    key = service_key(address)
    return [objects.text(key)] if key[1] else []


def service_key(address: Object) -> Key:
    """The Service that an InstanceIP was made for, ("", "") for none."""
    notes = objects.notes(address)
    return notes.get(SERVICE_NAMESPACE, ""), notes.get(SERVICE_NAME, "")


def plan(snapshot: Snapshot, settings: Settings, key: Key) -> Steps:
    """The next steps for the addresses of one Service."""
    wanted = _wanted(snapshot, settings, key)
    steps: Steps = []
    present = set()
    for address in snapshot.find(INSTANCE_IP, BY_SERVICE, objects.text(key)):
        if objects.notes(address).get(SERVICE_CLUSTER_NAME) != settings.cluster_name:
            continue
        name = address["metadata"]["name"]
        present.add(name)
        ip = objects.spec(address).get("instanceIPAddress")
        if wanted.get(name) != ip and not objects.terminating(address):
            steps.append(objects.delete(INSTANCE_IP, address))
    network = snapshot.get(VIRTUAL_NETWORK, settings.service_network[1], settings.namespace)
    if network is None or objects.terminating(network):
        return steps
    steps += [
        Create(INSTANCE_IP, _address(settings, key, name, ip, network))
        for name, ip in wanted.items()
        if name not in present
    ]
    return steps


def _wanted(snapshot: Snapshot, settings: Settings, key: Key) -> dict[str, str]:
    """InstanceIP name -> address."""
    service = snapshot.get(SERVICE, key[1], key[0])
    if service is None or objects.terminating(service):
        return {}
    spec = objects.spec(service)
    wanted = {}
    for ip in spec.get("clusterIPs") or [spec.get("clusterIP")]:
        # Headless services have no address. The first one of the block is the gateway's, so the
        # service `kubernetes`, which Kubernetes gives that address, holds none (as in the seed).
        if ip and ip != "None" and not _reserved(snapshot, settings, ip):
            name = service_address_name(settings.cluster_name, *key, family_of(ip))
            wanted[name] = ip
    return wanted


def _reserved(snapshot: Snapshot, settings: Settings, ip: str) -> bool:
    namespace, name = settings.service_network
    network = snapshot.get(VIRTUAL_NETWORK, name, namespace)
    where = networks.subnet_keys(network).get(family_of(ip)) if network else None
    subnet = snapshot.get(SUBNET, where[1], where[0]) if where else None
    if subnet is None:
        return False
    prefix = subnets.prefix_of(subnet)
    return ip in prefix and prefix.id(ip) in subnets.reserved(subnet)


def _address(settings: Settings, key: Key, name: str, ip: str, network: Object) -> Object:
    return {
        "apiVersion": INSTANCE_IP.api_version,
        "kind": INSTANCE_IP.kind,
        "metadata": {
            "name": name,
            "annotations": {
                SERVICE_CLUSTER_NAME: settings.cluster_name,
                SERVICE_NAME: key[1],
                SERVICE_NAMESPACE: key[0],
            },
        },
        "spec": {
            "instanceIPAddress": ip,
            "instanceIPFamily": family_of(ip),
            "virtualNetworkReference": objects.reference(VIRTUAL_NETWORK, network),
        },
    }
