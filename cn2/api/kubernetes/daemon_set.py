"""DaemonSet (apps/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.amount import check_amount, is_nothing
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.kubernetes.workload import (
    COMMON_STATUS,
    CONTAINERS,
    GROUP,
    HISTORY,
    IMAGES,
    MIN_READY,
    SELECTOR,
    check_workload,
    complete_template,
    count_column,
    counts,
)
from cn2.api.network_annotations import warn_template
from cn2.api.schema_checks import invalid
from cn2.api.shared_types import conditions, label_selector


def _complete(new: Object, old: Object | None) -> None:
    complete_template(new, old)
    strategy = mapping(new, "spec", "updateStrategy")
    if strategy.get("type") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = check_workload(new, old)
    rolling = mapping(new, "spec", "updateStrategy", "rollingUpdate")
    path = "spec.updateStrategy.rollingUpdate"
    if not rolling:
        return errors
    for name in ("maxUnavailable", "maxSurge"):
        errors += check_amount(f"{path}.{name}", rolling.get(name))
    surge, missing = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    if not is_nothing(surge) and not is_nothing(missing):
        detail = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(f"{path}.maxSurge", surge, detail))
    if is_nothing(surge) and is_nothing(missing):
        detail = "Required value: cannot be 0 when maxSurge is 0"
        errors.append(FieldError(f"{path}.maxUnavailable", detail, "FieldValueRequired"))
    return errors


def _node_selector(obj: Object) -> str:
    selector = mapping(obj, "spec", "template", "spec", "nodeSelector")
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "<none>"


DAEMON_SET = Kind(
    group=GROUP,
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    short_names=("ds",),
    categories=("all",),
    namespaced=True,
    description="DaemonSet represents the configuration of a daemon set.",
    schema=s.whole(
        s.object(
            "The desired behavior of this daemon set.",
            {
                "minReadySeconds": MIN_READY,
                "revisionHistoryLimit": HISTORY,
                "selector": label_selector("Label selector for pods. Immutable."),
                "template": POD_TEMPLATE,
                "updateStrategy": s.object(
                    "An update strategy to replace existing DaemonSet pods with new pods.",
                    {
                        "rollingUpdate": s.object(
                            "Rolling update config params.",
                            {
                                "maxSurge": s.int_or_string("Nodes that can have two pods."),
                                "maxUnavailable": s.int_or_string("Pods that can be missing."),
                            },
                        ),
                        "type": s.string(
                            "Type of daemon set update.",
                            enum=("OnDelete", "RollingUpdate"),
                            default="RollingUpdate",
                        ),
                    },
                    default={},
                ),
            },
            required=("selector", "template"),
        ),
        s.object(
            "The current status of this daemon set.",
            {
                **COMMON_STATUS,
                **counts(
                    "currentNumberScheduled",
                    "desiredNumberScheduled",
                    "numberAvailable",
                    "numberMisscheduled",
                    "numberReady",
                    "numberUnavailable",
                    "updatedNumberScheduled",
                ),
                "conditions": conditions("Latest observations of the current state."),
            },
        ),
    ),
    columns=(
        NAME,
        count_column("Desired", "status", "desiredNumberScheduled"),
        count_column("Current", "status", "currentNumberScheduled"),
        count_column("Ready", "status", "numberReady"),
        count_column("Up-to-date", "status", "updatedNumberScheduled"),
        count_column("Available", "status", "numberAvailable"),
        Column(name="Node Selector", cell=_node_selector, description="Labels of the nodes."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    status=True,
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "template"),
)
