"""Pod (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Kind
from cn2.api.kubernetes.pod_checks import check_pod
from cn2.api.kubernetes.pod_columns import POD_COLUMNS
from cn2.api.kubernetes.pod_defaults import complete_pod
from cn2.api.kubernetes.pod_spec import POD_SPEC
from cn2.api.kubernetes.pod_status import POD_STATUS
from cn2.api.network_annotations import warn_pod

POD = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    short_names=("po",),
    categories=("all",),
    namespaced=True,
    description=(
        "Pod is a collection of containers that can run on a host. This resource is created by"
        " clients and scheduled onto hosts."
    ),
    schema=s.whole(POD_SPEC, POD_STATUS),
    columns=POD_COLUMNS,
    status=True,
    subresources=("attach", "binding", "eviction", "exec", "log", "portforward"),
    selectable_fields=(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    complete=complete_pod,
    validate=check_pod,
    warn=warn_pod,
)
