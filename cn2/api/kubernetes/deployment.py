"""Deployment (apps/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping, text
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import FieldError, Kind, Object
from cn2.api.kubernetes.amount import check_amount, is_nothing
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.kubernetes.workload import (
    COMMON_STATUS,
    CONTAINERS,
    GROUP,
    HISTORY,
    IMAGES,
    MIN_READY,
    REPLICAS,
    SELECTOR,
    check_workload,
    complete_template,
    count_column,
    counts,
    ready_column,
)
from cn2.api.network_annotations import warn_template
from cn2.api.schema_checks import invalid
from cn2.api.shared_types import conditions, label_selector

DEADLINE_SECONDS = 600


def _complete(new: Object, old: Object | None) -> None:
    complete_template(new, old)
    strategy = mapping(new, "spec", "strategy")
    if strategy.get("type") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = check_workload(new, old)
    spec = mapping(new, "spec")
    rolling, path = mapping(spec, "strategy", "rollingUpdate"), "spec.strategy.rollingUpdate"
    if text(spec, "strategy", "type") == "Recreate" and rolling:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        errors.append(forbidden(path, detail))
    elif rolling:
        errors += check_amount(f"{path}.maxUnavailable", rolling.get("maxUnavailable"))
        errors += check_amount(f"{path}.maxSurge", rolling.get("maxSurge"), whole=None)
        if is_nothing(rolling.get("maxUnavailable")) and is_nothing(rolling.get("maxSurge")):
            detail = "may not be 0 when `maxSurge` is 0"
            value = rolling.get("maxUnavailable")
            errors.append(invalid(f"{path}.maxUnavailable", value, detail))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        detail = "must be greater than minReadySeconds"
        errors.append(invalid("spec.progressDeadlineSeconds", deadline, detail))
    return errors


DEPLOYMENT = Kind(
    group=GROUP,
    version="v1",
    kind="Deployment",
    plural="deployments",
    short_names=("deploy",),
    categories=("all",),
    namespaced=True,
    description="Deployment enables declarative updates for Pods and ReplicaSets.",
    schema=s.whole(
        s.object(
            "Specification of the desired behavior of the Deployment.",
            {
                "minReadySeconds": MIN_READY,
                "paused": s.boolean("Indicates that the deployment is paused."),
                "progressDeadlineSeconds": s.integer(
                    "Seconds for a deployment to make progress.",
                    minimum=0,
                    default=DEADLINE_SECONDS,
                ),
                "replicas": REPLICAS,
                "revisionHistoryLimit": HISTORY,
                "selector": label_selector("Label selector for pods. Immutable."),
                "strategy": s.object(
                    "The deployment strategy to use to replace existing pods with new ones.",
                    {
                        "rollingUpdate": s.object(
                            "Rolling update config params.",
                            {
                                "maxSurge": s.int_or_string("Pods above the desired number."),
                                "maxUnavailable": s.int_or_string("Pods that can be missing."),
                            },
                        ),
                        "type": s.string(
                            "Type of deployment.",
                            enum=("Recreate", "RollingUpdate"),
                            default="RollingUpdate",
                        ),
                    },
                    default={},
                ),
                "template": POD_TEMPLATE,
            },
            required=("selector", "template"),
        ),
        s.object(
            "Most recently observed status of the Deployment.",
            {
                **COMMON_STATUS,
                **counts(
                    "availableReplicas",
                    "readyReplicas",
                    "replicas",
                    "terminatingReplicas",
                    "unavailableReplicas",
                    "updatedReplicas",
                ),
                "conditions": conditions(
                    "The latest available observations of a deployment's current state.",
                    lastUpdateTime=s.time("The last time this condition was updated."),
                ),
            },
        ),
    ),
    columns=(
        NAME,
        ready_column(),
        count_column("Up-to-date", "status", "updatedReplicas"),
        count_column("Available", "status", "availableReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    status=True,
    subresources=("scale",),
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "template"),
)
