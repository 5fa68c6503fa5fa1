"""PodDisruptionBudget (policy/v1)."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api import schema as s
from cn2.api.access import at, mapping
from cn2.api.checks import forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.amount import check_amount
from cn2.api.shared_types import conditions, label_selector

_LIMITS = ("minAvailable", "maxUnavailable")


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    given = [name for name in _LIMITS if spec.get(name) is not None]
    errors = [error for name in given for error in check_amount(f"spec.{name}", spec[name])]
    if len(given) > 1:
        errors.append(forbidden("spec", "minAvailable and maxUnavailable cannot be both set"))
    return errors


def _limit(name: str) -> Callable[[Object], str]:
    return lambda obj: str(at(obj, "spec", name, default="N/A"))


POD_DISRUPTION_BUDGET = Kind(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    short_names=("pdb",),
    namespaced=True,
    description=(
        "PodDisruptionBudget is an object to define the max disruption that can be caused to a"
        " collection of pods"
    ),
    schema=s.whole(
        s.object(
            "Specification of the desired behavior of the PodDisruptionBudget.",
            {
                "maxUnavailable": s.int_or_string("Pods that may be unavailable, or percentage."),
                "minAvailable": s.int_or_string("Pods that must stay available, or percentage."),
                "selector": {
                    **label_selector("Label query over pods that the budget is for."),
                    s.PATCH_STRATEGY: "replace",
                },
                "unhealthyPodEvictionPolicy": s.string(
                    "When unhealthy pods may be evicted.",
                    enum=("AlwaysAllow", "IfHealthyBudget"),
                ),
            },
        ),
        s.object(
            "Most recently observed status of the PodDisruptionBudget.",
            {
                "conditions": conditions("Conditions of the budget."),
                "currentHealthy": s.integer("Current number of healthy pods."),
                "desiredHealthy": s.integer("Minimum desired number of healthy pods."),
                "disruptedPods": s.map_of(
                    s.time(), "Pods whose eviction was allowed, and when, until they are gone."
                ),
                "disruptionsAllowed": s.integer("Number of disruptions that are allowed now."),
                "expectedPods": s.integer("Total number of pods counted."),
                "observedGeneration": s.integer("The generation observed.", bits=64),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Min Available", cell=_limit(_LIMITS[0]), description="Pods that must stay."),
        Column(name="Max Unavailable", cell=_limit(_LIMITS[1]), description="Pods that may go."),
        Column(
            name="Allowed Disruptions",
            cell=lambda obj: at(obj, "status", "disruptionsAllowed", default=0),
            type="integer",
            description="Pods that may be evicted now.",
        ),
        AGE,
    ),
    status=True,
    validate=_validate,
)
