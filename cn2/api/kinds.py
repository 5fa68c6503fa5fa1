"""The table of kinds that the server serves, and the ways to look one up."""

from __future__ import annotations

from cn2.api.kind import Kind
from cn2.api.kubernetes.aliases import ALIASES
from cn2.api.kubernetes.config_map import CONFIG_MAP
from cn2.api.kubernetes.controller_revision import CONTROLLER_REVISION
from cn2.api.kubernetes.cron_job import CRON_JOB
from cn2.api.kubernetes.custom_resource_definition import CUSTOM_RESOURCE_DEFINITION
from cn2.api.kubernetes.daemon_set import DAEMON_SET
from cn2.api.kubernetes.deployment import DEPLOYMENT
from cn2.api.kubernetes.disruption_budget import POD_DISRUPTION_BUDGET
from cn2.api.kubernetes.endpoint_slice import ENDPOINT_SLICE
from cn2.api.kubernetes.endpoints import ENDPOINTS
from cn2.api.kubernetes.event import EVENT
from cn2.api.kubernetes.ingress import INGRESS, INGRESS_CLASS
from cn2.api.kubernetes.job import JOB
from cn2.api.kubernetes.lease import LEASE
from cn2.api.kubernetes.limit_range import LIMIT_RANGE
from cn2.api.kubernetes.namespace import NAMESPACE
from cn2.api.kubernetes.network_policy import NETWORK_POLICY
from cn2.api.kubernetes.node import NODE
from cn2.api.kubernetes.pod import POD
from cn2.api.kubernetes.priority_class import PRIORITY_CLASS
from cn2.api.kubernetes.rbac import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from cn2.api.kubernetes.replica_set import REPLICA_SET
from cn2.api.kubernetes.replication_controller import REPLICATION_CONTROLLER
from cn2.api.kubernetes.resource_quota import RESOURCE_QUOTA
from cn2.api.kubernetes.secret import SECRET
from cn2.api.kubernetes.service import SERVICE
from cn2.api.kubernetes.service_account import SERVICE_ACCOUNT
from cn2.api.kubernetes.stateful_set import STATEFUL_SET
from cn2.api.kubernetes.storage import PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS
from cn2.api.planes.api_server import API_SERVER
from cn2.api.planes.control import CONTROL
from cn2.api.planes.controller import CONTROLLER
from cn2.api.planes.kubemanager import KUBEMANAGER
from cn2.api.planes.network_attachment_definition import NETWORK_ATTACHMENT_DEFINITION
from cn2.api.planes.vrouter import VROUTER
from cn2.api.v1alpha1.address_group import ADDRESS_GROUP
from cn2.api.v1alpha1.application_policy_set import APPLICATION_POLICY_SET
from cn2.api.v1alpha1.bgp_as_a_service import BGP_AS_A_SERVICE
from cn2.api.v1alpha1.bgp_router import BGP_ROUTER
from cn2.api.v1alpha1.firewall_policy import FIREWALL_POLICY
from cn2.api.v1alpha1.firewall_rule import FIREWALL_RULE
from cn2.api.v1alpha1.floating_ip import FLOATING_IP
from cn2.api.v1alpha1.global_system_config import GLOBAL_SYSTEM_CONFIG
from cn2.api.v1alpha1.global_vrouter_config import GLOBAL_VROUTER_CONFIG
from cn2.api.v1alpha1.instance_ip import INSTANCE_IP
from cn2.api.v1alpha1.mirror_destination import MIRROR_DESTINATION
from cn2.api.v1alpha1.pool import POOL
from cn2.api.v1alpha1.route_target import ROUTE_TARGET
from cn2.api.v1alpha1.routing_instance import ROUTING_INSTANCE
from cn2.api.v1alpha1.subnet import SUBNET
from cn2.api.v1alpha1.tag import TAG
from cn2.api.v1alpha1.tag_type import TAG_TYPE
from cn2.api.v1alpha1.virtual_machine import VIRTUAL_MACHINE
from cn2.api.v1alpha1.virtual_machine_interface import VIRTUAL_MACHINE_INTERFACE
from cn2.api.v1alpha1.virtual_network import VIRTUAL_NETWORK
from cn2.api.v1alpha1.virtual_network_router import VIRTUAL_NETWORK_ROUTER
from cn2.api.v1alpha1.virtual_router import VIRTUAL_ROUTER

__all__ = [
    "ADDRESS_GROUP",
    "API_SERVER",
    "APPLICATION_POLICY_SET",
    "BGP_AS_A_SERVICE",
    "BGP_ROUTER",
    "CLUSTER_ROLE",
    "CLUSTER_ROLE_BINDING",
    "CONFIG_MAP",
    "CONTROL",
    "CONTROLLER",
    "CONTROLLER_REVISION",
    "CRON_JOB",
    "CUSTOM_RESOURCE_DEFINITION",
    "DAEMON_SET",
    "DEPLOYMENT",
    "ENDPOINTS",
    "ENDPOINT_SLICE",
    "EVENT",
    "FIREWALL_POLICY",
    "FIREWALL_RULE",
    "FLOATING_IP",
    "GLOBAL_SYSTEM_CONFIG",
    "GLOBAL_VROUTER_CONFIG",
    "INGRESS",
    "INGRESS_CLASS",
    "INSTANCE_IP",
    "JOB",
    "KINDS",
    "KUBEMANAGER",
    "LEASE",
    "LIMIT_RANGE",
    "MIRROR_DESTINATION",
    "NAMESPACE",
    "NETWORK_ATTACHMENT_DEFINITION",
    "NETWORK_POLICY",
    "NODE",
    "PERSISTENT_VOLUME",
    "PERSISTENT_VOLUME_CLAIM",
    "POD",
    "POD_DISRUPTION_BUDGET",
    "POOL",
    "PRIORITY_CLASS",
    "REPLICATION_CONTROLLER",
    "REPLICA_SET",
    "RESOURCE_QUOTA",
    "ROLE",
    "ROLE_BINDING",
    "ROUTE_TARGET",
    "ROUTING_INSTANCE",
    "SECRET",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATEFUL_SET",
    "STORAGE_CLASS",
    "SUBNET",
    "TAG",
    "TAG_TYPE",
    "VIRTUAL_MACHINE",
    "VIRTUAL_MACHINE_INTERFACE",
    "VIRTUAL_NETWORK",
    "VIRTUAL_NETWORK_ROUTER",
    "VIRTUAL_ROUTER",
    "VROUTER",
    "by_name",
    "by_resource",
]

KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    JOB,
    LEASE,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    REPLICA_SET,
    SECRET,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    POD_DISRUPTION_BUDGET,
    INGRESS,
    INGRESS_CLASS,
    LIMIT_RANGE,
    PRIORITY_CLASS,
    RESOURCE_QUOTA,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    STORAGE_CLASS,
    CUSTOM_RESOURCE_DEFINITION,
    REPLICATION_CONTROLLER,
    ADDRESS_GROUP,
    APPLICATION_POLICY_SET,
    BGP_AS_A_SERVICE,
    BGP_ROUTER,
    FIREWALL_POLICY,
    FIREWALL_RULE,
    FLOATING_IP,
    GLOBAL_SYSTEM_CONFIG,
    GLOBAL_VROUTER_CONFIG,
    INSTANCE_IP,
    MIRROR_DESTINATION,
    POOL,
    ROUTE_TARGET,
    ROUTING_INSTANCE,
    SUBNET,
    TAG,
    TAG_TYPE,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INTERFACE,
    VIRTUAL_NETWORK,
    VIRTUAL_NETWORK_ROUTER,
    VIRTUAL_ROUTER,
    API_SERVER,
    CONTROL,
    CONTROLLER,
    KUBEMANAGER,
    NETWORK_ATTACHMENT_DEFINITION,
    VROUTER,
)
"""Every served kind."""

_BY_NAME = {kind.kind: kind for kind in KINDS}
_BY_RESOURCE = {
    (kind.group, kind.version, kind.plural): kind
    for kind in (*KINDS, *(alias.kind for alias in ALIASES))
}


def by_name(kind: str) -> Kind:
    """The kind called `kind`, e.g. "VirtualNetwork"; KeyError when there is none."""
    return _BY_NAME[kind]


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a URL's group, version and resource, also one that is stored as another."""
    return _BY_RESOURCE.get((group, version, plural))
