"""Ordinary manifests with several containers, probes, files and streams, through real kubectl.

One system for all; each test has pods of its own, made when the file begins, so that they run
side by side.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubectls import BOTH
from machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue, shape: round}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {password: hush}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 2
  initContainers:
  - name: page
    image: toolbox
    command: [bash, -c, "echo from init > /work/index.html; echo page written"]
    volumeMounts: [{name: work, mountPath: /work}]
  - name: proxy
    image: toolbox
    restartPolicy: Always
    command: [bash, -c, "touch /tmp/up; echo beside; exec sleep 1000"]
    startupProbe: {exec: {command: [test, -e, /tmp/up]}, periodSeconds: 1}
  containers:
  - name: web
    image: toolbox
    command: [python3, -u, -m, http.server, "8080"]
    workingDir: /work
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1}
    livenessProbe: {tcpSocket: {port: http}, periodSeconds: 1}
    volumeMounts: [{name: work, mountPath: /work}]
  - name: talk
    image: toolbox
    command: [bash, -c, "for i in 1 2 3; do echo line $i; done; exec sleep 1000"]
  volumes:
  - {name: work, emptyDir: {}}
---
apiVersion: v1
kind: Pod
metadata: {name: told, labels: {tier: front}}
spec:
  containers:
  - name: c
    image: toolbox
    command: [bash, -c, "env; sleep 1000"]
    args: ["$(COLOUR)"]
    envFrom:
    - {configMapRef: {name: settings}, prefix: CM_}
    env:
    - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: keys, key: password}}}
    - {name: ABSENT, valueFrom: {secretKeyRef: {name: none, key: none, optional: true}}}
    - {name: ME, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: GREETING, value: "$(COLOUR) $(SHOP_SERVICE_PORT) $$(COLOUR)"}
    resources: {limits: {memory: 64Mi}}
    volumeMounts:
    - {name: all, mountPath: /all}
    - {name: settings, mountPath: /one, subPath: colour}
  volumes:
  - name: settings
    configMap: {name: settings}
  - name: all
    projected:
      defaultMode: 0440
      sources:
      - configMap: {name: settings, items: [{key: colour, path: cm/colour}]}
      - secret: {name: keys}
      - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
      - serviceAccountToken: {path: token, audience: vault, expirationSeconds: 600}
---
apiVersion: v1
kind: Pod
metadata: {name: waits}
spec:
  containers:
  - name: c
    image: toolbox
    command: [sleep, "1000"]
    envFrom: [{secretRef: {name: later}}]
---
apiVersion: v1
kind: Pod
metadata: {name: claims}
spec:
  containers: [{name: c, image: toolbox, command: [sleep, "1000"]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: disk}}]
---
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  containers:
  - name: c
    image: toolbox
    command: [sleep, "1000"]
    securityContext: {privileged: true, capabilities: {add: [NET_ADMIN]}}
  volumes: [{name: host, hostPath: {path: /}}]
---
apiVersion: v1
kind: Pod
metadata: {name: crashes}
spec:
  containers:
  - name: c
    image: toolbox
    command: [bash, -c, "echo attempt; echo -n no licence > /dev/termination-log; exit 4"]
---
apiVersion: v1
kind: Pod
metadata: {name: eats}
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: toolbox
    command: [python3, -c, "x = bytearray(200_000_000)"]
    resources: {limits: {memory: 32Mi}}
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as made:
        made.apply(MANIFEST)
        yield made


def messages(machine: Machine, pod: str, reason: str) -> list[str]:
    selector = f"involvedObject.name={pod},reason={reason}"
    return [event["message"] for event in machine.items("events", "--field-selector", selector)]


def container(machine: Machine, pod: str) -> Any:
    statuses = machine.get("pod", pod)["status"].get("containerStatuses")
    return statuses[0] if statuses else None


def row(machine: Machine, pod: str) -> list[str]:
    return machine.kubectl("get", "pod", pod, "--no-headers").split(maxsplit=3)


def test_probes_decide_when_a_pod_is_ready_and_when_it_is_restarted(machine: Machine) -> None:
    machine.until(lambda: messages(machine, "web", "Unhealthy"), "an unhealthy web")
    failed = "Readiness probe failed: HTTP probe failed with statuscode: 404"
    machine.until(lambda: failed in messages(machine, "web", "Unhealthy"), failed)
    machine.until(lambda: row(machine, "web")[:3] == ["web", "2/3", "Running"])
    machine.kubectl("exec", "web", "-c", "web", "--", "touch", "/work/ready")
    machine.running("web")
    machine.kubectl("exec", "web", "-c", "web", "--", "bash", "-c", "kill -STOP $(pidof python3)")
    machine.until(lambda: container(machine, "web")["restartCount"] == 1, "a restart")
    killing = "Container web failed liveness probe, will be restarted"
    assert messages(machine, "web", "Killing") == [killing]
    machine.running("web")
    assert re.match(r"1 \(\d+s ago\)", row(machine, "web")[3])


def test_logs_of_every_container(machine: Machine) -> None:
    machine.until(lambda: "line 3" in machine.kubectl("logs", "web", "-c", "talk"))
    assert machine.kubectl("logs", "web", "-c", "talk", "--tail=1") == "line 3\n"
    stamped = machine.kubectl("logs", "web", "-c", "talk", "--tail=1", "--timestamps")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\S+Z line 3\n", stamped)
    assert machine.kubectl("logs", "web", "-c", "talk", "--since=1h").count("line") == 3
    everything = machine.kubectl("logs", "-l", "app=web", "--all-containers", "--tail=-1")
    assert {"page written", "beside", "line 1"} <= set(everything.splitlines())


@pytest.mark.parametrize("kubectl", BOTH)
def test_files_are_copied_both_ways(machine: Machine, kubectl: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("carried")
    machine.until(lambda: "beside" in machine.kubectl("logs", "web", "-c", "proxy"))
    machine.until(lambda: machine.get("pod", "web")["status"]["phase"] == "Running")
    copy = [kubectl, "cp", "-c", "talk"]
    _run(machine, *copy, str(tmp_path / "there"), "web:/tmp/there")
    _run(machine, *copy, "web:/tmp/there", str(tmp_path / "back"))
    assert (tmp_path / "back" / "file").read_text() == "carried"


@pytest.mark.parametrize("kubectl", BOTH)
def test_a_port_is_forwarded(machine: Machine, kubectl: str) -> None:
    machine.until(lambda: container(machine, "web") and "running" in row(machine, "web")[2].lower())
    with _forwarded(machine, kubectl, "pod/web", "8080") as port:

        def page() -> bytes:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    return bytes(answer.read())
            return b""

        assert machine.until(page) == b"from init\n"


@contextlib.contextmanager
def _forwarded(machine: Machine, kubectl: str, what: str, port: str) -> Iterator[str]:
    process = subprocess.Popen(
        [kubectl, "port-forward", what, f":{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=machine.environment,
    )
    assert process.stdout is not None
    try:
        match = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) ", process.stdout.readline())
        assert match is not None
        yield match.group(1)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _run(machine: Machine, *command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, env=machine.environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_environments_come_from_everywhere(machine: Machine) -> None:
    machine.running("told")
    lines = set(machine.kubectl("logs", "told").splitlines())
    address = machine.get("pod", "told")["status"]["podIP"]
    assert {
        "CM_shape=round",
        "COLOUR=blue",
        "PASSWORD=hush",
        "MEMORY=64",
        f"ME={address}",
        "GREETING=blue 80 $(COLOUR)",
    } <= lines
    assert any(line.startswith("KUBERNETES_SERVICE_HOST=") for line in lines)
    assert not any(line.startswith("ABSENT=") for line in lines)


def test_a_pod_reaches_the_api_with_its_token(machine: Machine) -> None:
    machine.running("told")
    ask = """
        D=/var/run/secrets/kubernetes.io/serviceaccount
        URL=https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT
        curl -sS --fail-with-body --cacert $D/ca.crt -H "Authorization: Bearer $(cat $D/token)" \\
            $URL/api/v1/namespaces/$(cat $D/namespace)/configmaps/settings || true
    """
    refused = json.loads(machine.execute("told", "bash", "-c", ask))
    assert refused["code"] == 403 and "system:serviceaccount:default:default" in refused["message"]
    machine.kubectl(
        "create", "rolebinding", "told", "--clusterrole=view", "--serviceaccount=default:default"
    )
    assert json.loads(machine.execute("told", "bash", "-c", ask))["data"]["shape"] == "round"


def test_mounted_files_follow_their_objects(machine: Machine) -> None:
    machine.running("told")

    def read(*paths: str) -> str:
        return machine.execute("told", "cat", *paths)

    assert read("/all/cm/colour", "/all/password", "/one") == "bluehushblue"
    assert machine.execute("told", "stat", "-L", "-c", "%a", "/all/token") == "440\n"
    machine.kubectl("patch", "configmap", "settings", "-p", json.dumps({"data": {"colour": "red"}}))
    machine.kubectl("label", "pod", "told", "tier=back", "--overwrite")
    machine.until(lambda: read("/all/cm/colour") == "red", "the new colour")
    machine.until(lambda: 'tier="back"' in read("/all/labels"), "the new label")
    assert read("/one") == "blue", "a sub-path keeps what it was mounted with"


def test_a_pod_that_lacks_something_says_so_and_heals(machine: Machine) -> None:
    machine.until(lambda: row(machine, "waits")[2] == "CreateContainerConfigError")
    waiting = container(machine, "waits")["state"]["waiting"]
    assert waiting["message"] == 'secret "later" not found'
    assert messages(machine, "waits", "Failed") == ['Error: secret "later" not found']
    machine.kubectl("create", "secret", "generic", "later", "--from-literal=a=b")
    machine.running("waits")


def test_what_cannot_be_had_here_is_said_in_events(machine: Machine) -> None:
    (text,) = machine.until(lambda: messages(machine, "claims", "FailedMount"))
    assert 'volume "data"' in text and "persistentVolumeClaim" in text and "emptyDir" in text
    assert row(machine, "claims")[2] == "ContainerCreating"
    (text,) = machine.until(lambda: messages(machine, "greedy", "NotSupported"))
    assert all(word in text for word in ("privileged", "NET_ADMIN", "hostPath"))


def test_a_crashing_container_backs_off_and_tells_its_last_words(machine: Machine) -> None:
    machine.until(lambda: row(machine, "crashes")[2] == "CrashLoopBackOff")
    status = container(machine, "crashes")
    assert status["lastState"]["terminated"]["message"] == "no licence"
    text = status["state"]["waiting"]["message"]
    assert re.match(r"back-off (10s|20s|40s|1m20s) restarting failed container=c pod=", text)
    assert machine.kubectl("logs", "crashes", "--previous") == "attempt\n"


def test_a_container_that_eats_too_much_is_killed_for_it(machine: Machine) -> None:
    machine.until(lambda: machine.get("pod", "eats")["status"]["phase"] == "Failed")
    ended = container(machine, "eats")["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_another_image_restarts_the_container(machine: Machine) -> None:
    machine.running("waits")
    machine.kubectl("set", "image", "pod/waits", "c=toolbox:2")
    machine.until(lambda: container(machine, "waits")["restartCount"] == 1)
    assert "Container c definition changed, will be restarted" in messages(
        machine, "waits", "Killing"
    )


def test_a_pod_cannot_read_what_is_the_machines(machine: Machine) -> None:
    """Neither this system's data directory, wherever it is, nor the machine's secrets."""
    machine.running("told")
    paths = (str(machine.data_dir / "kubeconfig"), "/etc/shadow", "/var/lib/cn2/kubeconfig")
    said = machine.execute("told", "bash", "-c", f"cat {' '.join(paths)} 2>/dev/null; ls -A /root")
    assert said == ""
