"""The ports of this node on disk: one file per container, always whole.

A record holds the ADD's input and every interface that was plugged for it, so that DEL needs no
namespace and no API, and so that a new agent knows its ports. It is written before the datapath
is touched: what may exist is always recorded.

Records must survive the agent, not the machine: ports end with the boot, and so do the records of
it. A rename is enough for that; a sync to the disk, which would cost every ADD a millisecond,
would only save what the next boot throws away. A file that cannot be read is of an earlier boot
then, cut short by a power failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cn2.drivers.processes import boot_id
from cn2.plan.node.attachment import Plugged

FORMAT = 1


class NewerRecord(Exception):
    """A port of this boot was written down by a newer agent; nothing was touched."""


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
    format: int = FORMAT


class Records:
    """Records by container id, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def all(self) -> Iterator[Record]:
        """Every record of this boot; what an earlier one left is removed. Raises NewerRecord."""
        now = boot_id()
        for path in sorted(self._directory.glob("*.json")):
            record = _decode(path, now)
            if record is None:
                path.unlink()
            else:
                yield record

    def read(self, container: str) -> Record:
        return msgspec.json.decode(self._path(container).read_bytes(), type=Record)

    def write(self, record: Record) -> None:
        path = self._path(record.container)
        scratch = path.with_suffix(".tmp")
        scratch.write_bytes(msgspec.json.encode(record))
        scratch.rename(path)

    def remove(self, container: str) -> None:
        self._path(container).unlink(missing_ok=True)

    def _path(self, container: str) -> Path:
        return self._directory / f"{container}.json"


def _decode(path: Path, boot: str) -> Record | None:
    """A record of this boot, None for what an earlier one left."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    if found.get("boot_id") != boot:
        return None
    if found.get("format", FORMAT) > FORMAT:
        raise NewerRecord(
            f"{path} is of format {found['format']}, this agent knows {FORMAT}: run the cn2 that"
            " wrote it, or take the system down first (cn2 down)"
        )
    return msgspec.convert(found, Record)
