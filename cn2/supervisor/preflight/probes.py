"""Parts of the kernel, tried out in namespaces that end with the trial."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cn2.drivers import mounts
from cn2.drivers.bpf import smallest
from cn2.drivers.netlink import link, tc
from cn2.drivers.netlink.connection import Netlink
from cn2.supervisor.preflight.finding import Finding

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_SCRATCH = Path("/proc")
"""Covered by a file system of its own in a namespace of its own; it is always there."""
_NAME = "cn2trial"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Probe:
    """A trial, which raises OSError when the kernel can't, in a fresh namespace."""

    what: str
    options: str
    """How the kernel's configuration calls it."""
    namespace: int
    """Flag of unshare(2); 0 for the machine's own."""
    limit: str
    """The sysctl that bounds the number of such namespaces."""
    trial: Callable[[], None]


def _nothing() -> None:
    pass


def _map() -> None:
    os.close(smallest.new_map())


def _program() -> None:
    os.close(smallest.new_program())


def _veth() -> None:
    with Netlink() as netlink:
        netlink.request(link.create(_NAME, "veth"))


def _bridge() -> None:
    with Netlink() as netlink:
        netlink.request(link.create(_NAME, "bridge"))


def _filter() -> None:
    program = smallest.new_program()
    try:
        with Netlink() as netlink:
            netlink.request(link.create(_NAME, "veth"))
            index = next(one.index for one in link.links(netlink) if one.name == _NAME)
            netlink.request(*tc.attach(index, program, _NAME))
    finally:
        os.close(program)


def _tmpfs() -> None:
    mounts.make_private(Path("/"))
    mounts.mount_tmpfs(_SCRATCH)


def _bpffs() -> None:
    _tmpfs()
    mounts.mount_bpffs(_SCRATCH / "bpf")


def _overlay() -> None:
    _tmpfs()
    lower, upper, work, root = (_SCRATCH / name for name in ("lower", "upper", "work", "root"))
    for directory in (lower, upper, work, root):
        directory.mkdir()
    mounts.mount_overlay(root, lower=lower, upper=upper, work=work)


_NETWORK, _MOUNTS = "user.max_net_namespaces", "user.max_mnt_namespaces"
PROBES = (
    Probe("maps of eBPF", "CONFIG_BPF_SYSCALL", 0, "", _map),
    Probe("programs of eBPF", "CONFIG_BPF_SYSCALL", 0, "", _program),
    Probe("network namespaces", "CONFIG_NET_NS", _CLONE_NEWNET, _NETWORK, _nothing),
    Probe("veth links", "CONFIG_VETH", _CLONE_NEWNET, _NETWORK, _veth),
    Probe("bridges", "CONFIG_BRIDGE", _CLONE_NEWNET, _NETWORK, _bridge),
    Probe(
        "eBPF filters on links",
        "CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF",
        _CLONE_NEWNET,
        _NETWORK,
        _filter,
    ),
    Probe("mount namespaces", "CONFIG_NAMESPACES", _CLONE_NEWNS, _MOUNTS, _nothing),
    Probe("tmpfs", "CONFIG_TMPFS", _CLONE_NEWNS, _MOUNTS, _tmpfs),
    Probe("bpf file systems", "CONFIG_BPF_SYSCALL", _CLONE_NEWNS, _MOUNTS, _bpffs),
    Probe("overlay file systems", "CONFIG_OVERLAY_FS", _CLONE_NEWNS, _MOUNTS, _overlay),
)


def findings() -> Iterator[Finding]:
    """What the kernel lacks, or does not let us do although we are root."""
    seen = set[Finding]()
    for probe in PROBES:
        error = _outcome(probe)
        if error is not None:
            finding = explained(probe, error)
            if finding not in seen:  # one cause stops several trials
                seen.add(finding)
                yield finding


def explained(probe: Probe, error: OSError) -> Finding:
    """What a trial's failure means and what to do about it."""
    if error.errno in (errno.EPERM, errno.EACCES):
        what = "eBPF" if "BPF" in probe.options else probe.what
        return Finding(
            f"This root may not use {what} ({error.strerror})",
            "end what forbids it: a container's seccomp profile (start it with --privileged), "
            "a security module or the kernel's lockdown",
        )
    if error.errno in (errno.ENOSPC, errno.EUSERS) and probe.limit:
        return Finding(f"No more {probe.what} may be made", f"sysctl {probe.limit}=10000")
    return Finding(
        f"This kernel has no {probe.what} ({error.strerror})", f"boot one with {probe.options}"
    )


def _outcome(probe: Probe) -> OSError | None:
    """What the trial failed with; it has a thread of its own, as namespaces belong to threads."""
    failure: list[OSError] = []

    def attempt() -> None:
        try:
            if probe.namespace and _libc.unshare(probe.namespace) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
            probe.trial()
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=attempt, name=f"try {probe.what}")
    thread.start()
    thread.join()
    return failure[0] if failure else None
