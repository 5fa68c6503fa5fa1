"""Kubemanager (configplane.juniper.net)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.checks import cidr
from cn2.api.kind import FieldError, Object
from cn2.api.planes.common import TEXT, fields, plane_kind
from cn2.api.schema_checks import invalid
from cn2.api.selector_checks import selector
from cn2.api.shared_types import label_selector
from cn2.net.prefix import parse_prefix

_SUBNETS = (
    "externalNetworkV4Subnet",
    "externalNetworkV6Subnet",
    "podV4Subnet",
    "podV6Subnet",
    "serviceV4Subnet",
    "serviceV6Subnet",
)


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    errors = []
    for key in _SUBNETS:
        wrong = cidr(f"spec.{key}", spec.get(key))
        family = "v4" if "V4" in key else "v6"
        if spec.get(key) and not wrong and parse_prefix(spec[key]).family != family:
            wrong = [invalid(f"spec.{key}", spec[key], f"must be an IP{family} block")]
        errors += wrong
    for name, pair in mapping(spec, "externalNetworkSelectors").items():
        for key in ("networkSelector", "namespaceSelector"):
            errors += selector(f"spec.externalNetworkSelectors[{name}].{key}", pair.get(key))
    return errors


KUBEMANAGER = plane_kind(
    "configplane.juniper.net",
    "Kubemanager",
    "kubemanagers",
    "Kubemanager turns the objects of one Kubernetes cluster into networks and interfaces.",
    {
        "autonomousSystem": s.integer("AS number.", bits=64, minimum=0, maximum=4294967295),
        "clusterName": s.string(
            "Name of the Kubernetes cluster.", pattern="^[a-z0-9]+[a-z0-9-]*[a-z0-9]+$"
        ),
        "constantRouteTargetNumber": s.integer(
            "Route target number of the cluster's default pod network.", bits=64
        ),
        "enableFourByteAs": s.boolean("AS numbers may have four octets."),
        "enableNad": s.boolean(
            "NetworkAttachmentDefinitions are turned into networks.", default=True
        ),
        "externalNetworkSelectors": s.map_of(
            s.object(
                "",
                {
                    "networkSelector": label_selector("Labels of the network."),
                    "namespaceSelector": label_selector("Labels of its namespace."),
                },
            ),
            "Named ways to select the network of a service's external address.",
        ),
        "ipFabricFowardingExtSvc": s.boolean("External services use the underlay."),
        "listenerPort": s.integer("Port to listen on.", minimum=0, maximum=65535),
        **fields(TEXT, " ".join(_SUBNETS)),
        **fields(TEXT, "kubeconfigSecretName managerMetricsBindAddress namespace"),
    },
    validate=_validate,
)
