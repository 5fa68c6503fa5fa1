"""The table of kinds that the server serves, and the ways to look one up."""

from __future__ import annotations

from cn2.api.kind import Family, Kind
from cn2.api.planes.network_attachment_definition import NETWORK_ATTACHMENT_DEFINITION
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
    "INSTANCE_IP",
    "KINDS",
    "KUBEMANAGER",
    "LEASE",
    "MIRROR_DESTINATION",
    "NAMESPACE",
    "NETWORK_ATTACHMENT_DEFINITION",
    "NETWORK_POLICY",
    "NODE",
    "POD",
    "POOL",
    "REPLICA_SET",
    "ROLE",
    "ROLE_BINDING",
    "ROUTE_TARGET",
    "ROUTING_INSTANCE",
    "SECRET",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATEFUL_SET",
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


def _plane(group: str, kind: str, plural: str) -> Kind:
    return Kind(
        group=group,
        version="v1alpha1",
        kind=kind,
        plural=plural,
        namespaced=True,
        family=Family.CRD,
        status=True,
    )


def _kube(
    group: str,
    kind: str,
    plural: str,
    short: tuple[str, ...] = (),
    *,
    namespaced: bool = True,
    status: bool = False,
    subresources: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
) -> Kind:
    return Kind(
        group=group,
        version="v1",
        kind=kind,
        plural=plural,
        short_names=short,
        namespaced=namespaced,
        status=status,
        subresources=subresources,
        categories=categories,
    )


API_SERVER = _plane("configplane.juniper.net", "ApiServer", "apiservers")
CONTROLLER = _plane("configplane.juniper.net", "Controller", "controllers")
KUBEMANAGER = _plane("configplane.juniper.net", "Kubemanager", "kubemanagers")
CONTROL = _plane("controlplane.juniper.net", "Control", "controls")
VROUTER = _plane("dataplane.juniper.net", "Vrouter", "vrouters")

NAMESPACE = _kube("", "Namespace", "namespaces", ("ns",), namespaced=False, status=True)
NODE = _kube("", "Node", "nodes", ("no",), namespaced=False, status=True)
POD = _kube("", "Pod", "pods", ("po",), status=True, categories=("all",))
SERVICE = _kube("", "Service", "services", ("svc",), status=True, categories=("all",))
ENDPOINTS = _kube("", "Endpoints", "endpoints", ("ep",))
EVENT = _kube("", "Event", "events", ("ev",))
CONFIG_MAP = _kube("", "ConfigMap", "configmaps", ("cm",))
SECRET = _kube("", "Secret", "secrets")
SERVICE_ACCOUNT = _kube("", "ServiceAccount", "serviceaccounts", ("sa",))
DEPLOYMENT = _kube("apps", "Deployment", "deployments", ("deploy",), status=True)
REPLICA_SET = _kube("apps", "ReplicaSet", "replicasets", ("rs",), status=True)
DAEMON_SET = _kube("apps", "DaemonSet", "daemonsets", ("ds",), status=True)
STATEFUL_SET = _kube("apps", "StatefulSet", "statefulsets", ("sts",), status=True)
ENDPOINT_SLICE = _kube("discovery.k8s.io", "EndpointSlice", "endpointslices")
LEASE = _kube("coordination.k8s.io", "Lease", "leases")
CLUSTER_ROLE = _kube("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = _kube(
    "rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
ROLE = _kube("rbac.authorization.k8s.io", "Role", "roles")
ROLE_BINDING = _kube("rbac.authorization.k8s.io", "RoleBinding", "rolebindings")
NETWORK_POLICY = _kube("networking.k8s.io", "NetworkPolicy", "networkpolicies", ("netpol",))

KINDS: tuple[Kind, ...] = (
    API_SERVER,
    CONTROLLER,
    KUBEMANAGER,
    CONTROL,
    VROUTER,
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    ENDPOINTS,
    EVENT,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    DEPLOYMENT,
    REPLICA_SET,
    DAEMON_SET,
    STATEFUL_SET,
    ENDPOINT_SLICE,
    LEASE,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE,
    ROLE_BINDING,
    NETWORK_POLICY,
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
    NETWORK_ATTACHMENT_DEFINITION,
)
"""Every served kind."""

_BY_NAME = {kind.kind: kind for kind in KINDS}
_BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


def by_name(kind: str) -> Kind:
    """The kind called `kind`, e.g. "VirtualNetwork"; KeyError when there is none."""
    return _BY_NAME[kind]


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind behind a URL's group, version and resource."""
    return _BY_RESOURCE.get((group, version, plural))
