"""What the workload kinds of apps/v1 have in common."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api import schema as s
from cn2.api.access import at, items, mapping
from cn2.api.checks import immutable
from cn2.api.kind import Column, FieldError, Object, Schema
from cn2.api.kubernetes.pod_checks import check_pod_spec
from cn2.api.kubernetes.pod_defaults import complete_pod_spec
from cn2.api.kubernetes.selectors import selector_matches, selector_text
from cn2.api.schema_checks import invalid, not_supported

GROUP = "apps"
HISTORY_LIMIT = 10

REPLICAS = s.integer("Number of desired pods.", minimum=0, default=1)
HISTORY = s.integer("Number of old histories to retain.", minimum=0, default=HISTORY_LIMIT)
MIN_READY = s.integer(
    "Seconds for which a new pod should be ready to count as available.", minimum=0
)


def counts(*names: str) -> dict[str, Schema]:
    """Counters of a workload's status."""
    return {name: s.integer("Number of pods.") for name in names}


COMMON_STATUS = {
    "collisionCount": s.integer("Count of hash collisions."),
    "observedGeneration": s.integer("The generation observed by the controller.", bits=64),
}


def complete_template(new: Object, old: Object | None) -> None:
    """`complete` hook: defaults of the pod template."""
    complete_pod_spec(mapping(new, "spec", "template", "spec"))


def check_workload(new: Object, old: Object | None) -> list[FieldError]:
    """`validate` hook: the template is a valid pod that restarts always and that the selector,
    which is immutable, selects."""
    path = "spec.template.spec"
    spec = mapping(new, "spec")
    pod = mapping(spec, "template", "spec")
    labels = mapping(spec, "template", "metadata", "labels")
    errors = check_pod_spec(path, pod)
    if pod.get("restartPolicy") not in (None, "Always"):
        errors.append(not_supported(f"{path}.restartPolicy", pod["restartPolicy"], ["Always"]))
    selector = mapping(spec, "selector")
    if not selector:
        errors.append(invalid("spec.selector", selector, "empty selector is invalid for this kind"))
    elif not selector_matches(selector, labels):
        errors.append(
            invalid(
                "spec.template.metadata.labels",
                labels,
                "`selector` does not match template `labels`",
            )
        )
    return errors + immutable(new, old, "spec.selector")


def _containers(key: str) -> Callable[[Object], str]:
    def cell(obj: Object) -> str:
        containers = items(obj, "spec", "template", "spec", "containers")
        return ",".join(str(container.get(key, "")) for container in containers)

    return cell


CONTAINERS = Column(
    name="Containers", cell=_containers("name"), description="Names of containers.", priority=1
)
IMAGES = Column(
    name="Images", cell=_containers("image"), description="Images of containers.", priority=1
)
SELECTOR = Column(
    name="Selector",
    cell=lambda obj: selector_text(at(obj, "spec", "selector")),
    description="Labels of the pods.",
    priority=1,
)


def count_column(name: str, *path: str) -> Column:
    """A number that is 0 when it is not there."""
    return Column(
        name=name, cell=lambda obj: at(obj, *path, default=0), type="integer", description=name
    )


def ready_column(desired: tuple[str, ...] = ("spec", "replicas")) -> Column:
    """`ready/desired`."""

    def cell(obj: Object) -> str:
        ready = at(obj, "status", "readyReplicas", default=0)
        return f"{ready}/{at(obj, *desired, default=0)}"

    return Column(name="Ready", cell=cell, description="Pods that are ready, of all.")
