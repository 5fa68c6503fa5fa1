"""What machine this is and how busy, from files in /proc and programs that say their version."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cn2

_PATIENCE = 5.0
_VERSIONS = {
    "kubectl": ("kubectl", "version", "--client"),
    "ip": ("ip", "-V"),
    "bpftool": ("bpftool", "version"),
}


def describe(data_dir: Path) -> dict[str, Any]:
    """Sizes in MiB."""
    place = data_dir
    while not place.exists():
        place = place.parent
    disk = shutil.disk_usage(place)
    return {
        "cn2": cn2.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "system": _value("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "container": _value("/proc/1/environ", r"(?:^|\0)container=([^\0]+)"),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "memory": _memory("MemTotal"),
        "memoryAvailable": _memory("MemAvailable"),
        "uptimeSeconds": float(_value("/proc/uptime", r"([\d.]+)") or 0),
        "diskFree": disk.free >> 20,
        "disk": disk.total >> 20,
        "user": os.geteuid(),
        "tools": {name: _version(command) for name, command in _VERSIONS.items()},
    }


def _value(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text(errors="replace"), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def _memory(name: str) -> int:
    return int(_value("/proc/meminfo", rf"^{name}: +(\d+)") or 0) >> 10


def _version(command: tuple[str, ...]) -> str:
    """The first line that a program says of itself, or why it says nothing."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "missing" if isinstance(error, FileNotFoundError) else str(error)
    return next(iter((done.stdout + done.stderr).splitlines()), "")
