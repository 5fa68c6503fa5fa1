"""Puts a pod's files where its containers see them: the volumes directory of its process 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cn2.api.kind import Object
from cn2.podrunner.environment import Facts
from cn2.podrunner.place import PodPlace
from cn2.podrunner.sandbox import pod_root
from cn2.podrunner.volumes import ETC, Fetched, etc_files, volume_files


def fill(place: PodPlace, pod: Object, facts: Facts, fetched: Fetched, *, dns: str) -> None:
    """Writes every volume and the /etc files; again later, it renews what has changed.

    Raises `MissingSource` when something that is referred to is not there.
    """
    root = pod_root(place) / "volumes"
    volumes = {
        volume["name"]: volume_files(pod, volume, facts, fetched.lookup, fetched.tokens)
        for volume in pod["spec"].get("volumes") or []
    }
    _write(root / ETC, etc_files(pod, facts, dns=dns))
    for name, files in volumes.items():
        directory = root / name
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o755 if files else 0o777)
        _write(directory, files)


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == content:
            continue
        if directory.name == ETC:
            path.write_bytes(content)  # mounted as a file: it must stay the same inode
            continue
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.replace(path)
