"""Vrouter (dataplane.juniper.net)."""

from __future__ import annotations

import ast
import re

from cn2.api import schema as s
from cn2.api.kind import Schema
from cn2.api.planes import vrouter_settings
from cn2.api.planes.common import plane_kind

_SETTING = re.compile(r"(?P<name>\w+) (?P<type>\[?\w+\]?)(?: =(?P<default>.*))?")


def _node(type_: str, default: str | None) -> Schema:
    match type_:
        case "str":
            return s.string(default=default)
        case "bool":
            return s.boolean(default=None if default is None else default == "true")
        case "int" if default is None:
            return s.integer(bits=64)
        case "int":
            return s.integer(bits=64, minimum=0, default=int(default or 0))
        case "[str]" | "[int]":
            node = s.array(s.string() if type_ == "[str]" else s.integer(bits=64))
            return node if default is None else {**node, "default": ast.literal_eval(default)}
    raise ValueError(f"unknown type {type_!r}")


def _settings(lines: str) -> dict[str, Schema]:
    found = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        match = _SETTING.fullmatch(line)
        if match is None:
            raise ValueError(f"not a setting: {line!r}")
        found[match["name"]] = _node(match["type"], match["default"])
    return found


_AGENT = {name: s.object("", _settings(lines)) for name, lines in vrouter_settings.AGENT.items()}
_TRACE_BUFFERS = s.object(
    "Sizes of trace buffers.",
    {name: s.integer(bits=64) for name in vrouter_settings.TRACE_BUFFERS.split()},
)
_CNI = {
    **_settings(vrouter_settings.CNI),
    "vifType": s.string(enum=("veth", "macvlan", "virtio"), default="veth"),
}

VROUTER = plane_kind(
    "dataplane.juniper.net",
    "Vrouter",
    "vrouters",
    "Vrouter is the packet forwarder and its agent on a set of nodes.",
    {
        "agent": s.object("Settings of the agent.", {**_AGENT, "traceBuffSize": _TRACE_BUFFERS}),
        "agentModeType": s.string(
            "What forwards packets.", enum=("kernel", "dpdk"), default="kernel"
        ),
        "clusterName": s.string("Cluster of the nodes, as in its Kubemanager."),
        "cni": s.object("Settings of the CNI plugin.", _CNI),
        "controlNodeInstance": s.string("Name of the Control.", default="contrail-control"),
        "controlNodes": s.strings("Addresses of control nodes."),
        "dpdk": s.object("Settings of DPDK.", _settings(vrouter_settings.DPDK)),
        "headlessMode": s.boolean("Keep forwarding without control nodes."),
        "installCni": s.boolean("Put the CNI plugin on the nodes.", default=True),
        "kernel": s.object(
            "Settings of the kernel's forwarder.",
            {
                "container": s.any_object("Its container."),
                **_settings(vrouter_settings.KERNEL),
            },
        ),
        "maxUnavailablePercentage": s.string("Share of nodes that may be updated at once."),
        "metricsBindAddress": s.string("Where metrics are served.", default="127.0.0.1:18084"),
        "vCommon": s.object("Settings of both forwarders.", _settings(vrouter_settings.COMMON)),
    },
)
