"""The ports of this node on disk: one file per container, written whole and durably.

A record holds the ADD's input and every interface that was plugged for it, so that DEL needs no
namespace and no API, and so that a new agent knows its ports. It is written before the datapath
is touched: what may exist is always recorded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cn2.plan.node.attachment import Plugged


class Record(msgspec.Struct, frozen=True):
    """One container's attachments."""

    container: str
    netns: str
    interface: str
    """CNI_IFNAME of the ADD."""
    arguments: dict[str, str]
    """CNI_ARGS."""
    config: dict[str, Any]
    """The network configuration."""
    ports: tuple[Plugged, ...]
    boot_id: str
    """Ports of an earlier boot are gone with it, whatever their record says."""


class Records:
    """Records by container id, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def all(self) -> Iterator[Record]:
        """Every record; a file that cannot be read stops the agent, never loses ports silently."""
        for path in sorted(self._directory.glob("*.json")):
            yield msgspec.json.decode(path.read_bytes(), type=Record)

    def read(self, container: str) -> Record:
        return msgspec.json.decode(self._path(container).read_bytes(), type=Record)

    def write(self, record: Record) -> None:
        path = self._path(record.container)
        scratch = path.with_suffix(".tmp")
        with scratch.open("wb") as file:
            file.write(msgspec.json.encode(record))
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)
        self._sync_directory()

    def remove(self, container: str) -> None:
        self._path(container).unlink(missing_ok=True)
        self._sync_directory()

    def _path(self, container: str) -> Path:
        return self._directory / f"{container}.json"

    def _sync_directory(self) -> None:
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
