"""Which processes belong to a system, told by what they are, not by who remembers them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from cn2.drivers import netns
from cn2.drivers.processes import Known, everyone, known
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid

_INIT = "cn2-init"
_OUTSIDE_OF_PODS = (_INIT, "contrail-k8s-cn")
"""Short names of what belongs to pods without being in their pid namespace: the parent of their
processes and the CNI plugin."""


def supervisors(layout: Layout) -> list[Known]:
    """The one that is written down, and one that has not come so far."""
    found = {_recorded(layout, "supervisor")}
    found |= {one for one in everyone() if is_supervisor(one.words, str(layout.root))}
    return [one for one in found if one is not None]


def components(layout: Layout) -> list[Known]:
    """What a supervisor runs, also when it is gone."""
    names = [path.stem for path in layout.run.glob("*.pid") if path.stem != "supervisor"]
    found = {_recorded(layout, name) for name in names}
    found |= {one for one in everyone() if is_component(one.words, str(layout.root))}
    return [one for one in found if one is not None]


def is_supervisor(words: tuple[str, ...], root: str) -> bool:
    """Whether a command line is that of the supervisor of the system in `root`."""
    return words[1:6] == ("-m", "cn2.main", "supervise", "--data-dir", root)


def is_component(words: tuple[str, ...], root: str) -> bool:
    """Whether a command line is that of a process of the system in `root`."""
    return words[1:3] == ("-m", "cn2.main") and any(
        option == "--health-socket" and value.startswith(f"{root}/run/")
        for option, value in pairwise(words)
    )


def inside(layout: Layout) -> tuple[list[Known], list[Known]]:
    """Who is in the system's network namespaces: its pods' and its own processes, and others,
    who entered by themselves and are none of ours to end."""
    spaces = {path.stat().st_ino for path in layout.netns.glob("*") if netns.is_namespace(path)}
    home = Path("/proc/self/ns/pid").stat().st_ino
    ours, others = list[Known](), list[Known]()
    for one in everyone():
        if is_init(one, layout):
            ours.append(one)
        elif one.namespace("net") in spaces:
            in_pod = one.namespace("pid") != home or one.name in _OUTSIDE_OF_PODS
            (ours if in_pod or is_component(one.words, str(layout.root)) else others).append(one)
    return ours, others


def is_init(one: Known, layout: Layout) -> bool:
    """Whether it is the parent of a pod's processes, maybe not yet in the pod's namespaces."""
    pods = f"{layout.pods}/"
    return one.name == _INIT and any(word.startswith(pods) for word in one.words)


def _recorded(layout: Layout, name: str) -> Known | None:
    pid = read_pid(layout.pid_file(name))
    return known(pid) if pid is not None else None
