"""ReplicationController (core/v1): a ReplicaSet whose selector is a plain map of labels."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import mapping
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.pod_checks import check_pod_spec
from cn2.api.kubernetes.pod_spec import POD_TEMPLATE
from cn2.api.kubernetes.workload import (
    COMMON_STATUS,
    CONTAINERS,
    IMAGES,
    MIN_READY,
    REPLICAS,
    complete_template,
    count_column,
    counts,
)
from cn2.api.network_annotations import warn_template
from cn2.api.schema_checks import invalid, required
from cn2.api.shared_types import conditions


def _complete(new: Object, old: Object | None) -> None:
    complete_template(new, old)
    spec = new.setdefault("spec", {})
    labels = mapping(spec, "template", "metadata", "labels")
    if labels and not spec.get("selector"):
        spec["selector"] = dict(labels)
    if labels and not new["metadata"].get("labels"):
        new["metadata"]["labels"] = dict(labels)


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    selector = mapping(spec, "selector")
    if not mapping(spec, "template"):
        return [required("spec.template")]
    errors = check_pod_spec("spec.template.spec", mapping(spec, "template", "spec"))
    labels = mapping(spec, "template", "metadata", "labels")
    if not selector:
        errors.append(required("spec.selector"))
    elif not selector.items() <= labels.items():
        what = "`selector` does not match template `labels`"
        errors.append(invalid("spec.template.metadata.labels", labels, what))
    return errors


def _selector(obj: Object) -> str:
    selector = mapping(obj, "spec", "selector")
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "<none>"


REPLICATION_CONTROLLER = Kind(
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    short_names=("rc",),
    categories=("all",),
    namespaced=True,
    description=("ReplicationController represents the configuration of a replication controller."),
    schema=s.whole(
        s.object(
            "Spec defines the specification of the desired behavior of the replication controller.",
            {
                "minReadySeconds": MIN_READY,
                "replicas": REPLICAS,
                "selector": {
                    **s.map_of(s.string(), "Labels of the pods."),
                    s.MAP_TYPE: "atomic",
                },
                "template": POD_TEMPLATE,
            },
        ),
        s.object(
            "Status is the most recently observed status of the replication controller.",
            {
                **COMMON_STATUS,
                **counts(
                    "availableReplicas",
                    "fullyLabeledReplicas",
                    "readyReplicas",
                    "replicas",
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
        Column(name="Selector", cell=_selector, description="Labels of the pods.", priority=1),
    ),
    status=True,
    subresources=("scale",),
    complete=_complete,
    validate=_validate,
    warn=warn_template("spec", "template"),
)
