"""Reads log files to whoever asks, and goes on as they grow."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from cn2.podrunner.crilog import Entry, LogOptions, Selection, parse
from cn2.podrunner.inotify import DirectoryChanges

_CHUNK = 1 << 16

Ended = Callable[[], bool]
"""Whether no more will be written."""


_OLDER = 4
"""FILE.1 to FILE.4 are what rotation has set aside, the newest first (podinit/log.c)."""


class LogReader:
    """A growing file, followed through its rotation."""

    def __init__(self, path: Path, parse_line: Callable[[bytes], Entry | None]) -> None:
        self._path = path
        self._parse = parse_line
        self._files: list[BinaryIO] = []
        """Still to be read, oldest first; the last one grows."""
        self._rest = b""

    def entries(self) -> Iterator[Entry]:
        """What has been written since the last call; at the first one, everything."""
        self._find_files()
        while self._files:
            yield from self._rest_of_file()
            if len(self._files) == 1 and not self._find_files():
                return
            yield from self._rest_of_file()  # written between the last look and the rotation
            self._files.pop(0).close()

    def _rest_of_file(self) -> Iterator[Entry]:
        while chunk := self._files[0].read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from (entry for entry in map(self._parse, lines) if entry)

    def _find_files(self) -> bool:
        """Opens those that are newer than the one being read; false when there are none.

        From the newest to the oldest: what is renamed meanwhile is met twice, not missed.
        """
        known = _identity(self._files[-1]) if self._files else None
        found: list[BinaryIO] = []
        for number in range(_OLDER + 1):
            name = f"{self._path.name}.{number}" if number else self._path.name
            try:
                file = self._path.with_name(name).open("rb")
            except OSError:
                continue
            identity = _identity(file)
            if identity == known or any(identity == _identity(other) for other in found):
                file.close()
                if identity == known:
                    break
                continue
            found.append(file)
        self._files += reversed(found)
        return bool(found)

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._files.clear()


def _identity(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def plain(line: bytes) -> Entry:
    """A line of a process's own log, which carries no CRI head."""
    return Entry("", line + b"\n")


async def read(
    path: Path,
    wanted: LogOptions,
    *,
    ended: Ended,
    cri: bool = True,
) -> AsyncIterator[bytes]:
    """The log's bytes as asked for. With `follow` it goes on until `ended` says that no more
    will be written."""
    selection = Selection(wanted)
    reader = LogReader(path, parse if cri else plain)
    try:
        with DirectoryChanges(path.parent) as changes:
            over = ended()
            for entry in selection.last(reader.entries()):
                yield selection.render(entry)
                if selection.exhausted:
                    return
            while wanted.follow and not over:
                await changes.changed.wait()
                changes.changed.clear()
                over = ended()  # before reading, so that nothing written before it is missed
                for entry in reader.entries():
                    yield selection.render(entry)
                    if selection.exhausted:
                        return
    finally:
        reader.close()
