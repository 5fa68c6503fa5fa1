"""FirewallPolicy (cn2-api.md 4.18)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items
from cn2.api.checks import each_refers_to
from cn2.api.kind import Column, FieldError, Object, Schema
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema, references, struct

SEQUENCE: Schema = struct(
    "Where the referent stands.",
    {
        "sequence": s.string(
            "Place in the order of evaluation, lowest first, such as 1.000000.",
            pattern=r"^([0-9]+(\.[0-9]+)?)?$",
        )
    },
)


def _rules(obj: Object) -> int:
    return len(items(obj, "spec", "firewallRuleReferences"))


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return each_refers_to(
        "spec.firewallRuleReferences", items(new, "spec", "firewallRuleReferences"), "FirewallRule"
    )


FIREWALL_POLICY = core_kind(
    "FirewallPolicy",
    "firewallpolicies",
    "fp",
    "FirewallPolicy is an ordered list of firewall rules; the first that matches decides.",
    namespaced=True,
    categories=("contrail", "security"),
    schema=core_schema(
        "FirewallPolicy",
        {"firewallRuleReferences": references("The rules.", attributes=SEQUENCE)},
    ),
    columns=(Column(name="Rules", cell=_rules, type="integer", description="Number of rules."),),
    validate=_validate,
    inert=NO_FILTER,
)
