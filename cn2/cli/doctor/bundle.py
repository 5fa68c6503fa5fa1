"""One file to send: the report as JSON and the logs, without secrets."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from cn2.cli.doctor.secrets import clean

_MOST = 2 << 20
"""Bytes of the end of each log."""


def write(path: Path, texts: Mapping[str, str], logs: Iterable[Path], values: set[str]) -> None:
    """Write a gzipped tar, readable by its owner alone; `texts` are clean already, logs are not.
    Raises OSError, also for a symbolic link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        # Whose file it was, and who might read it, counts no more.
        os.fchown(descriptor, os.geteuid(), os.getegid())
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in texts.items():
            _add(archive, name, text)
        for log in logs:
            _add(archive, f"log/{log.name}", clean(_end(log), values))


def _end(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(-min(_MOST, os.fstat(file.fileno()).st_size), os.SEEK_END)
            return file.read().decode(errors="replace")
    except OSError as error:
        return f"{log} can't be read: {error}\n"


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(f"cn2-doctor/{name}")
    entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
    archive.addfile(entry, io.BytesIO(data))
