"""What the pod runner writes down of a sandbox, so that the next one can take it over."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from cn2.podrunner.cni_conf import NetworkConf
from cn2.podrunner.initlink import run_of
from cn2.podrunner.place import PodPlace
from cn2.podrunner.records import decode, decode_lines
from cn2.podrunner.runs import Run

_KEPT_RUNS = 2
"""The present or last run of a container and the one before it (`kubectl logs --previous`)."""


class SandboxRecord(msgspec.Struct, kw_only=True):
    """The contents of sandbox.json."""

    uid: str
    node: str
    """Whose pod it is: nodes of one machine share the directory."""
    namespace: str
    name: str
    started: str
    """status.startTime"""
    sandbox: str = ""
    """Id of the present sandbox, CNI_CONTAINERID; "" when there is none."""
    ready: bool = False
    """The network is up and the volumes are filled."""
    network: NetworkConf | None = None
    """The configuration that ADD was called with, for DEL."""
    result: dict[str, Any] | None = None
    """What ADD answered."""
    calm: dict[str, int] = msgspec.field(default_factory=dict)
    refusal: str = ""
    failure: str = ""

    def metadata(self) -> dict[str, Any]:
        """As much of the pod as CNI calls need."""
        return {"metadata": {"namespace": self.namespace, "name": self.name, "uid": self.uid}}


def write(place: PodPlace, record: SandboxRecord) -> None:
    """Replaces the record as a whole."""
    fresh = place.record.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(record))
    fresh.replace(place.record)


def read(place: PodPlace) -> SandboxRecord | None:
    """The record, None when there is none that can be read."""
    try:
        return msgspec.json.decode(place.record.read_bytes(), type=SandboxRecord)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def read_runs(place: PodPlace) -> dict[str, tuple[Run, ...]]:
    """The runs that are on disk, by container, oldest first."""
    found: dict[str, tuple[Run, ...]] = {}
    parent = place.directory / "containers"
    for directory in sorted(parent.iterdir()) if parent.is_dir() else []:
        runs = [_read_run(path) for path in directory.glob("*.state")]
        known = sorted((run for run in runs if run), key=lambda run: run.attempt)
        if known:
            found[directory.name] = tuple(known[-_KEPT_RUNS:])
    return found


def _read_run(path: Path) -> Run | None:
    try:
        return run_of(decode_lines(path.read_text()))[1]
    except (OSError, KeyError, ValueError):
        return None


def image(place: PodPlace, name: str, attempt: int) -> str | None:
    """The image that a run was started with; None when nobody knows."""
    try:
        return dict(decode(place.spec(name, attempt).read_bytes())).get("image")
    except OSError:
        return None


def amend_run(place: PodPlace, name: str, attempt: int, **facts: str) -> None:
    """Adds to a run's state what process 1 could not know: oom, or an end that nobody saw."""
    with place.state(name, attempt).open("a") as file:
        for key, value in facts.items():
            file.write(f"{key}={value}\n")


def drop_old_runs(place: PodPlace, name: str, attempt: int) -> None:
    """Removes the files of runs that nobody can ask for any more."""
    for path in place.container(name).glob("*"):
        number = path.name.partition(".")[0]
        if number.isdigit() and int(number) <= attempt - _KEPT_RUNS:
            with contextlib.suppress(OSError):
                path.unlink()
