"""What a container sees of the host's files, which are its image: programs, not data.

Of the root directory only the directories of the system are shown; the others are empty or hidden,
so that neither people's files nor another system's data directory are in reach, wherever it is.
What only root may read below /etc is a secret of the host: a container's root would read it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_SHOWN = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "opt", "etc"}
_MADE = {"dev", "proc", "sys"}
"""Mounted by cn2-init."""
_EMPTY = {
    "tmp": 0o1777,
    "run": 0o755,
    "root": 0o700,
    "home": 0o755,
    "mnt": 0o755,
    "media": 0o755,
    "srv": 0o755,
    "var": 0o755,
}
_SECRET = (
    "etc/shadow",
    "etc/shadow-",
    "etc/gshadow",
    "etc/gshadow-",
    "etc/sudoers",
    "etc/sudoers.d",
    "etc/ssh",
    "etc/ssl/private",
    "etc/kubernetes",
    "etc/rancher",
    "etc/cni",
    "etc/cn2",
    "etc/letsencrypt",
    "etc/wireguard",
    "etc/NetworkManager/system-connections",
)
"""Hidden also when they appear later, or are readable by mistake."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """An empty directory that belongs to the container."""

    path: str
    mode: int
    owner: int = 0
    group: int = 0

    @property
    def record(self) -> str:
        return f"{self.mode:o}:{self.owner}:{self.group}:{self.path}"


@dataclass(frozen=True, slots=True)
class Host:
    """What all pods of this node see of it."""

    hide: tuple[str, ...] = ()
    """Paths where there is nothing to be seen."""
    fresh: tuple[Fresh, ...] = ()
    mounts: tuple[str, ...] = ()
    """Further file systems of the host's root, e.g. a separate /usr."""


def host_view(data_dir: Path, mounts: tuple[str, ...] = (), root: Path = Path("/")) -> Host:
    """Reads the directories of this host; files of others are not opened."""
    there = {entry.name: entry for entry in os.scandir(root)}
    known = _SHOWN | _MADE | _EMPTY.keys()
    unknown = [name for name, entry in there.items() if name not in known if not entry.is_symlink()]
    fresh = [Fresh(f"/{name}", mode) for name, mode in _EMPTY.items() if name in there]
    hide = {*(f"/{name}" for name in unknown), *(f"/{path}" for path in _SECRET)}
    hide |= {f"/{path.relative_to(root)}" for path in _private(root / "etc")}
    if data_dir.parts[1:2] and data_dir.parts[1] in _SHOWN:
        hide.add(str(data_dir))
    return Host(tuple(sorted(hide)), (*fresh, *_below_var(root)), mounts)


def _private(directory: Path) -> list[Path]:
    """What others than its owner may not read."""
    found = []
    for path, directories, files in os.walk(directory):
        here = Path(path)
        for name in (*directories, *files):
            mode = (here / name).lstat().st_mode
            if not stat.S_ISLNK(mode) and not mode & stat.S_IROTH:
                found.append(here / name)
        directories[:] = [name for name in directories if here / name not in found]
    return found


def _below_var(root: Path) -> list[Fresh]:
    """Programs expect their directories of /var/lib and the like: they are there, without what
    the host has in them."""
    firsts = sorted(filter(_is_directory, (root / "var").glob("*")))
    paths = [
        path
        for first in firsts
        for path in (first, *sorted(filter(_is_directory, first.iterdir())))
    ]
    return [_like(path, root) for path in paths]


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _like(path: Path, root: Path) -> Fresh:
    about = path.stat()
    return Fresh(
        f"/{path.relative_to(root)}", stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid
    )
