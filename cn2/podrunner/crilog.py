"""Container logs in the CRI format: lines, and which of them were asked for. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cn2.podrunner.runs import epoch


class BadOption(ValueError):
    """A query parameter that makes no sense."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What `kubectl logs` asks for."""

    follow: bool = False
    tail: int | None = None
    """Lines from the end."""
    since: float | None = None
    """Epoch seconds; earlier lines are left out."""
    timestamps: bool = False
    previous: bool = False
    limit: int | None = None
    """Bytes."""


def options(query: Mapping[str, str], now: float) -> LogOptions:
    """The options in a request's query."""
    since = None
    if query.get("sinceTime"):
        since = _time(query["sinceTime"])
    elif query.get("sinceSeconds"):
        since = now - _number(query, "sinceSeconds")
    return LogOptions(
        follow=_flag(query, "follow"),
        tail=_number(query, "tailLines") if query.get("tailLines") else None,
        since=since,
        timestamps=_flag(query, "timestamps"),
        previous=_flag(query, "previous"),
        limit=_number(query, "limitBytes") if query.get("limitBytes") else None,
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true")


def _time(text: str) -> float:
    try:
        return epoch(text)
    except ValueError as error:
        raise BadOption(f"sinceTime: {text!r} is not a time in UTC") from error


def _number(query: Mapping[str, str], name: str) -> int:
    try:
        number = int(query[name])
    except ValueError as error:
        raise BadOption(f"{name}: {query[name]!r} is not a number") from error
    if number < 0:
        raise BadOption(f"{name} must not be negative")
    return number


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a log file. `text` has its newline unless the line goes on."""

    stamp: str
    text: bytes

    @property
    def whole(self) -> bool:
        return self.text.endswith(b"\n")


def parse(line: bytes) -> Entry | None:
    """`<time> <stream> <F|P> <text>`, without its own newline; None for what is no such line."""
    parts = line.split(b" ", 3)
    if len(parts) != 4 or parts[2] not in (b"F", b"P"):
        return None
    ending = b"\n" if parts[2] == b"F" else b""
    return Entry(parts[0].decode(errors="replace"), parts[3] + ending)


class Selection:
    """Turns entries into what is sent, as the options want it. Keeps count of the limit."""

    def __init__(self, wanted: LogOptions) -> None:
        self._wanted = wanted
        self._left = wanted.limit
        self._fresh = True
        """Whether the next entry begins a line."""

    @property
    def exhausted(self) -> bool:
        return self._left is not None and self._left <= 0

    def last(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Those of the entries that are there already which are in the tail and in time."""
        entries = (entry for entry in entries if self._in_time(entry))
        if self._wanted.tail is None:
            return iter(entries)
        lines: deque[list[Entry]] = deque(maxlen=self._wanted.tail)
        line: list[Entry] = []
        for entry in entries:
            line.append(entry)
            if entry.whole:
                lines.append(line)
                line = []
        if line:
            lines.append(line)
        return (entry for line in lines for entry in line)

    def _in_time(self, entry: Entry) -> bool:
        return self._wanted.since is None or epoch(entry.stamp) >= self._wanted.since

    def render(self, entry: Entry) -> bytes:
        """The bytes of one entry, cut where the limit is."""
        head = f"{entry.stamp} ".encode() if self._wanted.timestamps and self._fresh else b""
        self._fresh = entry.whole
        data = head + entry.text
        if self._left is not None:
            data = data[: max(0, self._left)]
            self._left -= len(data)
        return data
