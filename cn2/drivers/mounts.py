"""Mounts below a data directory: BPF file systems, bound namespaces, and their end."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from pathlib import Path

_BPF_FS_MAGIC = 0xCAFE4A11
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_ESCAPED = re.compile(rb"\\([0-7]{3})")

_libc = ctypes.CDLL(None, use_errno=True)


def mount_bpffs(path: Path) -> None:
    """Mount a bpf file system at `path` unless there is one already."""
    path.mkdir(parents=True, exist_ok=True)
    if not _is_bpffs(path):
        _mount(b"bpf", path, b"bpf", 0, b"mode=0700")


def bind(source: str, target: Path) -> None:
    """Show the file `source` at `target`, which must exist."""
    _mount(source.encode(), target, b"none", _MS_BIND, None)


def make_private(path: Path) -> None:
    """Keep to this namespace what is mounted from now on at a mount point and below."""
    _mount(b"none", path, b"none", _MS_REC | _MS_PRIVATE, None)


def mount_tmpfs(path: Path) -> None:
    """Cover a directory with an empty file system in memory."""
    _mount(b"tmpfs", path, b"tmpfs", 0, b"mode=0700")


def mount_overlay(path: Path, *, lower: Path, upper: Path, work: Path) -> None:
    """Show `lower` at `path`, with changes kept in `upper`."""
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    _mount(b"overlay", path, b"overlay", 0, os.fsencode(options))


def detach(path: Path) -> None:
    """Unmount lazily: what uses it keeps it for itself. A path without a mount is fine."""
    if _libc.umount2(os.fsencode(path), _MNT_DETACH) != 0:
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOENT):
            raise OSError(code, f"umount: {os.strerror(code)}", str(path))


def below(root: Path) -> list[Path]:
    """Everything that is mounted below a directory (a path without links), innermost first."""
    found = [
        Path(os.fsdecode(_ESCAPED.sub(lambda octal: bytes([int(octal[1], 8)]), line.split()[4])))
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines()
    ]
    inside = [path for path in found if path != root and path.is_relative_to(root)]
    return sorted(inside, key=lambda path: len(path.parts), reverse=True)


def _mount(source: bytes, target: Path, kind: bytes, flags: int, options: bytes | None) -> None:
    if _libc.mount(source, os.fsencode(target), kind, flags, options) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {source.decode()}: {os.strerror(code)}", str(target))


def _is_bpffs(path: Path) -> bool:
    buffer = ctypes.create_string_buffer(256)
    if _libc.statfs(os.fsencode(path), buffer) != 0:
        return False
    return ctypes.c_long.from_buffer(buffer).value == _BPF_FS_MAGIC
