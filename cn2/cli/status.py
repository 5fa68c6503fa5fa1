"""`cn2 status`: every process, node and network of a system, and whether all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.client.errors import ApiError
from cn2.client.health import ask
from cn2.client.http import Client

Report = dict[str, Any]


def _ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


async def drops(agent_socket: Path) -> dict[str, int]:
    """What an agent's datapath has dropped: reason -> packets; empty when it does not answer."""
    code, text = await ask(agent_socket, "/introspect/drops")
    return msgspec.json.decode(text, type=dict[str, int]) if code == 200 else {}


async def refused(api_socket: Path) -> list[str]:
    """Stored objects that today's rules refuse: what and why; empty when nobody answers."""
    code, text = await ask(api_socket, "/introspect/refused")
    return msgspec.json.decode(text, type=list[str]) if code == 200 else []


async def collect(client: Client, system: Report, dropped: dict[str, dict[str, int]]) -> Report:
    """Add what the API says (nodes, networks) to what supervisor and agents say."""
    try:
        nodes = await client.list(by_name("Node"))
        networks = await client.list(by_name("VirtualNetwork"))
    except (ApiError, OSError) as error:
        return {**system, "api": str(error) or type(error).__name__, "nodes": [], "networks": []}
    return {
        **system,
        "api": "",
        "nodes": [
            {
                "name": node["metadata"]["name"],
                "ready": _ready(node),
                "drops": dropped.get(node["metadata"]["name"], {}),
            }
            for node in nodes.items
        ],
        "networks": [
            {
                "namespace": network["metadata"]["namespace"],
                "name": network["metadata"]["name"],
                "vni": network.get("status", {}).get("virtualNetworkNetworkId"),
                "state": network.get("status", {}).get("state", "Pending"),
                "observation": network.get("status", {}).get("observation", ""),
            }
            for network in networks.items
        ],
    }


def problems(report: Report) -> list[str]:
    """What is wrong, in plain words; empty when all is well."""
    found = [
        f"process {process['name']} is not ready{_why(process)}, its log: {process['log']}"
        for process in report["processes"]
        if not process["ready"]
    ]
    if report["api"]:
        found.append(f"the API server does not answer: {report['api']}")
    found += [f"node {node['name']} is not ready" for node in report["nodes"] if not node["ready"]]
    found += [
        f"network {network['namespace']}/{network['name']} is {network['state']}: "
        f"{network['observation'] or 'no observation yet'}"
        for network in report["networks"]
        if network["state"] != "Success"
    ]
    found += [
        f"an earlier release stored what this one refuses, edit or delete it: {what}"
        for what in report["refused"]
    ]
    return found


def _why(process: Report) -> str:
    """What ended it last, and whether it comes again."""
    if not process["reason"]:
        return ""
    times = f" {process['failures']} times" if process["failures"] > 1 else ""
    return f" and has ended{times} ({process['reason']}), it is started again"


def show(console: Console, report: Report) -> None:
    """Print a report for people."""
    processes = Table("PROCESS", "READY", "PID", "RESTARTS", "UP", box=None, pad_edge=False)
    for process in report["processes"]:
        processes.add_row(
            process["name"],
            "yes" if process["ready"] else "no",
            str(process["pid"] or "-"),
            str(process["restarts"]),
            f"{process['seconds']:.0f}s",
        )
    nodes = Table("NODE", "READY", "DROPPED PACKETS", box=None, pad_edge=False)
    for node in report["nodes"]:
        counted = [f"{reason} {count}" for reason, count in node["drops"].items() if count]
        nodes.add_row(node["name"], "yes" if node["ready"] else "no", ", ".join(counted) or "none")
    networks = Table("NAMESPACE", "NETWORK", "VNI", "STATE", box=None, pad_edge=False)
    for network in report["networks"]:
        networks.add_row(
            network["namespace"], network["name"], str(network["vni"] or "-"), network["state"]
        )
    for table in (processes, nodes, networks):
        console.print(table)
        console.print()
    for problem in problems(report):
        console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)
