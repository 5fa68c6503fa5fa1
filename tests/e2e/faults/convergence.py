"""What must agree in a system that has come to rest, and what must never have happened."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from history import History
from machine import Machine
from sockets import page
from udp_stream import interfaces
from work import pod_uid, succeeded

from cn2.api.kinds import by_name
from cn2.api.kubernetes.mirror import is_mirror
from cn2.apiserver import keys
from cn2.apiserver.claims import carried
from cn2.drivers.bpf.loader import pin_directory
from cn2.drivers.bpf.maps import Maps
from cn2.supervisor.layout import Layout

STATES = frozenset(
    {"VirtualNetwork", "RoutingInstance", "Subnet", "InstanceIP", "VirtualMachineInterface"}
    | {"VirtualMachine", "RouteTarget"}
)
"""Kinds whose status says Success when all is well."""

_ENUM = re.compile(r"<[^:<>]+: (\d+)>")
"""A number with a name, as one side shows it."""


def stored(machine: Machine) -> dict[str, bytes]:
    """Everything in the store at one moment, read beside the server."""
    path = Layout(machine.data_dir).store / "cn2.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return dict(database.execute("SELECT key, value FROM current"))


def settle(machine: Machine) -> None:
    """Wait until everything is as it must be."""
    try:
        machine.until(lambda: not unsettled(machine))
    except AssertionError:
        raise AssertionError("\n".join(["never came to rest:", *unsettled(machine)])) from None


def unsettled(machine: Machine) -> list[str]:
    """What is not yet as it must be; [] for a system at rest."""
    rows = stored(machine)
    objects = [json.loads(value) for key, value in rows.items() if key.startswith("/registry/")]
    pods = [obj for obj in objects if obj["kind"] == "Pod" and not is_mirror(obj)]
    return [
        *(f"{_name(obj)} is {obj.get('status')}" for obj in objects if not _is_well(obj)),
        *(f"{_name(obj)} is ending" for obj in objects if "deletionTimestamp" in obj["metadata"]),
        *_claims(rows, objects),
        *_orphans(objects, pods),
        *_node(machine, pods),
    ]


def _is_well(obj: Any) -> bool:
    if obj["kind"] in STATES:
        return succeeded(obj)
    if obj["kind"] == "Pod":
        return bool(obj.get("status", {}).get("phase") == "Running")
    return True


def _claims(rows: dict[str, bytes], objects: list[Any]) -> list[str]:
    """Numbers that are claimed and not carried by an object, or carried and not claimed."""
    wanted = {
        keys.claim(claim.pool, claim.id): claim.holder
        for obj in objects
        for claim in carried(by_name(obj["kind"]), obj)
    }
    found = {key: value.decode() for key, value in rows.items() if key.startswith("/claims/")}
    return [f"claim {key} of {who}" for key, who in sorted(wanted.items() ^ found.items())]


def _orphans(objects: list[Any], pods: list[Any]) -> list[str]:
    """What was made for a pod that is gone, or is missing for one that is here."""
    count = Counter((obj["kind"], pod_uid(obj)) for obj in objects if pod_uid(obj))
    wanted: Counter[tuple[str, str]] = Counter()
    for pod in pods:
        uid, interfaces_ = pod["metadata"]["uid"], 1 + len(_networks(pod))
        wanted["VirtualMachine", uid] = 1
        wanted["VirtualMachineInterface", uid] = wanted["InstanceIP", uid] = interfaces_
    keys_ = count.keys() | wanted.keys()
    return [f"{key}: {count[key]}, not {wanted[key]}" for key in keys_ if count[key] != wanted[key]]


def _networks(pod: Any) -> list[str]:
    text = pod["metadata"].get("annotations", {}).get("k8s.v1.cni.cncf.io/networks", "")
    return [name for name in text.split(",") if name]


def _node(machine: Machine, pods: list[Any]) -> list[str]:
    """Where links, addresses or map entries of the node are not those of its pods."""
    layout = Layout(machine.data_dir)
    report = page(layout.health_socket("agent"), "ports")
    if report is None:
        return ["the agent does not answer"]
    found = []
    plugged: dict[str, dict[str, list[str]]] = {}
    for port in report:
        plugged.setdefault(port["podUID"], {})[port["interface"]] = port["addresses"]
    names = {pod["metadata"]["uid"]: _name(pod) for pod in pods}
    if plugged.keys() != names.keys():
        found.append(f"ports of {plugged.keys()}, pods are {names}")
    for pod in pods:
        uid = pod["metadata"]["uid"]
        told = {name: ips[0] for name, ips in interfaces(pod).items()}
        told = told or {"eth0": pod["status"].get("podIP")}  # nothing is told of one interface
        ports = {name: ips[0].split("/")[0] for name, ips in plugged.get(uid, {}).items()}
        inside = _inside(machine.pod_netns(pod))
        if not told == ports == inside or len(told) != 1 + len(_networks(pod)):
            found.append(f"{_name(pod)}: status {told}, ports {ports}, inside {inside}")
    node = layout.node_netns("node1")
    links = _ip(node, "link")
    pairs = sorted(link["ifindex"] for link in links if link["ifname"].startswith("tap"))
    if pairs != sorted(port["ifindex"] for port in report):
        found.append(f"links {pairs}, ports {sorted(port['ifindex'] for port in report)}")
    maps = Maps(pin_directory(layout.bpf / "node1"))
    try:
        rows = sorted(_ENUM.sub(r"\1", repr(row)) for row in maps.read())
    finally:
        maps.close()
    if rows != [_ENUM.sub(r"\1", row) for row in page(layout.health_socket("agent"), "rows") or ()]:
        found.append("the kernel's maps are not the agent's rows")
    return found


def _inside(namespace: Path) -> dict[str, str]:
    """The IPv4 address of each interface of a pod."""
    return {
        link["ifname"]: info["local"]
        for link in _ip(namespace, "address")
        for info in link["addr_info"]
        if info["family"] == "inet" and link["ifname"] != "lo"
    }


def _ip(namespace: Path, what: str) -> Any:
    command = ["nsenter", f"--net={namespace}", "ip", "-json", what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else []


def _name(obj: Any) -> str:
    metadata = obj["metadata"]
    return f"{obj['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def shared_addresses(history: History) -> list[str]:
    """Every moment at which two held one address of a network, or a living pod lost its own. An
    address is held with the status that names its Subnet: before, it is only asked for."""
    found = []
    holders: dict[tuple[str, str, str], str] = {}
    held: dict[str, tuple[str, str, str]] = {}
    alive: set[str] = set()
    for one in history.told("Pod", "InstanceIP"):
        if one.kind == "Pod":
            ended = one.object.get("status", {}).get("phase") in ("Succeeded", "Failed")
            (alive.discard if one.deleted or ended else alive.add)(one.uid)
            continue
        spec = one.object["spec"]
        network = spec["virtualNetworkReference"]
        place = (network["namespace"], network["name"], spec.get("instanceIPAddress", ""))
        before = held.pop(one.uid, None)
        if before is not None:
            del holders[before]
        if one.deleted or not one.object.get("status", {}).get("subnetReference"):
            if before is not None and pod_uid(one.object) in alive:
                found.append(f"{before} at {one.revision}: freed while its pod lives")
        elif place in holders:
            found.append(f"{place} at {one.revision}: {holders[place]} and {one.uid}")
        else:
            holders[place], held[one.uid] = one.uid, place
    return found
