"""Service (core/v1). Cluster addresses are given and claimed by the server."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, text
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, NameRule, Object
from cn2.api.kubernetes.service_network import service_claims
from cn2.api.references import keep
from cn2.api.schema_checks import invalid, required
from cn2.api.shared_types import conditions

MAX_PORT = 65535
AFFINITY_SECONDS = 10800
HEADLESS = "None"
_NONE = "<none>"
_NODE_PORT_TYPES = ("NodePort", "LoadBalancer")


def _complete(new: Object, old: Object | None) -> None:
    spec = new.setdefault("spec", {})
    for port in items(spec, "ports"):
        if port.get("targetPort") in (None, ""):
            port["targetPort"] = port.get("port")
    if spec.get("type") == "ExternalName":
        for key in ("clusterIP", "clusterIPs"):
            if spec.get(key) == at(old, "spec", key):
                spec.pop(key, None)
    else:
        keep(spec, mapping(old, "spec"), "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec.get("type") in _NODE_PORT_TYPES:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec.get("sessionAffinity") == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}})
    if old is None:
        new["status"] = {"loadBalancer": {}}


def _check_ports(spec: Object) -> list[FieldError]:
    ports = items(spec, "ports")
    errors = []
    if not ports and spec.get("clusterIP") != HEADLESS and spec.get("type") != "ExternalName":
        errors.append(required("spec.ports"))
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            errors.append(required(f"{path}.name"))
        target = port.get("targetPort")
        if isinstance(target, int) and not 1 <= target <= MAX_PORT:
            errors.append(
                invalid(f"{path}.targetPort", target, "must be between 1 and 65535, inclusive")
            )
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = _check_ports(spec)
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        errors.append(required("spec.externalName"))
    before, now = text(old, "spec", "clusterIP"), text(spec, "clusterIP")
    # An address may change with the type only, as in Kubernetes.
    if before and now != before and spec.get("type") == at(old, "spec", "type"):
        errors.append(invalid("spec.clusterIPs[0]", now, "may not change once set"))
    if spec.get("clusterIP") == HEADLESS and spec.get("type") in _NODE_PORT_TYPES:
        errors.append(forbidden("spec.clusterIPs[0]", "may not be set to 'None' for this type"))
    return errors


def _cluster_ip(obj: Object) -> str:
    return text(obj, "spec", "clusterIP") or _NONE


def _external_ip(obj: Object) -> str:
    spec = mapping(obj, "spec")
    given = [str(ip) for ip in items(spec, "externalIPs")]
    if spec.get("type") == "ExternalName":
        return text(spec, "externalName") or _NONE
    if spec.get("type") == "LoadBalancer":
        ingress = items(obj, "status", "loadBalancer", "ingress")
        given = [text(i, "ip") or text(i, "hostname") for i in ingress] + given
        return ",".join(given) or "<pending>"
    return ",".join(given) or _NONE


def _ports(obj: Object) -> str:
    shown = []
    for port in items(obj, "spec", "ports"):
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node_port}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or _NONE


def _selector(obj: Object) -> str:
    selector = mapping(obj, "spec", "selector")
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or _NONE


_PORT = s.object(
    "ServicePort contains information on service's port.",
    {
        "appProtocol": s.string("The application protocol for this port."),
        "name": s.string("The name of this port within the service."),
        "nodePort": s.integer("The port on each node.", minimum=0, maximum=MAX_PORT),
        "port": s.integer(
            "The port that will be exposed by this service.", minimum=1, maximum=MAX_PORT
        ),
        "protocol": s.string(
            "The IP protocol for this port.", enum=("TCP", "UDP", "SCTP"), default="TCP"
        ),
        "targetPort": s.int_or_string("Number or name of the port to access on the pods."),
    },
    required=("port",),
)

_SPEC = s.object(
    "Spec defines the behavior of a service.",
    {
        "allocateLoadBalancerNodePorts": s.boolean("Whether NodePorts are allocated."),
        "clusterIP": s.string("clusterIP is the IP address of the service."),
        "clusterIPs": s.strings("ClusterIPs is a list of IP addresses assigned to this service."),
        "externalIPs": s.strings("IP addresses for which nodes also accept traffic."),
        "externalName": s.string("The external reference that discovery mechanisms will return."),
        "externalTrafficPolicy": s.string(
            "How nodes distribute external traffic.", enum=("", "Cluster", "Local")
        ),
        "healthCheckNodePort": s.integer("The healthcheck nodePort for the service."),
        "internalTrafficPolicy": s.string(
            "How nodes distribute traffic to the ClusterIP.", enum=("", "Cluster", "Local")
        ),
        "ipFamilies": s.array(
            s.string(enum=("IPv4", "IPv6")), "IP families assigned to this service."
        ),
        "ipFamilyPolicy": s.string(
            "The dual-stack-ness of this service.",
            enum=("SingleStack", "PreferDualStack", "RequireDualStack"),
        ),
        "loadBalancerClass": s.string("The class of the load balancer implementation."),
        "loadBalancerIP": s.string("Deprecated: the address of the load balancer."),
        "loadBalancerSourceRanges": s.strings("Client IPs that may pass the load balancer."),
        "ports": s.list_map(
            _PORT,
            ("port", "protocol"),
            "The list of ports that are exposed by this service.",
        ),
        "publishNotReadyAddresses": s.boolean("Disregard indications of ready/not-ready."),
        "selector": {
            **s.map_of(s.string(), "Route service traffic to pods with matching labels."),
            s.MAP_TYPE: "atomic",
        },
        "sessionAffinity": s.string(
            "Used to maintain session affinity.", enum=("ClientIP", "None"), default="None"
        ),
        "sessionAffinityConfig": s.object(
            "The configurations of session affinity.",
            {
                "clientIP": s.object(
                    "",
                    {"timeoutSeconds": s.integer("Stickiness.", minimum=1, maximum=86400)},
                )
            },
        ),
        "trafficDistribution": s.string("A way to express preferences for traffic."),
        "type": s.string(
            "type determines how the Service is exposed.",
            enum=("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
            default="ClusterIP",
        ),
    },
)
_INGRESS = s.object(
    "An ingress point of the load balancer.",
    {
        "hostname": s.string("Name of the ingress point."),
        "ip": s.string("Address of the ingress point."),
        "ipMode": s.string("How the load-balancer IP behaves."),
        "ports": s.array(s.any_object(), "Records of service ports."),
    },
)

SERVICE = Kind(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    short_names=("svc",),
    categories=("all",),
    namespaced=True,
    name_rule=NameRule.LABEL_1035,
    description=(
        "Service is a named abstraction of software service (for example, mysql) consisting of"
        " local port (for example 3306) that the proxy listens on, and the selector that determines"
        " which pods will answer requests sent through the proxy."
    ),
    schema=s.whole(
        _SPEC,
        s.object(
            "Most recently observed status of the service.",
            {
                "conditions": conditions("Current service state."),
                "loadBalancer": s.object(
                    "The current status of the load-balancer, if one is present.",
                    {"ingress": s.array(_INGRESS, "Ingress points.")},
                ),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Type", path=".spec.type", description="How the Service is exposed."),
        Column(name="Cluster-IP", cell=_cluster_ip, description="Address of the service."),
        Column(name="External-IP", cell=_external_ip, description="External addresses."),
        Column(name="Port(s)", cell=_ports, description="The ports that are exposed."),
        AGE,
        Column(name="Selector", cell=_selector, description="Labels of the pods.", priority=1),
    ),
    status=True,
    selectable_fields=("spec.clusterIP", "spec.type"),
    complete=_complete,
    validate=_validate,
    claims=service_claims,
)
