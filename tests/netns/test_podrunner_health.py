"""Probes and hooks of real containers, in real namespaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pod_lab import PodLab, a_pod, deleted, pod_lab, until

from cn2.api.kind import Object

pytestmark = pytest.mark.root

FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.05; done"
SERVER = """python3 -c '
import http.server, pathlib
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if pathlib.Path(self.path).exists() else 503)
        self.end_headers()
http.server.HTTPServer(("10.9.0.5", 8080), Answer).serve_forever()'"""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    async with pod_lab(directory) as made:
        yield made


def told(lab: PodLab, index: int = 0) -> Object:
    statuses = lab.api.status.get("containerStatuses") or [{}] * (index + 1)
    found: Object = statuses[index]
    return found


def with_probe(pod: Object, **fields: Any) -> Object:
    quick = {"periodSeconds": 1, "failureThreshold": 1}
    for name, value in fields.items():
        pod["spec"]["containers"][0][name] = {**quick, **value} if "Probe" in name else value
    return pod


def with_volume(pod: Object) -> Object:
    """An emptyDir at /tmp of the first container, which the test reaches, too."""
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/tmp"}]
    return pod


def events(lab: PodLab, reason: str) -> list[str]:
    return [message for _, was, message in lab.api.events if was == reason]


async def test_an_http_probe_reaches_the_pods_own_address(lab: PodLab) -> None:
    """From inside its namespace; a server at another pod's or the node's address is not meant."""
    wanted = with_probe(
        a_pod("uid-1", SERVER),
        readinessProbe={"httpGet": {"path": "/tmp/ready", "port": "web"}},
        ports=[{"name": "web", "containerPort": 8080}],
    )
    lab.start(with_volume(wanted))
    await until(lambda: "HTTP probe failed with statuscode: 503" in str(events(lab, "Unhealthy")))
    assert told(lab)["started"] and not told(lab)["ready"]
    ready = next(c for c in lab.api.status["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [c0]"
    (lab.volume("uid-1", "v") / "ready").touch()
    await until(lambda: told(lab).get("ready"))
    (lab.volume("uid-1", "v") / "ready").unlink()
    await until(lambda: not told(lab).get("ready"))
    assert told(lab)["restartCount"] == 0


async def test_a_tcp_probe_needs_a_listener(lab: PodLab) -> None:
    lab.start(with_probe(a_pod("uid-1", FOREVER), readinessProbe={"tcpSocket": {"port": 81}}))
    await until(lambda: events(lab, "Unhealthy"))
    assert events(lab, "Unhealthy") == [
        "Readiness probe failed: dial tcp 10.9.0.5:81: connect: connection refused"
    ]


async def test_a_failed_liveness_probe_restarts_the_container_with_its_hook(lab: PodLab) -> None:
    wanted = with_probe(
        a_pod("uid-1", f"echo run; {FOREVER}"),
        livenessProbe={"exec": {"command": ["cat", "/tmp/alive"]}},
        lifecycle={"preStop": {"exec": {"command": ["false"]}}},
    )
    lab.start(wanted)
    await until(lambda: told(lab).get("restartCount") == 1 and "running" in told(lab)["state"])
    assert told(lab)["lastState"]["terminated"]["exitCode"] == 0
    assert events(lab, "Unhealthy")[0].startswith("Liveness probe failed: cat: /tmp/alive: No such")
    assert events(lab, "Killing")[0] == "Container c0 failed liveness probe, will be restarted"
    assert events(lab, "FailedPreStopHook")[0] == "PreStopHook failed"


async def test_other_probes_wait_for_the_startup_probe(lab: PodLab) -> None:
    wanted = with_probe(
        a_pod("uid-1", f"sleep 2; touch /tmp/up; {FOREVER}"),
        startupProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}, "failureThreshold": 30},
        livenessProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}},
        readinessProbe={"exec": {"command": ["test", "-e", "/tmp/up"]}},
    )
    lab.start(wanted)
    await until(lambda: "running" in told(lab).get("state", {}))
    assert not told(lab)["started"] and not told(lab)["ready"]
    await until(lambda: told(lab).get("ready"))
    assert told(lab)["started"] and told(lab)["restartCount"] == 0
    assert {text.split()[0] for text in events(lab, "Unhealthy")} == {"Startup"}


async def test_a_probes_command_that_takes_too_long_is_killed(lab: PodLab) -> None:
    probe = {"exec": {"command": ["sleep", "9876"]}, "periodSeconds": 60}
    lab.start(with_probe(a_pod("uid-1", FOREVER), readinessProbe=probe))
    await until(lambda: events(lab, "Unhealthy"))
    assert events(lab, "Unhealthy") == [
        'Readiness probe failed: command timed out: "sleep 9876" timed out after 1s'
    ]
    await until(lambda: not lab.has_process("uid-1", b"9876"))


async def test_health_is_known_again_after_the_pod_runners_own_end(lab: PodLab) -> None:
    """A pod that was ready stays ready, and no container is restarted."""
    probe = {"exec": {"command": ["bash", "-c", "echo >> /tmp/probes; test -e /tmp/up"]}}
    wanted = with_probe(
        a_pod("uid-1", f"touch /tmp/up; {FOREVER}"),
        startupProbe={**probe, "failureThreshold": 30},
        readinessProbe=probe,
        livenessProbe=probe,
    )
    lab.start(with_volume(wanted))
    await until(lambda: told(lab).get("ready"))
    await lab.leave("uid-1")
    lab.api.patches.clear()
    probes = lab.volume("uid-1", "v") / "probes"
    before = probes.stat().st_size
    lab.start({**wanted, "status": dict(lab.api.status)})
    await until(lambda: probes.stat().st_size > before + 4)
    assert told(lab)["ready"] and told(lab)["restartCount"] == 0
    assert lab.api.patches == []


async def test_a_container_begins_when_its_post_start_hook_is_done(lab: PodLab) -> None:
    hook = {"exec": {"command": ["bash", "-c", "until test -e /tmp/go; do sleep 0.05; done"]}}
    wanted = with_probe(a_pod("uid-1", FOREVER, FOREVER), lifecycle={"postStart": hook})
    lab.start(with_volume(wanted))
    await until(lambda: lab.has_process("uid-1", b"go"))
    waits = {"waiting": {"reason": "ContainerCreating"}}
    await until(lambda: [told(lab, i).get("state") for i in (0, 1)] == [waits, waits])
    (lab.volume("uid-1", "v") / "go").touch()
    await until(lambda: told(lab, 1).get("ready") and told(lab, 0).get("ready"))


async def test_a_post_start_hook_that_fails_ends_the_container(lab: PodLab) -> None:
    hook = {"exec": {"command": ["false"]}}
    lab.start(with_probe(a_pod("uid-1", FOREVER), lifecycle={"postStart": hook}))
    await until(lambda: events(lab, "FailedPostStartHook"))
    assert events(lab, "FailedPostStartHook")[0] == "PostStartHook failed"
    await until(lambda: "FailedPostStartHook" in events(lab, "Killing"))
    await until(lambda: told(lab).get("restartCount") == 1)


async def test_a_pre_stop_hook_runs_before_sigterm_within_the_grace(lab: PodLab) -> None:
    script = "trap 'cat /tmp/bye; exit 0' TERM; echo up; while true; do sleep 0.05; done"
    hook = {"exec": {"command": ["bash", "-c", "echo hooked > /tmp/bye"]}}
    wanted = with_probe(a_pod("uid-1", script), lifecycle={"preStop": hook}, stdin=False)
    worker = lab.start(wanted)
    log = lab.place("uid-1").log("c0", 0)
    await until(lambda: log.exists() and "up" in log.read_text())
    kept = log.open()
    worker.update(deleted(wanted))
    await lab.finished("uid-1")
    assert "F hooked" in kept.read()
    kept.close()


async def test_last_words_are_told_of_a_container(lab: PodLab) -> None:
    lab.start(
        a_pod("uid-1", "echo -n no disk > /dev/termination-log; exit 3", restartPolicy="Never")
    )
    await until(lambda: lab.api.status.get("phase") == "Failed")
    assert told(lab)["state"]["terminated"]["message"] == "no disk"


async def test_the_end_of_the_log_stands_in_for_last_words(lab: PodLab) -> None:
    wanted = a_pod("uid-1", "echo one; echo two; exit 3", restartPolicy="Never")
    wanted["spec"]["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError"
    lab.start(wanted)
    await until(lambda: lab.api.status.get("phase") == "Failed")
    assert told(lab)["state"]["terminated"]["message"] == "one\ntwo\n"


async def test_an_end_that_nobody_saw_is_taken_in_later(lab: PodLab) -> None:
    script = "until test -e /tmp/go; do sleep 0.05; done; echo -n words > /dev/termination-log"
    wanted = with_volume(a_pod("uid-1", script, FOREVER, restartPolicy="Never"))
    lab.start(wanted)
    await until(lambda: told(lab).get("ready"))
    await lab.leave("uid-1")
    (lab.volume("uid-1", "v") / "go").touch()
    state = lab.place("uid-1").state("c0", 0)
    await until(lambda: "finished=" in state.read_text())
    lab.start({**wanted, "status": dict(lab.api.status)})
    await until(lambda: told(lab)["state"].get("terminated"))
    assert told(lab)["state"]["terminated"]["message"] == "words"


async def test_a_pod_that_is_active_too_long_fails(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", FOREVER, activeDeadlineSeconds=1))
    await until(lambda: lab.api.status.get("phase") == "Failed")
    assert lab.api.status["reason"] == "DeadlineExceeded"
    assert events(lab, "DeadlineExceeded")


async def test_run_as_non_root_is_verified(lab: PodLab) -> None:
    lab.start(a_pod("uid-1", FOREVER, securityContext={"runAsNonRoot": True}))
    await until(lambda: events(lab, "Failed"))
    assert events(lab, "Failed")[0].startswith(
        "Error: container has runAsNonRoot and image will run as root (pod:"
    )
    await until(lambda: "CreateContainerConfigError" in str(told(lab)))


async def test_a_low_port_needs_no_root_and_a_working_directory_is_made(lab: PodLab) -> None:
    serve = "import socket; socket.create_server((str(), 80)); print(__import__('os').getcwd())"
    wanted = a_pod("uid-1", f'python3 -c "{serve}"', restartPolicy="Never")
    wanted["spec"]["containers"][0] |= {"workingDir": "/app/data"}
    wanted["spec"]["securityContext"] = {"runAsUser": 1234, "runAsNonRoot": True}
    lab.start(wanted)
    await until(lambda: lab.api.status.get("phase") in ("Succeeded", "Failed"))
    assert "F /app/data" in lab.place("uid-1").log("c0", 0).read_text()


async def test_a_container_gets_no_more_processors_than_its_limit(lab: PodLab) -> None:
    wanted = a_pod("uid-1", FOREVER)
    wanted["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "250m", "memory": "64Mi"}}
    lab.start(wanted)
    await until(lambda: told(lab).get("ready"))
    unified = lab.node.cgroups.unified
    root = lab.node.cgroups.root if unified else lab.node.cgroups.root / "cpu"
    group = root / "cn2" / "uid-1" / "c0.0"
    assert (group / "cgroup.procs").read_text().split()
    quota = (group / ("cpu.max" if unified else "cpu.cfs_quota_us")).read_text()
    assert quota.split()[0] == "25000"
