"""Ingress and IngressClass (networking.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping, text
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.schema_checks import invalid, not_supported, required

GROUP = "networking.k8s.io"
_NONE = "<none>"
_MOST_HOSTS = 3
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def _check_backend(path: str, backend: Object) -> list[FieldError]:
    service, resource = mapping(backend, "service"), mapping(backend, "resource")
    if service and resource:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if resource:
        return []
    errors = [] if text(service, "name") else [required(f"{path}.service.name")]
    port = mapping(service, "port")
    if bool(port.get("name")) == bool(port.get("number")):
        what = "cannot set both port name & port number" if port.get("name") else ""
        where = f"{path}.service.port"
        errors.append(invalid(where, "", what) if what else required(where))
    return errors


def _check_path(path: str, given: Object) -> list[FieldError]:
    errors = _check_backend(f"{path}.backend", mapping(given, "backend"))
    kind = given.get("pathType")
    if kind is None:
        errors.append(required(f"{path}.pathType"))
    elif kind not in _PATH_TYPES:
        errors.append(not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    written = text(given, "path")
    if not written.startswith("/") and (written or kind in ("Exact", "Prefix")):
        errors.append(invalid(f"{path}.path", written, "must be an absolute path"))
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = []
    if not items(spec, "rules") and not mapping(spec, "defaultBackend"):
        errors.append(invalid("spec", "", "either `defaultBackend` or `rules` must be specified"))
    if mapping(spec, "defaultBackend"):
        errors += _check_backend("spec.defaultBackend", mapping(spec, "defaultBackend"))
    for i, rule in enumerate(items(spec, "rules")):
        for j, path in enumerate(items(rule, "http", "paths")):
            errors += _check_path(f"spec.rules[{i}].http.paths[{j}]", path)
    return errors


def _hosts(obj: Object) -> str:
    hosts = [text(rule, "host") or "*" for rule in items(obj, "spec", "rules")] or ["*"]
    more = len(hosts) - _MOST_HOSTS
    return ",".join(hosts[:_MOST_HOSTS]) + (f" + {more} more..." if more > 0 else "")


def _address(obj: Object) -> str:
    points = items(obj, "status", "loadBalancer", "ingress")
    return ",".join(text(point, "ip") or text(point, "hostname") for point in points)


def _parameters(obj: Object) -> str:
    given = mapping(obj, "spec", "parameters")
    if not given:
        return _NONE
    kind = ".".join(filter(None, (text(given, "kind"), text(given, "apiGroup"))))
    return "/".join(filter(None, (kind, text(given, "namespace"), text(given, "name"))))


_BACKEND = s.object(
    "IngressBackend describes all endpoints for a given service and port.",
    {
        "resource": s.object(
            "A reference to another Kubernetes resource in the namespace of the Ingress.",
            {
                "apiGroup": s.string("Group of the resource."),
                "kind": s.string("Kind of the resource."),
                "name": s.string("Name of the resource."),
            },
            required=("kind", "name"),
            atomic=True,
        ),
        "service": s.object(
            "A service as a backend.",
            {
                "name": s.string("The referenced service, in the namespace of the Ingress."),
                "port": s.object(
                    "The port of the service: a name or a number.",
                    {
                        "name": s.string("The name of the port."),
                        "number": s.integer("The number of the port.", minimum=0, maximum=65535),
                    },
                    atomic=True,
                ),
            },
            required=("name",),
        ),
    },
)
_PATH = s.object(
    "A path and the backend that requests to it go to.",
    {
        "backend": _BACKEND,
        "path": s.string("path is matched against the path of an incoming request."),
        "pathType": s.string("Interpretation of path: Exact, Prefix or ImplementationSpecific."),
    },
    required=("backend",),
)
_RULE = s.object(
    "A rule maps paths under a host to services.",
    {
        "host": s.string("host is the fully qualified domain name of a network host."),
        "http": s.object("", {"paths": s.array(_PATH, "Paths of requests.")}, required=("paths",)),
    },
)
_POINT = s.object(
    "An ingress point of the load balancer.",
    {
        "hostname": s.string("Name of the ingress point."),
        "ip": s.string("Address of the ingress point."),
        "ports": s.array(s.any_object(), "Records of ports."),
    },
)

INGRESS = Kind(
    group=GROUP,
    version="v1",
    kind="Ingress",
    plural="ingresses",
    short_names=("ing",),
    namespaced=True,
    description=(
        "Ingress is a collection of rules that allow inbound connections to reach the endpoints"
        " defined by a backend. An Ingress can be configured to give services externally-reachable"
        " urls, load balance traffic, terminate SSL, offer name based virtual hosting etc."
    ),
    schema=s.whole(
        s.object(
            "spec is the desired state of the Ingress.",
            {
                "defaultBackend": _BACKEND,
                "ingressClassName": s.string("The name of an IngressClass."),
                "rules": s.array(_RULE, "The host rules used to configure the Ingress."),
                "tls": s.array(
                    s.object(
                        "Hosts and the secret with their certificate.",
                        {
                            "hosts": s.strings("Hosts included in the TLS certificate."),
                            "secretName": s.string("The secret that holds the certificate."),
                        },
                    ),
                    "TLS configuration.",
                ),
            },
        ),
        s.object(
            "status is the current state of the Ingress.",
            {"loadBalancer": s.object("", {"ingress": s.array(_POINT, "Ingress points.")})},
            default={"loadBalancer": {}},
        ),
    ),
    columns=(
        NAME,
        Column(
            name="Class",
            cell=lambda obj: text(obj, "spec", "ingressClassName") or _NONE,
            description="The class of the Ingress.",
        ),
        Column(name="Hosts", cell=_hosts, description="Hosts that the rules are for."),
        Column(name="Address", cell=_address, description="Addresses of the load balancer."),
        Column(
            name="Ports",
            cell=lambda obj: "80, 443" if items(obj, "spec", "tls") else "80",
            description="Ports of TLS configurations that open.",
        ),
        AGE,
    ),
    status=True,
    validate=_validate,
)

INGRESS_CLASS = Kind(
    group=GROUP,
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    namespaced=False,
    description=(
        "IngressClass represents the class of the Ingress, referenced by the Ingress Spec."
    ),
    schema=s.whole(
        s.object(
            "spec is the desired state of the IngressClass.",
            {
                "controller": s.string("The name of the controller that handles this class."),
                "parameters": s.object(
                    "A link to a custom resource with additional configuration.",
                    {
                        "apiGroup": s.string("Group of the resource."),
                        "kind": s.string("Kind of the resource."),
                        "name": s.string("Name of the resource."),
                        "namespace": s.string("Namespace of the resource."),
                        "scope": s.string(enum=("Cluster", "Namespace"), default="Cluster"),
                    },
                    required=("kind", "name"),
                ),
            },
        )
    ),
    columns=(
        NAME,
        Column(name="Controller", path=".spec.controller", description="Who handles this class."),
        Column(name="Parameters", cell=_parameters, description="Additional configuration."),
        AGE,
    ),
)
