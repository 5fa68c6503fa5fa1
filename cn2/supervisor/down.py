"""Takes a system off the machine: processes, pods, mounts, namespaces, control groups.

Works from what is found, not from what a supervisor remembers, so that it cleans up after a
kill -9 of everything and after a reboot too. The store and the keys stay, unless asked for.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cn2.drivers import mounts, netns
from cn2.drivers.cgroups import Cgroups
from cn2.drivers.processes import Known
from cn2.supervisor import census
from cn2.supervisor.layout import Layout

Say = Callable[[str], None]

_PATIENCE = 15.0
"""Seconds for processes to end by themselves after SIGTERM, and after SIGKILL for the kernel."""
_SILENCE = 2.0
"""Seconds of waiting before it is said for what."""
_POLL = 0.02


def down(layout: Layout, *, purge: bool = False, say: Say = lambda _: None) -> list[str]:
    """Take the whole system down; with `purge` the data directory goes as well.

    A directory that no system was ever started in is left alone, but for an empty one. `say` hears
    what is waited for. Returns what could not be cleaned up, with the reason.
    """
    if not layout.used:
        if purge and layout.root.is_dir() and layout.untouched:
            shutil.rmtree(layout.root)
        return []
    left = [
        *_end(census.supervisors(layout), say),
        *end_processes(layout, say),
        *_end_pods(layout, say),
        *_clean(layout),
    ]
    if purge:
        left += _removed(layout.root)
    return left


def end_processes(layout: Layout, say: Say = lambda _: None) -> list[str]:
    """End what a supervisor that was killed has left running; pods go on."""
    return _end(census.components(layout), say)


def _end(processes: Iterable[Known], say: Say) -> list[str]:
    """SIGTERM, and SIGKILL for who takes no notice; who is left even then."""
    waiting = list(processes)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in waiting:
            one.send(number)
        waiting = _outlasting(waiting, say)
    return [f"{one} can't be ended" for one in waiting]


def _outlasting(processes: list[Known], say: Say) -> list[Known]:
    """Wait for processes to end; those which do not."""
    began, told = time.monotonic(), False
    while waiting := [one for one in processes if one.alive]:
        passed = time.monotonic() - began
        if passed > _PATIENCE:
            break
        if passed > _SILENCE and not told:
            told = True
            say(f"Waiting for {_list(waiting)} to end.")
        time.sleep(_POLL)
    return waiting


def _list(processes: list[Known], *, most: int = 5) -> str:
    shown = ", ".join(map(str, processes[:most]))
    return shown if len(processes) <= most else f"{shown} and {len(processes) - most} more"


def _end_pods(layout: Layout, say: Say) -> Iterator[str]:
    """Kill every process of the pods, with no grace, and wait until they are gone."""
    began = time.monotonic()
    while (ours := census.inside(layout)[0]) and time.monotonic() - began < _PATIENCE:
        for one in ours:
            one.send(signal.SIGKILL)
        _outlasting(ours, say)
    yield from (f"{one} can't be ended" for one in ours)
    for one in census.inside(layout)[1]:
        yield f"{one} entered one of the system's network namespaces and keeps it until it ends"


def _clean(layout: Layout) -> list[str]:
    """Remove mounts, namespaces, run-time files and the pods' working directories."""
    left = []
    for path in mounts.below(layout.root):
        left += _tried(mounts.detach, path, "can't be unmounted")
    for path in layout.netns.glob("*"):
        left += _tried(netns.delete, path, "can't be removed")
    cgroups = Cgroups.found()
    for pod in layout.pods.glob("*"):
        cgroups.remove_pod(pod.name)
    # An agent would keep the ports of pods that are gone until it is sure that they are.
    for directory in (layout.pods, layout.run, *layout.nodes.glob("*/ports")):
        left += _removed(directory)
    return left


def _tried(work: Callable[[Path], None], path: Path, cannot: str) -> list[str]:
    try:
        work(path)
    except OSError as error:
        return [f"{path} {cannot}: {error.strerror or error}"]
    return []


def _removed(directory: Path) -> list[str]:
    """Remove a tree; what stays and why. A mount point at its top stays, emptied."""
    left: list[str] = []

    def note(_call: object, path: str, about: tuple[object, BaseException, object]) -> None:
        error = about[1]
        mounted = path == str(directory) and directory.is_mount()
        if not isinstance(error, FileNotFoundError) and not mounted:
            why = getattr(error, "strerror", None) or error
            left.append(f"{path} can't be removed: {why}")

    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory, onerror=note)
    return left
