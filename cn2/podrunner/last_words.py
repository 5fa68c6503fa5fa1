"""Termination messages: what a container leaves behind to tell why it ended."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from cn2.api.kind import Object
from cn2.podrunner.crilog import parse
from cn2.podrunner.logs import LogReader
from cn2.podrunner.place import PodPlace
from cn2.podrunner.runs import Run
from cn2.podrunner.sandbox import pod_root
from cn2.podrunner.volumes import LAST_WORDS

_LONGEST = 4096
_LOG_LINES, _LOG_BYTES = 80, 2048
"""Of the end of the log, when that stands in for the message (kubelet's numbers)."""


def make_place_for(place: PodPlace, name: str, attempt: int) -> None:
    """The file that is mounted at the container's terminationMessagePath."""
    path = _path(place, name, attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(0o666)


def last_words(place: PodPlace, container: Object, run: Run) -> str:
    """The message of a run that has ended; "" when it left none."""
    name = container["name"]
    try:
        with _path(place, name, run.attempt).open("rb") as file:
            text = file.read(_LONGEST).decode(errors="replace")
    except OSError:
        text = ""
    policy = container.get("terminationMessagePolicy")
    if not text and policy == "FallbackToLogsOnError" and run.exit_code:
        return _end_of_log(place.log(name, run.attempt))
    return text


def _path(place: PodPlace, name: str, attempt: int) -> Path:
    return pod_root(place) / "volumes" / LAST_WORDS / name / str(attempt)


def _end_of_log(path: Path) -> str:
    reader = LogReader(path, parse)
    try:
        lines = deque((entry.text for entry in reader.entries()), maxlen=_LOG_LINES)
    finally:
        reader.close()
    return b"".join(lines)[-_LOG_BYTES:].decode(errors="replace")
