"""Puts a pod's files where its containers see them: the volumes directory of its process 1."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cn2.podrunner.atomic import File, present, write_files
from cn2.podrunner.initlink import ask
from cn2.podrunner.place import PodPlace
from cn2.podrunner.sandbox import pod_root
from cn2.podrunner.volumes import ETC, EmptyDir


async def fill(place: PodPlace, volumes: Mapping[str, EmptyDir | dict[str, File]]) -> None:
    """Makes every volume that is not there yet, and renews the files of the others."""
    for name, wanted in volumes.items():
        directory = pod_root(place) / "volumes" / name
        fresh = not directory.exists()
        if fresh:
            directory.mkdir(mode=0o755)
        if isinstance(wanted, EmptyDir):
            if fresh:
                await _make_empty(place, directory, wanted)
        else:
            write_files(directory, wanted)


async def _make_empty(place: PodPlace, directory: Path, wanted: EmptyDir) -> None:
    if wanted.size is not None:
        request = [("op", "tmpfs"), ("volume", directory.name), ("size", str(wanted.size))]
        await ask(place.directory, request)
    os.chown(directory, 0, wanted.group)
    directory.chmod(wanted.mode)


def write_etc(place: PodPlace, files: Mapping[str, bytes]) -> None:
    """The pod's own files of /etc. They are mounted one by one: each keeps its inode."""
    directory = pod_root(place) / "volumes" / ETC
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)


def versions(place: PodPlace) -> dict[str, str]:
    """By volume with files: the directory in it that holds them now. What is mounted from there
    stays as it is when the volume changes, as with kubelet."""
    try:
        volumes = list((pod_root(place) / "volumes").iterdir())
    except OSError:
        return {}
    return {volume.name: found for volume in volumes if (found := present(volume))}
