"""Whether a data directory is free to be a system's, and its file system good enough."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid
from cn2.supervisor.preflight.finding import Finding

_ANOTHER = "choose another --data-dir"
_LEAST_FREE = 200 << 20
"""Bytes that must be free where the data directory is."""
_LEAST_FILES = 2000
_REMOTE = ("9p", "afs", "ceph", "cifs", "fuse.sshfs", "nfs", "nfs4", "smb3", "vboxsf", "virtiofs")
"""File systems whose locks and whose durability are another machine's matter."""


def is_systems(layout: Layout) -> bool:
    """Whether a system was started here that this user may look at."""
    return os.access(layout.root, os.R_OK | os.X_OK) and layout.used


def findings(layout: Layout, *, writes: bool) -> Iterator[Finding]:
    """What is wrong with it; with `writes` a file is made for a moment and taken away again."""
    root = layout.root
    place = root
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        yield Finding(f"{place} is not a directory", _ANOTHER)
        return
    yield from _claims(layout)
    yield from _file_system(place, writes=writes)


def _claims(layout: Layout) -> Iterator[Finding]:
    """Whose it is: the directory becomes its owner's alone, and everything mounted in it ours."""
    root = layout.root
    for parent in root.parents:
        if Layout(parent).used:
            yield Finding(f"{root} is inside the system in {parent}", _ANOTHER)
    if not os.access(root, os.R_OK | os.X_OK):
        return  # it is not there, or what is in it is root's to know
    if not layout.used and not layout.untouched:
        yield Finding(f"{root} is not empty and not a system's", _ANOTHER)
    elif _locked(layout.lock) and read_pid(layout.pid_file("supervisor")) is None:
        yield Finding(
            f"{root} is in use: {layout.lock} is locked",
            f"wait for the `cn2 up` that is just starting there, or {_ANOTHER}",
        )


def _locked(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _file_system(place: Path, *, writes: bool) -> Iterator[Finding]:
    about = os.statvfs(place)
    if about.f_flag & os.ST_RDONLY:
        yield Finding(f"{place} is on a read-only file system", f"remount it, or {_ANOTHER}")
        return
    kind = _kind(place)
    if kind in _REMOTE:
        yield Finding(f"{place} is on {kind}, a remote file system", f"{_ANOTHER} on a local disk")
    if about.f_flag & os.ST_NOEXEC:
        yield Finding(
            f"{place} is mounted noexec: pods can't run programs from their volumes",
            f"mount -o remount,exec, or {_ANOTHER}",
            stops=False,
        )
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE:
        yield Finding(
            f"Only {free >> 20} MiB are free at {place}, {_LEAST_FREE >> 20} are needed",
            f"make room, or {_ANOTHER}",
        )
    if about.f_files and about.f_favail < _LEAST_FILES:
        yield Finding(
            f"Only {about.f_favail} more files can be made at {place} (df -i)",
            f"delete some, or {_ANOTHER}",
        )
    if writes and free >= _LEAST_FREE:
        yield from _tried(place)


def _kind(place: Path) -> str:
    """The type of the file system that a path is on, as in /proc/mounts; "" when unknown."""
    device = place.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        head, _, tail = line.partition(" - ")
        if head.split()[2] == wanted:
            return tail.split()[0]
    return ""


def _tried(place: Path) -> Iterator[Finding]:
    """What a system does with its directory, done once: locks, sockets, durable writes."""
    try:
        with tempfile.TemporaryDirectory(prefix=".cn2-", dir=place) as directory:
            trial = Path(directory)
            with (trial / "lock").open("wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.write(b"x")
                file.flush()
                os.fsync(file.fileno())
            with socket.socket(socket.AF_UNIX) as one:
                descriptor = os.open(trial, os.O_PATH)
                try:
                    one.bind(f"/proc/self/fd/{descriptor}/s")
                finally:
                    os.close(descriptor)
            if not stat.S_ISSOCK((trial / "s").stat().st_mode):
                raise OSError("sockets become files")
    except OSError as error:
        yield Finding(
            f"{place} can't hold a system ({error.strerror or error}): locks, sockets and durable "
            "writes are needed",
            _ANOTHER,
        )
