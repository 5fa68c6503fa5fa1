"""What does not come with the kernel: our own compiled parts, a library, two programs."""

from __future__ import annotations

import ctypes.util
import shutil
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.preflight.finding import Finding

_ARTIFACTS = ("vr.o", "contrail-k8s-cni", "cn2-init")
_TOOLS = {"ip": "iproute2", "nsenter": "util-linux"}
"""Programs and the Debian packages that they are in."""


def findings(native: Path) -> Iterator[Finding]:
    """What is missing of it."""
    missing = [name for name in _ARTIFACTS if not (native / name).exists()]
    if missing:
        yield Finding(f"{', '.join(missing)} are not built in {native}", "run scripts/build")
    if ctypes.util.find_library("bpf") is None:
        yield Finding("libbpf.so.1 is missing", "apt-get install libbpf1")
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            yield Finding(f"The program {tool} is missing", f"apt-get install {package}")
