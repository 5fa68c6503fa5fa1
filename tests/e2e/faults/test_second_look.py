"""A system at rest writes nothing, however often its processes and its users look again."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubectls
import pytest
from convergence import settle, stored
from machine import Machine
from networks import network, pod, together
from sockets import ask, is_ready

from cn2.api.kubernetes.mirror import is_mirror
from cn2.supervisor.layout import Layout
from cn2.supervisor.pids import read_pid
from cn2.supervisor.planes import WORKLOADS

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(240)]

NETWORKS, PODS, SERVICES = 30, 20, 5
CONTROLLERS = ("controller", "kubemanager", "localkube")
RESTARTED = (*CONTROLLERS, "agent", "podrunner")
TIMES = 100
_REST = 0.3
"""Seconds without a reconcile after which a controller has seen everything."""
_COUNT = re.compile(rb"^cn2_reconciles_total\{.*\} ([\d.]+)", re.MULTILINE)
_BACKLOG = re.compile(rb"^cn2_queue_depth\{.*\} (?!0\.0)", re.MULTILINE)


def services() -> Iterator[str]:
    for number in range(SERVICES):
        yield json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": f"service-{number}"},
                "spec": {"selector": {"test": "e2e"}, "ports": [{"port": 80 + number}]},
            }
        )


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        machine.apply(
            together(
                *(network(f"net-{number}", f"172.20.{number}.0/24") for number in range(NETWORKS)),
                *(pod(f"pod-{number}", f"net-{number}") for number in range(PODS)),
                *services(),
            )
        )
        rest(machine)
        yield machine


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """The keys whose values differ."""
    return sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))


def shown(machine: Machine) -> dict[str, Any]:
    """The pods that show the processes, by uid."""
    return {
        item["metadata"]["uid"]: item for item in machine.items("pods", "-A") if is_mirror(item)
    }


def restarts(mirror: Any) -> int:
    """Of a process that is ready again; -1 of one that is not."""
    status = mirror["status"]["containerStatuses"][0]
    return int(status["restartCount"]) if status["ready"] else -1


def at_rest(layout: Layout, process: str) -> bool:
    """Whether a controller has looked at everything."""

    def count() -> float:
        _, text = ask(layout.health_socket(process), "metrics")
        return -1 if _BACKLOG.search(text) else sum(map(float, _COUNT.findall(text)))

    first = count()
    time.sleep(_REST)
    return first > 0 and first == count()


def rest(machine: Machine) -> None:
    """Wait until all is as it must be, and nobody has anything left to look at."""
    settle(machine)
    layout = Layout(machine.data_dir)
    for process in CONTROLLERS:
        machine.until(lambda process=process: at_rest(layout, process), f"{process} rests")


def may_move(machine: Machine) -> set[str]:
    """Signs of life: the node's lease and heartbeat, and the objects that show the processes,
    which count their restarts."""
    found = {"/registry/coordination.k8s.io/leases/kube-node-lease/node1"}
    found.add("/registry/core/nodes/-/node1")
    for workload in WORKLOADS:
        for key in stored(machine):
            group, _, place = key.removeprefix("/registry/").partition("/")
            of_it = f"/{workload.namespace}/{workload.name}" in place
            if of_it and group in ("apps", "core"):
                found.add(key)
    return found


def test_restarted_processes_write_nothing(machine: Machine) -> None:
    """kill -9 of everything that looks after something: what comes after it finds all well."""
    layout = Layout(machine.data_dir)
    rest(machine)
    before, first = stored(machine), shown(machine)
    for process in RESTARTED:
        pid = read_pid(layout.pid_file(process))
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    machine.until(
        lambda: (
            sum(
                restarts(mirror) == restarts(first[uid]) + 1
                for uid, mirror in shown(machine).items()
            )
            == len(RESTARTED)
        ),
        "all are shown as restarted",
    )
    rest(machine)
    moved = changed(before, stored(machine))

    assert all(is_ready(layout.health_socket(process)) for process in RESTARTED)
    assert set(moved) - may_move(machine) == set()


@pytest.mark.parametrize("kubectl", kubectls.BOTH)
@pytest.mark.parametrize("options", [(), ("--server-side",)], ids=["client", "server"])
def test_applied_a_hundred_times(
    machine: Machine, tmp_path: Path, kubectl: str, options: tuple[str, ...]
) -> None:
    """The same manifests move no resourceVersion."""
    machine.kubectl_path = kubectl
    old = kubectl == str(kubectls.DEBIAN)
    name = f"again-{'server' if options else 'client'}-{'old' if old else 'new'}"
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "none"}]},
            },
        },
    }
    file = tmp_path / "all.json"
    file.write_text(
        together(
            network(name, "172.21.0.0/24", routeTargetList=["target:64512:77"]),
            json.dumps(deployment),
            next(services()),
        )
    )
    apply = ("apply", *options)
    machine.kubectl(*apply, "-f", str(file))
    rest(machine)
    before = stored(machine)
    again = [option for _ in range(TIMES) for option in ("-f", str(file))]
    answers = machine.kubectl(*apply, *again).splitlines()
    moved = changed(before, stored(machine))
    machine.kubectl("delete", "-f", str(file))

    assert len(answers) == TIMES * 3
    assert set(moved) - may_move(machine) == set()
