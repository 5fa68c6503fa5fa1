"""NetworkPolicy (networking.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, text
from cn2.api.checks import cidr, forbidden
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.kubernetes.selectors import selector_text
from cn2.api.schema_checks import invalid, required
from cn2.api.selector_checks import selector
from cn2.api.shared_types import label_selector
from cn2.net.prefix import parse_prefix

_MAX_PORT = 65535


def _complete(new: Object, old: Object | None) -> None:
    spec = mapping(new, "spec")
    if spec and not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if items(spec, "egress") else ["Ingress"]


def _check_block(path: str, block: Object) -> list[FieldError]:
    errors = cidr(f"{path}.cidr", text(block, "cidr"))
    for index, part in enumerate(items(block, "except")):
        wrong = cidr(f"{path}.except[{index}]", part)
        if not wrong and not errors and not _is_part(part, text(block, "cidr")):
            detail = "must be a strict subset of `cidr`"
            wrong = [invalid(f"{path}.except[{index}]", part, detail)]
        errors += wrong
    return errors


def _is_part(part: str, whole: str) -> bool:
    inner, outer = parse_prefix(part), parse_prefix(whole)
    return inner.overlaps(outer) and inner.length > outer.length


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    errors = selector("spec.podSelector", at(new, "spec", "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(items(new, "spec", direction)):
            path = f"spec.{direction}[{i}]"
            for j, peer in enumerate(items(rule, peers)):
                errors += _check_peer(f"{path}.{peers}[{j}]", peer)
            for j, port in enumerate(items(rule, "ports")):
                errors += _check_port(f"{path}.ports[{j}]", port)
    return errors


def _check_peer(path: str, peer: Object) -> list[FieldError]:
    if not peer:
        return [required(path)]
    errors = selector(f"{path}.podSelector", at(peer, "podSelector"))
    errors += selector(f"{path}.namespaceSelector", at(peer, "namespaceSelector"))
    if peer.get("ipBlock") and len(peer) > 1:
        errors.append(forbidden(path, "may not specify both ipBlock and another peer"))
    return errors + _check_block(f"{path}.ipBlock", mapping(peer, "ipBlock"))


def _check_port(path: str, port: Object) -> list[FieldError]:
    number, last = port.get("port"), port.get("endPort")
    errors = []
    if isinstance(number, int) and not 1 <= number <= _MAX_PORT:
        detail = f"must be between 1 and {_MAX_PORT}, inclusive"
        errors.append(invalid(f"{path}.port", number, detail))
    if last is not None and not isinstance(number, int):
        why = "may not be specified when `port` is not specified or is a name"
        errors.append(forbidden(f"{path}.endPort", why))
    elif last is not None and last < number:
        detail = "must be greater than or equal to `port`"
        errors.append(invalid(f"{path}.endPort", last, detail))
    return errors


_PORTS = s.array(
    s.object(
        "A port to allow traffic on.",
        {
            "endPort": s.integer("Last port of a range that begins at port."),
            "port": s.int_or_string("Number or name of the port."),
            "protocol": s.string(
                "The protocol which traffic must match.",
                enum=("TCP", "UDP", "SCTP"),
                default="TCP",
            ),
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
    inert="no traffic is filtered by it",
)
