"""Reads log files to whoever asks, and goes on as they grow."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from cn2.podrunner.crilog import Entry, LogOptions, Selection, parse
from cn2.podrunner.inotify import DirectoryChanges

_CHUNK = 1 << 16

Ended = Callable[[], bool]
"""Whether no more will be written."""


class LogReader:
    """A growing file, followed through its rotation (FILE becomes FILE.1)."""

    def __init__(self, path: Path, parse_line: Callable[[bytes], Entry | None]) -> None:
        self._path = path
        self._parse = parse_line
        self._file: BinaryIO | None = None
        self._rest = b""

    def earlier(self) -> Iterator[Entry]:
        """What rotation has set aside before this reader came."""
        self._open()
        yield from self._set_aside()

    def more(self) -> Iterator[Entry]:
        """What has been written since the last call."""
        while self._open():
            yield from self._rest_of_file()
            if not self._rotated():
                return
            yield from self._rest_of_file()  # written between the last look and the rotation
            yield from self._set_aside()
            self.close()

    def _rest_of_file(self) -> Iterator[Entry]:
        assert self._file is not None
        while chunk := self._file.read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from (entry for entry in map(self._parse, lines) if entry)

    def _set_aside(self) -> Iterator[Entry]:
        """All of FILE.1, unless it is the file that we read: it came and went unseen."""
        try:
            older = self._path.with_name(self._path.name + ".1").open("rb")
        except OSError:
            return
        with older:
            if self._file is None or not os.path.sameopenfile(older.fileno(), self._file.fileno()):
                for line in older:
                    entry = self._parse(line.rstrip(b"\n"))
                    if entry:
                        yield entry

    def _open(self) -> bool:
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except OSError:
                return False
        return True

    def _rotated(self) -> bool:
        assert self._file is not None
        try:
            return os.fstat(self._file.fileno()).st_ino != self._path.stat().st_ino
        except OSError:
            return False

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


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
            for entry in selection.last(chain(reader.earlier(), reader.more())):
                yield selection.render(entry)
                if selection.exhausted:
                    return
            while wanted.follow and not over:
                await changes.changed.wait()
                changes.changed.clear()
                over = ended()  # before reading, so that nothing written before it is missed
                for entry in reader.more():
                    yield selection.render(entry)
                    if selection.exhausted:
                        return
    finally:
        reader.close()
