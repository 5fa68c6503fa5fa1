"""FirewallRule (cn2-api.md 4.17)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, items, mapping, text
from cn2.api.checks import block, each_refers_to, forbidden, refers_to
from cn2.api.kind import Column, FieldError, Object, Schema
from cn2.api.schema_checks import invalid
from cn2.api.v1alpha1.address_group import FIREWALL_SUBNET
from cn2.api.v1alpha1.shared import NO_FILTER, core_kind, core_schema, reference, references

_MAX_PORT = 65535


def _ports(obj: Object, key: str) -> str:
    first = at(obj, key, "startPort", default=0)
    last = at(obj, key, "endPort", default=_MAX_PORT)
    return f"{first}:{last}"


def _service(obj: Object) -> str:
    service = mapping(obj, "spec", "service")
    protocol = text(service, "protocol") or "any"
    return f"{protocol}/{_ports(service, 'srcPorts')}->{_ports(service, 'dstPorts')}"


def _endpoint(obj: Object, key: str) -> str:
    endpoint = mapping(obj, "spec", key)
    subnet = mapping(endpoint, "subnet")
    if subnet:
        return f"{text(subnet, 'ipPrefix')}/{at(subnet, 'ipPrefixLen', default='')}"
    tags = ",".join(str(tag) for tag in items(endpoint, "tags"))
    return tags or text(endpoint, "addressGroup") or ("any" if endpoint.get("any") else "")


def _check_ports(spec: Object, key: str) -> list[FieldError]:
    ports = mapping(spec, "service", key)
    first, last = ports.get("startPort", 0), ports.get("endPort", _MAX_PORT)
    if first <= last:
        return []
    return [invalid(f"spec.service.{key}.endPort", last, f"is lower than {first}")]


def _validate(new: Object, old: Object | None) -> list[FieldError]:
    spec = mapping(new, "spec")
    return [
        *_check_ports(spec, "srcPorts"),
        *_check_ports(spec, "dstPorts"),
        *refers_to("spec.addressGroupReference", spec.get("addressGroupReference"), "AddressGroup"),
        *each_refers_to("spec.tagReferences", items(spec, "tagReferences"), "Tag"),
        *_check_end(spec, "endpoint1"),
        *_check_end(spec, "endpoint2"),
    ]


def _check_end(spec: Object, key: str) -> list[FieldError]:
    end = mapping(spec, key)
    given = [name for name in ("subnet", "addressGroup", "tags", "any") if end.get(name)]
    if len(given) > 1:
        return [forbidden(f"spec.{key}.{given[1]}", f"may not be set together with {given[0]}")]
    subnet = mapping(end, "subnet")
    return block(f"spec.{key}.subnet", subnet) if subnet else []


def _port_range(description: str) -> Schema:
    return s.object(
        description,
        {
            "startPort": s.integer("First port.", bits=64, minimum=0, maximum=_MAX_PORT),
            "endPort": s.integer("Last port.", bits=64, minimum=0, maximum=_MAX_PORT),
        },
    )


def _end(description: str) -> Schema:
    return s.object(
        description,
        {
            "subnet": FIREWALL_SUBNET,
            "addressGroup": s.string("Name of an AddressGroup."),
            "tags": s.strings("Tags, as type=value."),
            "tagIds": s.array(s.integer("", bits=64), "Numbers of the tags."),
            "any": s.boolean("Everything."),
        },
    )


FIREWALL_RULE = core_kind(
    "FirewallRule",
    "firewallrules",
    "fr",
    "FirewallRule says which traffic between two end points passes or is dropped.",
    namespaced=True,
    categories=("contrail", "security"),
    schema=core_schema(
        "FirewallRule",
        {
            "addressGroupReference": reference("The AddressGroup of an end point."),
            "actionList": s.object(
                "What is done.", {"simpleAction": s.string("The action.", enum=("pass", "deny"))}
            ),
            "service": s.object(
                "Protocol and ports.",
                {
                    "protocol": s.string("tcp, udp, icmp, ... or any."),
                    "protocolId": s.integer(
                        "Number of the protocol.", bits=64, minimum=0, maximum=255
                    ),
                    "srcPorts": _port_range("Source ports."),
                    "dstPorts": _port_range("Destination ports."),
                },
            ),
            "endpoint1": _end("The source."),
            "endpoint2": _end("The destination."),
            "matchTags": s.strings("Types of tags that both ends must have in common."),
            "matchTagsTypes": s.array(s.integer("", bits=64), "Numbers of these types."),
            "direction": s.string("Direction of the traffic.", enum=("", ">", "<", "<>")),
            "tagReferences": references("Tags that the end points name."),
        },
    ),
    columns=(
        Column(name="Service", cell=_service, description="protocol/source->destination."),
        Column(
            name="Endpoint1",
            cell=lambda obj: _endpoint(obj, "endpoint1"),
            description="The source.",
        ),
        Column(name="Direction", path=".spec.direction", description="Direction of the traffic."),
        Column(
            name="Endpoint2",
            cell=lambda obj: _endpoint(obj, "endpoint2"),
            description="The destination.",
        ),
        Column(name="Action", path=".spec.actionList.simpleAction", description="pass or deny."),
    ),
    validate=_validate,
    inert=NO_FILTER,
)
