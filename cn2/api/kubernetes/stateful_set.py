"""StatefulSet (apps/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import FieldError, Kind, Object
from cn2.api.kubernetes.amount import check_amount
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.kubernetes.workload import (
    COMMON_STATUS,
    CONTAINERS,
    GROUP,
    HISTORY,
    IMAGES,
    MIN_READY,
    REPLICAS,
    check_workload,
    complete_template,
    counts,
    ready_column,
)
from cn2.api.network_annotations import warn_template
from cn2.api.shared_types import conditions, label_selector


def _complete(new: Object, old: Object | None) -> None:
    complete_template(new, old)
    strategy = mapping(new, "spec", "updateStrategy")
    if strategy.get("type") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)


_NO_STORAGE = (
    "there is no storage here, so no claim would ever be bound: use volumes such as emptyDir in"
    " spec.template.spec.volumes instead"
)
_CHANGEABLE = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = check_workload(new, None)
    if items(new, "spec", "volumeClaimTemplates"):
        errors.append(forbidden("spec.volumeClaimTemplates", _NO_STORAGE))
    if old is not None and _fixed(new) != _fixed(old):
        errors.append(
            forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals',"
                " 'template', 'updateStrategy', 'revisionHistoryLimit',"
                " 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            )
        )
    path = "spec.updateStrategy.rollingUpdate.maxUnavailable"
    errors += check_amount(path, at(new, *path.split(".")))
    return errors


def _fixed(obj: Object) -> Object:
    return {key: value for key, value in mapping(obj, "spec").items() if key not in _CHANGEABLE}


STATEFUL_SET = Kind(
    group=GROUP,
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    short_names=("sts",),
    categories=("all",),
    namespaced=True,
    description="StatefulSet represents a set of pods with consistent identities.",
    schema=s.whole(
        s.object(
            "Spec defines the desired identities of pods in this set.",
            {
                "minReadySeconds": MIN_READY,
                "ordinals": s.object(
                    "Controls the numbering of replica indices.",
                    {"start": s.integer("The first replica's index.", minimum=0)},
                ),
                "persistentVolumeClaimRetentionPolicy": s.object(
                    "The lifecycle of claims.",
                    {"whenDeleted": s.string(), "whenScaled": s.string()},
                ),
                "podManagementPolicy": s.string(
                    "How pods are created during initial scale up.",
                    enum=("OrderedReady", "Parallel"),
                    default="OrderedReady",
                ),
                "replicas": REPLICAS,
                "revisionHistoryLimit": HISTORY,
                "selector": label_selector("Label selector for pods. Immutable."),
                "serviceName": s.string("The service that governs this StatefulSet.", default=""),
                "template": POD_TEMPLATE,
                "updateStrategy": s.object(
                    "The strategy that will be employed to update Pods.",
                    {
                        "rollingUpdate": s.object(
                            "Parameters of RollingUpdate.",
                            {
                                "maxUnavailable": s.int_or_string("Pods that can be missing."),
                                "partition": s.integer(
                                    "Pods from this ordinal on are updated.", minimum=0
                                ),
                            },
                        ),
                        "type": s.string(
                            "Type of the strategy.",
                            enum=("OnDelete", "RollingUpdate"),
                            default="RollingUpdate",
                        ),
                    },
                    default={},
                ),
                "volumeClaimTemplates": s.array(
                    s.any_object(), "Claims that pods are allowed to reference."
                ),
            },
            required=("selector", "template"),
        ),
        s.object(
            "The current status of Pods in this StatefulSet.",
            {
                **COMMON_STATUS,
                **counts(
                    "availableReplicas",
                    "currentReplicas",
                    "readyReplicas",
                    "replicas",
                    "updatedReplicas",
                ),
                "conditions": conditions("Latest observations of the current state."),
                "currentRevision": s.string("The version of the first pods."),
                "updateRevision": s.string("The version of the last pods."),
            },
        ),
    ),
    columns=(NAME, ready_column(), AGE, CONTAINERS, IMAGES),
    status=True,
    subresources=("scale",),
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "template"),
)
