"""Objects that are almost right, and objects that are anything: what people and machines send.

Each begins with the example of its kind; one to three places in it are changed. Values come from
a list of what is known to be on an edge, and from arbitrary JSON.
"""

from __future__ import annotations

import copy
import json
import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from kind_examples import EXAMPLES

from cn2.api.kind import Family, Kind
from cn2.api.kinds import KINDS, POD

OURS = tuple(
    kind for kind in KINDS if kind.family is not Family.KUBERNETES and "create" in kind.verbs
)
"""Every kind of CN2 that people write."""

SEED_VARIABLE, COUNT_VARIABLE = "CN2_FUZZ_SEED", "CN2_FUZZ_EXAMPLES"


def profile(examples: int) -> settings:
    """A quick run that is the same every time, or as many as CN2_FUZZ_EXAMPLES says, from a seed
    that pytest prints (`--hypothesis-seed`)."""
    asked = int(os.environ.get(COUNT_VARIABLE, "0"))
    return settings(
        max_examples=asked or examples,
        derandomize=not asked,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


ODD_TEXTS = (
    *("", " ", "a", "-", ".", "..", "/", "%", "\u0000", "ä", "𝔘", "x" * 64, "x" * 300, "A B"),
    *("0", "-1", "1e9", "null", "true", "{", "[]", '{"a": 1}', "default", "nowhere", "healthy"),
    *("10.0.0.0/24", "10.0.0.5/24", "10.0.0.0/33", "10.0.0.0", "010.0.0.1", "0.0.0.0/0", "::/0"),
    *("172.16.10.0/24", "172.16.10.2", "172.16.10.255", "10.0.0.0/31", "10.0.0.0/32", "1.2.3"),
    *("fd00::/64", "fd00::5", "FD00::0005", "fe80::1%eth0", "::ffff:1.2.3.4", "2001:db8::/128"),
    *("target:1:2", "target:64512:8000003", "target:1.2.3.4:70000", "1:2", "target:70000:1"),
    *("02:00:00:00:00:01", "01:00:00:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:0"),
    *("VirtualNetwork", "Subnet", "Pod", "Nothing", "v4", "v6", "mesh", "hub", "l2", "enable"),
)
ODD_NUMBERS = (0, 1, -1, 5, 4095, 65535, 65536, 2**31, 2**32, 2**63 - 1, 2**63, 10**30, 0.5, -0.0)

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
scalars = st.one_of(texts, st.sampled_from(ODD_NUMBERS), st.integers(), st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a JSON value, its own first."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


@st.composite
def changed(draw: st.DrawFn, example: Any) -> Any:
    """The example with one to three places changed."""
    made = copy.deepcopy(example)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(made)))
        if not path:
            continue
        holder = made
        for key in path[:-1]:
            holder = holder[key]
        match draw(st.sampled_from(("replace", "replace", "like", "drop", "more", "twice"))):
            case "replace":
                holder[path[-1]] = draw(values)
            case "like":
                holder[path[-1]] = draw(_like(holder[path[-1]]))
            case "drop":
                del holder[path[-1]]
            case "more" if isinstance(holder, dict):
                holder[draw(texts)] = draw(values)
            case "twice" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[path[-1]]))
    return made


def _like(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same type."""
    match value:
        case bool():
            return st.booleans()
        case str():
            return texts
        case int() | float():
            return st.sampled_from(ODD_NUMBERS)
        case list():
            return st.lists(values, max_size=3)
        case _:
            return st.dictionaries(texts, values, max_size=3)


def _example(kind: Kind) -> dict[str, Any]:
    made = copy.deepcopy(EXAMPLES[kind.kind])
    made.pop("status", None)
    made.setdefault("spec", {})
    for key in ("uid", "creationTimestamp"):
        made["metadata"].pop(key, None)
    if kind.namespaced:
        made["metadata"]["namespace"] = "default"
    return made


def of_kind(kind: Kind) -> st.SearchStrategy[tuple[str, Any]]:
    """(its name, object) near an example of the kind; its metadata is left alone."""
    example = _example(kind)
    content = {key: value for key, value in example.items() if key != "metadata"}
    return changed(content).map(lambda made: (kind.kind, {**made, "metadata": example["metadata"]}))


_ANNOTATION = {
    "ipamV4Subnet": "172.16.10.0/24",
    "ipamV4Gateway": "172.16.10.1",
    "ipamV6Subnet": "2001:db8::/64",
    "ipamV6Gateway": "2001:db8::1",
    "routeTargetList": ["target:1:2"],
    "importRouteTargetList": ["target:1.2.3.4:5"],
    "exportRouteTargetList": ["target:70000:5"],
    "fabricSNAT": False,
    "forwardingMode": "l3",
    "virtualNetworkProperties": {"rpf": "enable"},
}
_NETWORKS = [
    {
        "name": "healthy",
        "namespace": "default",
        "ips": ["172.16.10.9"],
        "mac": "02:00:00:00:00:09",
        "interface": "net1",
        "cni-args": {
            "net.juniper.contrail.allowedAddressPairs": [
                {
                    "ip": "172.16.10.64/28",
                    "mac": "02:00:00:00:00:0a",
                    "addressMode": "active-active",
                }
            ]
        },
    },
    {"name": "healthy"},
]


def _noted(kind: Kind, annotation: str, wanted: Any) -> st.SearchStrategy[tuple[str, Any]]:
    example = _example(kind)

    def annotate(text: str) -> tuple[str, Any]:
        made = copy.deepcopy(example)
        made["metadata"]["annotations"] = {annotation: text}
        return kind.kind, made

    near = changed(wanted).map(json.dumps)
    torn = near.flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))
    return st.one_of(near, near, torn, texts).map(annotate)


def _definitions(kind: Kind) -> st.SearchStrategy[tuple[str, Any]]:
    return st.one_of(of_kind(kind), _noted(kind, "juniper.net/networks", _ANNOTATION))


pods = _noted(POD, "k8s.v1.cni.cncf.io/networks", _NETWORKS)
objects = st.one_of(
    *(
        _definitions(kind) if kind.kind == "NetworkAttachmentDefinition" else of_kind(kind)
        for kind in OURS
    ),
    *[_definitions(kind) for kind in OURS if kind.kind == "NetworkAttachmentDefinition"] * 3,
    *[pods] * 4,
)
"""(name of a kind, object): any kind of ours, definitions and pods more often."""
