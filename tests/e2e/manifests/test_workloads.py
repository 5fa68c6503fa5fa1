"""Ordinary workloads on a real system, with the commands that people use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kubectls
import pytest
from machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(120)]

EXAMPLES = Path(__file__).parents[3] / "examples" / "workloads"
PATIENCE = "--timeout=60s"


@pytest.fixture(scope="module")
def system() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.fixture(params=kubectls.BOTH)
def machine(system: Machine, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """The system, through one kubectl; what a test leaves behind is gone before the next."""
    system.kubectl_path = request.param
    yield system
    system.kubectl("delete", "--ignore-not-found", "--wait", "-f", str(EXAMPLES))


def start(machine: Machine, name: str) -> None:
    machine.kubectl("apply", "-f", str(EXAMPLES / f"{name}.yaml"))


def rolled(machine: Machine, what: str) -> str:
    return machine.kubectl("rollout", "status", what, PATIENCE)


def pods(machine: Machine, app: str) -> list[str]:
    """Names of the pods that are to stay."""
    return sorted(
        pod["metadata"]["name"]
        for pod in machine.items("pods", "-l", f"app={app}")
        if not pod["metadata"].get("deletionTimestamp")
    )


def ready(machine: Machine) -> int:
    status = machine.get("deployment", "web")["status"]
    return int(status.get("readyReplicas", 0))


def test_a_deployment_with_a_network_is_rolled_undone_scaled_and_restarted(
    machine: Machine,
) -> None:
    start(machine, "deployment")
    assert "successfully rolled out" in rolled(machine, "deployment/web")
    for pod in pods(machine, "web"):
        assert "172.16.40." in machine.execute(pod, "ip", "-o", "address", "show", "eth1")

    machine.kubectl("patch", "deployment", "web", "-p", '{"spec":{"progressDeadlineSeconds":1}}')
    bad = '[{"op":"replace","path":"/spec/template/spec/containers/0/command","value":["/no"]}]'
    machine.kubectl("patch", "deployment", "web", "--type=json", "-p", bad)
    machine.kubectl("wait", "--for=condition=Progressing=false", "deployment/web", PATIENCE)
    assert ready(machine) == 3
    machine.kubectl("rollout", "undo", "deployment/web")
    rolled(machine, "deployment/web")

    machine.kubectl("rollout", "restart", "deployment/web")
    least = 3
    while "successfully" not in machine.kubectl("rollout", "status", "deployment/web", "-w=false"):
        least = min(least, ready(machine))
    assert least == 3

    machine.kubectl("scale", "deployment/web", "--replicas=1")
    machine.until(lambda: len(pods(machine, "web")) == 1, "one pod is left")
    history = machine.kubectl("rollout", "history", "deployment/web").split()
    assert history[-2:] == ["4", "<none>"]


def test_a_daemon_set_updates_and_goes_back(machine: Machine) -> None:
    start(machine, "daemonset")
    rolled(machine, "daemonset/watcher")
    (first,) = pods(machine, "watcher")

    machine.kubectl("set", "env", "daemonset/watcher", "A=B")
    rolled(machine, "daemonset/watcher")
    (second,) = pods(machine, "watcher")
    assert second != first
    assert "A=B" in machine.execute(second, "env")

    machine.kubectl("rollout", "undo", "daemonset/watcher")
    rolled(machine, "daemonset/watcher")
    (third,) = pods(machine, "watcher")
    assert "A=B" not in machine.execute(third, "env")


def test_a_stateful_set_keeps_its_names_and_its_order(machine: Machine) -> None:
    start(machine, "statefulset")
    rolled(machine, "statefulset/peer")
    assert pods(machine, "peer") == ["peer-0", "peer-1"]
    born = [machine.get("pod", name)["status"]["startTime"] for name in pods(machine, "peer")]
    assert born == sorted(born)
    assert machine.execute("peer-1", "hostname").strip() == "peer-1"

    machine.kubectl("rollout", "restart", "statefulset/peer")
    rolled(machine, "statefulset/peer")
    machine.kubectl("scale", "statefulset/peer", "--replicas=1")
    machine.until(lambda: pods(machine, "peer") == ["peer-0"], "the highest is gone")


def test_a_job_completes_and_one_whose_pod_fails_fails(machine: Machine) -> None:
    start(machine, "job")
    machine.kubectl("wait", "--for=condition=complete", "job/count", PATIENCE)
    assert machine.get("job", "count")["status"]["completedIndexes"] == "0-2"
    assert "index" in machine.kubectl("logs", "job/count")

    machine.kubectl("create", "job", "broken", "--image=host", "--", "false")
    limit = '{"spec":{"backoffLimit":0}}'
    machine.kubectl("patch", "job", "broken", "-p", limit)
    machine.kubectl("wait", "--for=condition=failed", "job/broken", PATIENCE)
    assert machine.kubectl("get", "job", "broken", "--no-headers").split()[1] == "Failed"
    machine.kubectl("delete", "job", "broken")


@pytest.mark.kubectl
def test_a_cron_job_is_run_by_hand(system: Machine) -> None:
    """kubectl 1.20 asks for batch/v1beta1, which Kubernetes has not had since 1.25."""
    system.kubectl_path = "kubectl"
    start(system, "cronjob")

    system.kubectl("create", "job", "once", "--from=cronjob/report")
    system.kubectl("wait", "--for=condition=complete", "job/once", PATIENCE)

    (owner,) = system.get("job", "once")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "report")
    system.kubectl("delete", "--wait", "-f", str(EXAMPLES / "cronjob.yaml"))
    system.until(lambda: system.get("job", "once") is None, "what it started goes with it")


@pytest.mark.kubectl
def test_claims_of_a_stateful_set_are_refused_with_what_to_do(system: Machine) -> None:
    system.kubectl_path = "kubectl"
    manifest = (EXAMPLES / "statefulset.yaml").read_text()
    claims = "  volumeClaimTemplates:\n    - metadata: {name: data}\n      spec: {}\n"

    with pytest.raises(AssertionError) as refused:
        system.apply(manifest + claims)

    assert "spec.volumeClaimTemplates: Forbidden: there is no storage here" in str(refused.value)
    system.kubectl("delete", "--ignore-not-found", "-f", str(EXAMPLES / "statefulset.yaml"))
