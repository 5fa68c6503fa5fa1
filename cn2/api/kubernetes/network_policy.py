"""NetworkPolicy (networking.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, text
from cn2.api.checks import cidr
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.selectors import selector_text
from cn2.api.shared_types import label_selector


def _complete(new: Object, old: Object | None) -> None:
    spec = mapping(new, "spec")
    if spec and not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if items(spec, "egress") else ["Ingress"]


def _check_block(path: str, block: Object) -> list[FieldError]:
    errors = cidr(f"{path}.cidr", text(block, "cidr"))
    for index, part in enumerate(items(block, "except")):
        errors += cidr(f"{path}.except[{index}]", part)
    return errors


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    return [
        error
        for direction, peers in (("ingress", "from"), ("egress", "to"))
        for i, rule in enumerate(items(new, "spec", direction))
        for j, peer in enumerate(items(rule, peers))
        for error in _check_block(
            f"spec.{direction}[{i}].{peers}[{j}].ipBlock", mapping(peer, "ipBlock")
        )
    ]


_PORTS = s.array(
    s.object(
        "A port to allow traffic on.",
        {
            "endPort": s.integer("Last port of a range that begins at port."),
            "port": s.int_or_string("Number or name of the port."),
            "protocol": s.string("The protocol which traffic must match.", default="TCP"),
        },
    ),
    "Ports that traffic is allowed on; all when empty.",
)
_PEERS = s.array(
    s.object(
        "A peer to allow traffic to/from.",
        {
            "ipBlock": s.object(
                "A block of addresses.",
                {
                    "cidr": s.string("The block."),
                    "except": s.strings("Parts of the block that are left out."),
                },
                required=("cidr",),
            ),
            "namespaceSelector": label_selector("Labels of namespaces."),
            "podSelector": label_selector("Labels of pods."),
        },
    ),
    "The other side of the traffic; everybody when empty.",
)

NETWORK_POLICY = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    short_names=("netpol",),
    namespaced=True,
    description="NetworkPolicy describes what network traffic is allowed for a set of Pods",
    schema=s.whole(
        s.object(
            "spec represents the specification of the desired behavior for this NetworkPolicy.",
            {
                "egress": s.array(
                    s.object("", {"ports": _PORTS, "to": _PEERS}), "Egress rules to be applied."
                ),
                "ingress": s.array(
                    s.object("", {"from": _PEERS, "ports": _PORTS}), "Ingress rules to be applied."
                ),
                "podSelector": label_selector("The pods to which this policy applies."),
                "policyTypes": s.array(
                    s.string(enum=("Ingress", "Egress")), "Rule types that the policy relates to."
                ),
            },
        )
    ),
    columns=(
        NAME,
        Column(
            name="Pod-Selector",
            cell=lambda obj: selector_text(at(obj, "spec", "podSelector")),
            description="The pods to which this policy applies.",
        ),
        AGE,
    ),
    complete=_complete,
    validate=_validate,
)
