"""What a system has on a machine while it runs, and what of it is left afterwards.

`machine` is what nobody's system may change; `footprint` is what one system has, by identity (pid
and start, cookie, id), so that `remains` is exact although other systems run beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cn2.drivers import netns
from cn2.drivers.bpf import syscall
from cn2.drivers.processes import Known, everyone
from cn2.supervisor import census
from cn2.supervisor.layout import Layout

Found = dict[str, set[str]]

_GROUPS = Path("/sys/fs/cgroup")
_SO_NETNS_COOKIE = 71


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def machine() -> Found:
    """Links, routes, rules, firewall, named namespaces and run-time files of the machine itself."""
    return {
        "links": {link["ifname"] for link in json.loads(output("ip", "-json", "link"))},
        "namespaces": set(output("ip", "netns", "list").split()),
        "routes": set(output("ip", "route", "show", "table", "all").splitlines()),
        "rules": set(output("ip", "rule").splitlines()),
        "firewall": set(output("nft", "list", "ruleset").splitlines())
        if shutil.which("nft")
        else set(),
        "run-time files": {path.name for path in Path("/run").iterdir()},
        "pins": {str(path) for path in Path("/sys/fs/bpf").rglob("*")},
    }


def footprint(data_dir: Path) -> Found:
    """What the system in `data_dir` has now."""
    layout = Layout(data_dir)
    programs, maps = _bpf(layout.bpf)
    return {
        "processes": {f"{one.pid} {one.began}" for one in processes(data_dir)},
        "namespaces": {cookie for path in layout.netns.glob("*") if (cookie := _cookie(path))},
        "mounts": {path for path in _mounts() if path.startswith(f"{data_dir}/")},
        "programs": programs,
        "maps": maps,
        "control groups": {
            str(path)
            for pod in layout.pods.glob("*")
            for path in _GROUPS.glob(f"**/cn2/{pod.name}")
        },
    }


def remains(seen: Found) -> Found:
    """What of a footprint is still there; empty when it is gone."""
    there = {
        "processes": {f"{one.pid} {one.began}" for one in everyone()},
        "namespaces": {*_network_namespaces()},
        "mounts": set(_mounts()),
        "programs": {number for number in seen["programs"] if _exists("prog", number)},
        "maps": {number for number in seen["maps"] if _exists("map", number)},
        "control groups": {path for path in seen["control groups"] if Path(path).exists()},
    }
    return {what: left for what in seen if (left := seen[what] & there[what])}


def processes(data_dir: Path) -> Iterator[Known]:
    """Everything that belongs to a system and runs."""
    layout = Layout(data_dir)
    yield from census.supervisors(layout)
    yield from census.components(layout)
    yield from census.inside(layout)[0]


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        yield line.split()[4]


def _network_namespaces() -> Iterator[str]:
    """Those that a process is in and those that are bound to a path."""
    seen = set[int]()
    for one in everyone():
        if one.namespace("net") not in seen:
            seen.add(one.namespace("net"))
            yield _cookie(Path(f"/proc/{one.pid}/ns/net"))
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[3].startswith("net:["):
            yield _cookie(Path(line.split()[4]))


def _cookie(path: Path) -> str:
    """What a network namespace is called for ever, unlike its inode; "" for what is none."""
    try:
        descriptor = netns.open_path(path)
    except OSError:
        return ""
    try:
        with netns.entered(descriptor), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside:
            return inside.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8).hex()
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _bpf(directory: Path) -> tuple[set[str], set[str]]:
    """Ids of the programs and maps pinned below a directory, and of programs that use the maps."""
    maps = set()
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):
            descriptor = syscall.open_pin(path)
            try:
                maps.add(str(syscall.map_info(descriptor).id))
            finally:
                os.close(descriptor)
    programs = {
        str(program["id"])
        for program in json.loads(output("bpftool", "-j", "prog", "show"))
        if maps & {str(number) for number in program.get("map_ids", [])}
    }
    return programs, maps


def _exists(kind: str, number: str) -> bool:
    done = subprocess.run(["bpftool", kind, "show", "id", number], capture_output=True, check=False)
    return done.returncode == 0
