"""Takes a system off the machine: processes, pods, mounts, namespaces, control groups.

Works from what is found, not from what a supervisor remembers, so that it cleans up after a
kill -9 of everything and after a reboot too. The store and the keys stay, unless asked for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterable

from cn2.drivers import mounts, netns
from cn2.drivers.cgroups import Cgroups
from cn2.drivers.processes import start_time
from cn2.supervisor import fabric
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid

_PATIENCE = 15.0
"""Seconds for processes to end by themselves after SIGTERM."""


def stop_supervisor(layout: Layout) -> None:
    """End the supervisor, which ends its processes; then whatever of them is left."""
    _end([layout.pid_file("supervisor")], layout)
    end_processes(layout)


def end_processes(layout: Layout) -> None:
    """End what a supervisor that was killed has left running; pods go on."""
    _end(
        [path for path in layout.run.glob("*.pid") if path.stem != "supervisor"]
        if layout.run.exists()
        else [],
        layout,
    )


def _end(pid_files: Iterable[os.PathLike[str]], layout: Layout) -> None:
    # Known by pid and start: a file of a process that ends is gone before the process is.
    waiting = {
        pid: start_time(pid)
        for path in map(layout.run.joinpath, pid_files)
        if (pid := read_pid(path)) is not None
    }
    for pid in waiting:
        _kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while waiting and time.monotonic() < deadline:
        time.sleep(0.02)
        waiting = {p: began for p, began in waiting.items() if began and start_time(p) == began}
    for pid in waiting:
        _kill(pid, signal.SIGKILL)


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def end_pods(layout: Layout) -> None:
    """Kill every process inside the system's namespaces and wait until they are gone."""
    deadline = time.monotonic() + _PATIENCE
    while found := fabric.processes_in_namespaces(layout):
        for pid in found:
            _kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)


def clean(layout: Layout) -> None:
    """Remove mounts, namespaces, run-time files and the pods' working directories."""
    for path in mounts.below(layout.root):
        mounts.detach(path)
    if layout.netns.exists():
        for path in list(layout.netns.iterdir()):
            netns.delete(path)
    for uid in [path.name for path in layout.pods.iterdir()] if layout.pods.exists() else []:
        Cgroups.found().remove_pod(uid)
    # An agent would keep the ports of pods that are gone until it is sure that they are.
    for directory in (layout.pods, layout.run, *layout.nodes.glob("*/ports")):
        if directory.exists():
            shutil.rmtree(directory)


def down(layout: Layout, *, purge: bool = False) -> None:
    """Take the whole system down; with `purge` the data directory goes as well.

    A directory that no system was ever started in is left alone, but for an empty one.
    """
    if layout.used:
        stop_supervisor(layout)
        end_pods(layout)
        clean(layout)
        if purge:
            shutil.rmtree(layout.root, ignore_errors=True)
    elif purge:
        with contextlib.suppress(OSError):
            layout.root.rmdir()
