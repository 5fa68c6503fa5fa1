"""What the kinds of the plane groups have in common (cn2-api.md chapter 6)."""

from __future__ import annotations

from collections.abc import Mapping

from cn2.api import schema as s
from cn2.api.columns import AGE
from cn2.api.kind import Family, Kind, Schema, Validate
from cn2.api.kubernetes.container import CONTAINER
from cn2.api.kubernetes.pod_spec import TOLERATION

VERSION = "v1alpha1"

TEXT = s.string()
FLAG = s.boolean()
NUMBER = s.integer(bits=64)

COMMON_SPEC = s.object(
    "Common settings of the workload.",
    {
        "affinity": s.any_object("Scheduling constraints."),
        "containers": s.array(CONTAINER, "Containers of the workload."),
        "defaultContainerRegistry": s.string("Registry of images that name none."),
        "imagePullPolicy": s.string("When images are pulled."),
        "imagePullSecrets": s.array(
            s.object("", {"name": s.string("Name of the Secret.")}), "Secrets for pulling images."
        ),
        "initContainers": s.array(CONTAINER, "Init containers of the workload."),
        "nodeSelector": s.map_of(s.string(), "Labels of the nodes to run on."),
        "replicas": s.integer("Number of pods."),
        "serviceAccountName": s.string("ServiceAccount of the pods."),
        "tolerations": s.array(TOLERATION, "Taints that the pods tolerate."),
    },
)

_CONDITION = s.object(
    "One aspect of the observed state.",
    {
        "lastTransitionTime": s.time("Last time the condition changed its status."),
        "lastUpdateTime": s.time("Last time the condition was updated."),
        "message": s.string("Human-readable details."),
        "name": s.string("What the condition is about."),
        "operation": s.string("What was being done."),
        "reason": s.string("One word for the last change."),
        "status": s.string("True, False or Unknown."),
        "type": s.string("Type of the condition."),
    },
    required=("type", "status"),
)


def fields(node: Schema, names: str) -> dict[str, Schema]:
    """The same schema for each of the names, which stand in one string."""
    return dict.fromkeys(names.split(), node)


def plane_kind(
    group: str,
    kind: str,
    plural: str,
    description: str,
    spec: Mapping[str, Schema],
    status: Mapping[str, Schema] | None = None,
    *,
    validate: Validate | None = None,
) -> Kind:
    """A kind whose objects the deployer turns into workloads."""
    return Kind(
        group=group,
        version=VERSION,
        kind=kind,
        plural=plural,
        namespaced=True,
        description=description,
        family=Family.CRD,
        schema=s.whole(
            s.object(f"{kind}Spec is the desired state.", {**spec, "common": COMMON_SPEC}),
            s.object(
                f"{kind}Status is the observed state.",
                {
                    "phase": s.string("Where the workload is in its lifecycle."),
                    "status": s.string("True, False or Unknown."),
                    "conditions": s.array(_CONDITION, "Aspects of the observed state."),
                    **(status or {}),
                },
            ),
        ),
        columns=(AGE,),
        status=True,
        validate=validate,
    )
