"""Settings in plane objects reach the processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from machine import Machine
from networks import network

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


def _kubemanager(machine: Machine) -> Any:
    """The kubemanager's pod, when there is one and it is ready."""
    pods = machine.items("pod", "-n", "contrail", "-l", "app=contrail-k8s-kubemanager")
    if len(pods) != 1 or not pods[0].get("status", {}).get("containerStatuses"):
        return None
    return pods[0] if pods[0]["status"]["containerStatuses"][0]["ready"] else None


def _switch(machine: Machine, value: bool) -> None:
    """Edit the Kubemanager object and wait until the process runs with it."""
    machine.kubectl(
        *("patch", "kubemanager", "contrail-k8s-kubemanager", "-n", "contrail", "--type=merge"),
        *("-p", json.dumps({"spec": {"enableNad": value}})),
    )
    wanted = {"name": "KUBEMANAGER_ENABLE_NAD", "value": str(value).lower()}
    machine.until(
        lambda: (pod := _kubemanager(machine)) and wanted in pod["spec"]["containers"][0]["env"],
        f"the kubemanager runs with {wanted}",
    )


def test_enable_nad(machine: Machine) -> None:
    """Off: NADs are ignored, old ones can be deleted. On again: they are taken up untouched."""
    machine.apply(network("old", "172.16.40.0/24"))
    machine.until(lambda: machine.get("vn", "old"))
    process = machine.until(lambda: _kubemanager(machine))
    began = process["status"]["containerStatuses"][0]["containerID"]
    _switch(machine, False)
    now = _kubemanager(machine)["status"]["containerStatuses"][0]["containerID"]
    machine.apply(network("new", "172.16.41.0/24"))
    # Deleting the old one goes through kubemanager's queue: when it is gone, the new one was seen.
    machine.kubectl("delete", "net-attach-def", "old", "--timeout=20s")
    ignored = machine.get("net-attach-def", "new")

    assert began != now
    assert machine.get("vn", "old") is None
    assert machine.get("vn", "new") is None
    assert machine.get("subnet", "new-v4") is None
    assert "finalizers" not in ignored["metadata"]
    assert "juniper.net/networks-status" not in ignored["metadata"]["annotations"]

    _switch(machine, True)
    machine.until(lambda: machine.get("vn", "new"))
    taken = machine.get("net-attach-def", "new")

    assert taken["metadata"]["uid"] == ignored["metadata"]["uid"]
    assert taken["metadata"]["generation"] == ignored["metadata"]["generation"]
