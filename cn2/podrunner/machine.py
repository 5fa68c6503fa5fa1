"""Reads what this machine is, for its Node object."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import cn2
from cn2.drivers.processes import boot_id
from cn2.podrunner.nodes import Machine

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def this_machine(data_dir: Path) -> Machine:
    """Memory and disk in KiB; the disk is the one that the data directory is on."""
    release = _assignments(Path("/etc/os-release"))
    return Machine(
        processors=os.cpu_count() or 1,
        memory_kib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024,
        disk_kib=shutil.disk_usage(data_dir).total // 1024,
        kernel=platform.release(),
        os_image=release.get("PRETTY_NAME", "Linux"),
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        machine_id=_line(Path("/etc/machine-id")),
        boot_id=boot_id(),
        version=cn2.__version__,
    )


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _assignments(path: Path) -> dict[str, str]:
    """NAME="value" lines."""
    pairs = (line.partition("=") for line in _line(path).splitlines())
    return {name: value.strip('"') for name, _, value in pairs}
