"""ApplicationPolicySet (cn2-api.md 4.19)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping
from cn2.api.checks import each_refers_to
from cn2.api.kind import FieldError, Object
from cn2.api.v1alpha1.firewall_policy import SEQUENCE
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema, references


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *each_refers_to(
            "spec.firewallPolicyReferences",
            items(spec, "firewallPolicyReferences"),
            "FirewallPolicy",
        ),
        *each_refers_to("spec.tagReferences", items(spec, "tagReferences"), "Tag"),
    ]


APPLICATION_POLICY_SET = core_kind(
    "ApplicationPolicySet",
    "applicationpolicysets",
    "aps",
    "ApplicationPolicySet is the list of firewall policies of an application.",
    namespaced=True,
    categories=("contrail", "security"),
    schema=core_schema(
        "ApplicationPolicySet",
        {
            "firewallPolicyReferences": references("The policies.", attributes=SEQUENCE),
            "tagReferences": references("Tags of the application."),
            "k8smode": s.boolean("The set was made from Kubernetes network policies."),
        },
        {"allApplications": s.boolean("The set is for all applications.")},
    ),
    validate=_validate,
    inert=NO_FILTER,
)
