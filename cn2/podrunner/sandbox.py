"""Makes and removes sandboxes: process 1 with its namespaces. What is inside is others' work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cn2.drivers import netns
from cn2.drivers.processes import boot_id, start_time
from cn2.podrunner import children
from cn2.podrunner.place import PodPlace

_DISK_FILE_SYSTEMS = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "overlay", "squashfs", "erofs"}
_SYSTEM_DIRECTORIES = ("/usr", "/opt", "/srv", "/var", "/etc", "/lib", "/lib64", "/bin", "/sbin")


class SandboxFailed(Exception):
    """The sandbox could not be made; the text is cn2-init's."""


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Sandboxes of one node."""

    init: Path
    """The cn2-init binary."""
    host_mounts: tuple[str, ...] = ()

    async def make(self, place: PodPlace, hostname: str, groups: Sequence[Path] = ()) -> None:
        """Namespaces with process 1 in them, listening on its control socket.

        `groups` are the `cgroup.procs` that it joins, and everything in the pod with it.
        """
        place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.netns.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command: list[str | Path] = [self.init, "sandbox", place.directory, place.netns, hostname]
        command += [f"cgroup:{path}" for path in groups]
        done = await children.run([*command, *self.host_mounts], {})
        if done.code:
            raise SandboxFailed(done.errors.decode(errors="replace").strip() or "cn2-init failed")

    async def kill(self, place: PodPlace) -> None:
        """Ends process 1 and with it every process of the pod; returns when they are gone."""
        descriptor = pidfd(place)
        if descriptor is None:
            return
        try:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            await children.readable(descriptor)
        finally:
            os.close(descriptor)

    def clean(self, place: PodPlace) -> None:
        """Removes the network namespace and what belonged to process 1. Logs stay."""
        netns.delete(place.netns)
        for name in ("init", "init.new", "init.sock", "init.log"):
            (place.directory / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (place.directory / "root").rmdir()

    def forget(self, place: PodPlace) -> None:
        """Removes the rest: logs, exit records, the record itself."""
        shutil.rmtree(place.directory, ignore_errors=True)


def pidfd(place: PodPlace) -> int | None:
    """A descriptor of the sandbox's process 1; None when it is not running.

    The pid is believed only with the boot id and the start time that go with it.
    """
    try:
        pid, start, boot = place.identity.read_text().split()
        if boot != boot_id():
            return None
        descriptor = os.pidfd_open(int(pid))
    except (OSError, ValueError):
        return None
    if start_time(int(pid)) != int(start):
        os.close(descriptor)
        return None
    return descriptor


def is_alive(place: PodPlace) -> bool:
    descriptor = pidfd(place)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


async def ends(place: PodPlace, seconds: float) -> bool:
    """Whether the sandbox's process 1 is gone, or goes within this time."""
    descriptor = pidfd(place)
    if descriptor is None:
        return True
    try:
        async with asyncio.timeout(seconds):
            await children.readable(descriptor)
    except TimeoutError:
        return False
    finally:
        os.close(descriptor)
    return True


def pod_root(place: PodPlace) -> Path:
    """The root that process 1 sees, seen from here; its `volumes` are the pod's."""
    pid = place.identity.read_text().split()[0]
    return Path(f"/proc/{pid}/root")


def host_mounts() -> tuple[str, ...]:
    """Disk file systems mounted at system directories, which a view of `/` alone would lack."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, tail = line.partition(" - ")
        point = fields.split()[4]
        if tail.split()[0] in _DISK_FILE_SYSTEMS and point in _SYSTEM_DIRECTORIES:
            found.append(point)
    return tuple(dict.fromkeys(found))
