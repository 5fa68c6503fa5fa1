"""ReplicaSet (apps/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Kind
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.kubernetes.workload import (
    COMMON_STATUS,
    CONTAINERS,
    GROUP,
    IMAGES,
    MIN_READY,
    REPLICAS,
    SELECTOR,
    check_workload,
    complete_template,
    count_column,
    counts,
)
from cn2.api.network_annotations import warn_template
from cn2.api.shared_types import conditions, label_selector

REPLICA_SET = Kind(
    group=GROUP,
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    short_names=("rs",),
    categories=("all",),
    namespaced=True,
    description=(
        "ReplicaSet ensures that a specified number of pod replicas are running at any given time."
    ),
    schema=s.whole(
        s.object(
            "Spec defines the specification of the desired behavior of the ReplicaSet.",
            {
                "minReadySeconds": MIN_READY,
                "replicas": REPLICAS,
                "selector": label_selector("Label selector for pods. Immutable."),
                "template": POD_TEMPLATE,
            },
            required=("selector",),
        ),
        s.object(
            "Most recently observed status of the ReplicaSet.",
            {
                **COMMON_STATUS,
                **counts(
                    "availableReplicas",
                    "fullyLabeledReplicas",
                    "readyReplicas",
                    "replicas",
                    "terminatingReplicas",
                ),
                "conditions": conditions("Latest observations of the current state."),
            },
        ),
    ),
    columns=(
        NAME,
        count_column("Desired", "spec", "replicas"),
        count_column("Current", "status", "replicas"),
        count_column("Ready", "status", "readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    status=True,
    subresources=("scale",),
    complete=complete_template,
    validate=check_workload,
    warn=warn_template("spec", "template"),
)
