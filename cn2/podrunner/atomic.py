"""Writes the files of a volume so that readers see all of one version or all of another.

As kubelet's AtomicWriter: the files lie in a directory of their own, `..data` is a link to it that
is replaced by a rename, and the names that users see are links through `..data`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = "..data"
_VERSION = re.compile(r"\.\.[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class File:
    """`owner` is a user id, `group` a group id; 0 is root."""

    content: bytes
    mode: int = 0o644
    owner: int = 0
    group: int = 0


def write_files(directory: Path, files: Mapping[str, File]) -> bool:
    """Makes the files, by path below `directory`, all that is there. Whether something changed."""
    before = _target(directory)
    if before is not None and _same(directory / before, files):
        return False
    fresh = directory / f"..{secrets.token_hex(8)}"
    try:
        _write_all(fresh, files)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    link = directory / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(directory / DATA)
    tops = {path.partition("/")[0] for path in files}
    for name in tops:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{DATA}/{name}")
    for entry in list(directory.iterdir()):
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()
    if before is not None:
        shutil.rmtree(directory / before, ignore_errors=True)
    return True


def present(directory: Path) -> str:
    """Name of the directory below `directory` that has the files now, "" when none has."""
    return _target(directory) or ""


def _target(directory: Path) -> str | None:
    """Never a path: what it leads to is removed one day."""
    try:
        name = str((directory / DATA).readlink())
    except OSError:
        return None
    return name if _VERSION.fullmatch(name) else None


def _same(directory: Path, files: Mapping[str, File]) -> bool:
    there = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    return there == set(files) and all(
        _equals(directory / path, file) for path, file in files.items()
    )


def _equals(path: Path, file: File) -> bool:
    about = path.stat()
    return (
        about.st_mode & 0o7777 == file.mode
        and (about.st_uid, about.st_gid) == (file.owner, file.group)
        and path.read_bytes() == file.content
    )


def _write_all(directory: Path, files: Mapping[str, File]) -> None:
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    for name, file in files.items():
        path = directory / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(file.content)
            os.fchown(out.fileno(), file.owner, file.group)
            os.fchmod(out.fileno(), file.mode)
