"""Root, and the capabilities that root has outside of containers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cn2.supervisor.preflight.finding import Finding

_NEEDED = {
    0: "CAP_CHOWN",
    1: "CAP_DAC_OVERRIDE",
    5: "CAP_KILL",
    6: "CAP_SETGID",
    7: "CAP_SETUID",
    8: "CAP_SETPCAP",
    12: "CAP_NET_ADMIN",
    21: "CAP_SYS_ADMIN",
    27: "CAP_MKNOD",
}
"""capabilities(7) by number: namespaces, mounts and eBPF, and pods with users of their own."""


def lacking() -> list[Finding]:
    """What this process may not do."""
    if os.geteuid() != 0:
        return [
            Finding(
                "You are not root, and cn2 up makes network namespaces and loads eBPF",
                "run it with sudo",
            )
        ]
    missing = list(missing_capabilities(Path("/proc/self/status").read_text()))
    return [_without(missing)] if missing else []


def missing_capabilities(status: str) -> Iterator[str]:
    """The names of what is needed and not effective in a /proc/PID/status."""
    line = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    effective = int(line[1], 16) if line else 0
    for number, name in _NEEDED.items():
        if not effective >> number & 1:
            yield name


def _without(missing: Iterable[str]) -> Finding:
    return Finding(
        f"This root has no {', '.join(missing)}",
        "start it outside of the container, or the container with --privileged",
    )
