"""Whether the kernel says of itself that it will do."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from cn2.drivers.cgroups import Cgroups
from cn2.supervisor.preflight.finding import Finding

_FLOOR = (6, 1)
_MACHINES = ("x86_64", "aarch64")
_BTF = Path("/sys/kernel/btf/vmlinux")
_JIT = Path("/proc/sys/net/core/bpf_jit_enable")


def findings(*, root: bool) -> Iterator[Finding]:
    """What is wrong with the kernel, without trying anything."""
    if platform.machine() not in _MACHINES:
        yield Finding(
            f"This machine is a {platform.machine()}", f"use one of {', '.join(_MACHINES)}"
        )
    release = platform.release()
    if too_old(release):
        yield Finding(
            f"Linux {release} is too old", "boot 6.1 or later, Debian 12 has it (linux-image-amd64)"
        )
    if not _BTF.exists():
        yield Finding(
            f"This kernel has no {_BTF}, and eBPF can't be loaded without it",
            "boot one with CONFIG_DEBUG_INFO_BTF=y",
        )
    if _JIT.exists() and _JIT.read_text().strip() == "0":
        yield Finding(
            "eBPF is interpreted, which is slow",
            "sysctl net.core.bpf_jit_enable=1",
            stops=False,
        )
    without = Cgroups.found().missing
    if without and root:
        yield Finding(
            f"Pods have no limits of {' and '.join(without)}",
            "mount those control groups below /sys/fs/cgroup if you want some",
            stops=False,
        )


def too_old(release: str) -> bool:
    """Whether a kernel's release (`uname -r`) is below the floor; one that is no number is not."""
    numbers = re.match(r"(\d+)\.(\d+)", release)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < _FLOOR
