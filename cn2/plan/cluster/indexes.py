"""Under which values the plans look objects up: kind name -> index name -> function."""

from __future__ import annotations

from cn2.api.kinds import (
    INSTANCE_IP,
    NETWORK_ATTACHMENT_DEFINITION,
    POD,
    ROUTING_INSTANCE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
)
from cn2.plan.cluster import (
    addresses,
    interfaces,
    networks,
    pods,
    route_targets,
    routers,
    services,
    static_addresses,
    stored,
    subnets,
)
from cn2.plan.snapshot import Indexes

INDEXES: Indexes = {
    VIRTUAL_NETWORK.kind: {
        networks.BY_SUBNET: networks.subnet_texts,
        route_targets.BY_ROUTE_TARGET: route_targets.used_by_network,
        routers.BY_NAMESPACE: routers.namespace_of,
    },
    ROUTING_INSTANCE.kind: {
        route_targets.BY_ROUTE_TARGET: route_targets.used_by_instance,
        routers.BY_ROUTER: routers.routed_by,
    },
    VIRTUAL_NETWORK_ROUTER.kind: {routers.BY_NAMESPACE: routers.namespace_of},
    INSTANCE_IP.kind: {
        subnets.BY_SUBNET: subnets.subnet_of,
        addresses.BY_WAITING_NETWORK: addresses.waiting_network,
        services.BY_SERVICE: services.service_of,
        static_addresses.BY_ADDRESS: static_addresses.address_of,
    },
    VIRTUAL_MACHINE_INTERFACE.kind: {
        interfaces.BY_NETWORK: interfaces.network_of,
        static_addresses.BY_MAC: static_addresses.macs_of,
    },
    NETWORK_ATTACHMENT_DEFINITION.kind: {interfaces.BY_WANTED: interfaces.wanted_by},
    POD.kind: {
        pods.BY_NETWORK: pods.networks_of,
        pods.BY_NODE: pods.node_of,
        static_addresses.BY_ADDRESS: static_addresses.asked_by,
        static_addresses.BY_MAC: static_addresses.macs_asked_by,
    },
    VIRTUAL_ROUTER.kind: {pods.BY_MACHINE: pods.machines_of},
    **{kind.kind: {stored.BY_REFERENCE: stored.referred_to} for kind, _ in stored.REFERENTS},
}
