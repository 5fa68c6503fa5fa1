"""What would stop `cn2 up`, found before anything is started. Each finding says what to do."""

from __future__ import annotations

import ctypes.util
import os
import platform
import shutil
import socket
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid
from cn2.supervisor.settings import Settings
from cn2.supervisor.values import differing, wrong

_ARTIFACTS = ("vr.o", "contrail-k8s-cni", "cn2-init")
_KERNEL_FLOOR = (6, 1)
_LEAST_FREE = 200 << 20
"""Bytes that must be free where the data directory is."""


def findings(layout: Layout, settings: Settings, native: Path) -> list[str]:
    """Everything that is in the way, in plain words; empty when the system can start."""
    if os.geteuid() != 0:
        return ["cn2 up makes network namespaces and loads eBPF: run it as root (sudo)."]
    found = wrong(layout, settings) or differing(Settings.load(layout), settings)
    if found:
        return found
    found = [
        *_missing_artifacts(native),
        *_kernel(),
        *([] if _left_serving(layout, settings) else _port(settings.port)),
        *_disk(layout.root),
        *_others_things(layout),
    ]
    running = read_pid(layout.pid_file("supervisor"))
    if running is not None:
        found.append(
            f"A system runs in {layout.root} already (pid {running}): "
            f"`cn2 down --data-dir {layout.root}` ends it, --data-dir starts another beside it."
        )
    return found


def _others_things(layout: Layout) -> list[str]:
    """The data directory becomes its owner's alone, and everything mounted in it ours."""
    root = layout.root
    if not root.exists() or layout.used or (root.is_dir() and not any(root.iterdir())):
        return []
    return [f"{root} is not empty and not a system's: choose another --data-dir."]


def _missing_artifacts(native: Path) -> list[str]:
    missing = [name for name in _ARTIFACTS if not (native / name).exists()]
    return [f"Not built: {', '.join(missing)} in {native}. Run scripts/setup."] if missing else []


def _kernel() -> list[str]:
    found = []
    release = platform.release()
    version = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if version < _KERNEL_FLOOR:
        found.append(f"Linux {release} is too old: 6.1 or later is needed.")
    if not Path("/sys/kernel/btf/vmlinux").exists():
        found.append("This kernel has no BTF (/sys/kernel/btf/vmlinux): eBPF can't be loaded.")
    if ctypes.util.find_library("bpf") is None:
        found.append("libbpf.so.1 is missing: apt-get install libbpf1.")
    return found


def _left_serving(layout: Layout, settings: Settings) -> bool:
    """Whether the port is this system's own: its supervisor was killed, its API server goes on
    until the next supervisor ends it."""
    known = Settings.load(layout)
    return (
        known is not None
        and known.port == settings.port
        and read_pid(layout.pid_file("apiserver")) is not None
    )


def _port(port: int) -> list[str]:
    if port == 0:
        return []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return [
                f"Port {port} of 127.0.0.1 can't be used ({error.strerror}): "
                "choose another with --port, 0 picks a free one."
            ]
    return []


def _disk(root: Path) -> list[str]:
    place = root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE:
        return [
            f"Only {free >> 20} MiB are free at {place}, {_LEAST_FREE >> 20} are needed: "
            "make room or choose another --data-dir."
        ]
    return []


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
