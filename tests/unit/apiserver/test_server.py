"""The server as a process: TLS, real kubectl of two ages, restarts."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import kubectls
import pytest
from server_process import Server, serving

NAD = """
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata: {name: vn1, namespace: default}
spec: {config: '{"cniVersion": "0.3.1", "name": "vn1", "type": "contrail-k8s-cni"}'}
"""
NETWORK = """
apiVersion: core.contrail.juniper.net/v1alpha1
kind: VirtualNetwork
metadata: {name: vn9, namespace: default}
spec: {fabricSNAT: false}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_nobody_gets_in_without_credentials(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.root / "pki" / "ca.crt"))
    for path in ("/healthz", "/version", "/api/v1/secrets"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"https://127.0.0.1:{server.port}{path}", context=context)
        assert refused.value.code == 401
        refused.value.close()


@pytest.mark.parametrize("binary", kubectls.BOTH)
def test_apply_is_idempotent_and_readable(server: Server, binary: str) -> None:
    try:
        created = server.kubectl("apply", "-f", "-", binary=binary, stdin=NAD)
        again = server.kubectl("apply", "-f", "-", binary=binary, stdin=NAD)
        assert created == "networkattachmentdefinition.k8s.cni.cncf.io/vn1 created\n"
        assert again == "networkattachmentdefinition.k8s.cni.cncf.io/vn1 unchanged\n"
        listed = server.kubectl("get", "net-attach-def", "-A", binary=binary).splitlines()
        assert listed[0].split() == ["NAMESPACE", "NAME", "AGE"]
        assert listed[1].split()[:2] == ["default", "vn1"]
        described = server.kubectl("describe", "net-attach-def", "vn1", binary=binary)
        assert "API Version:  k8s.cni.cncf.io/v1" in described
    finally:
        deleted = server.kubectl("delete", "net-attach-def", "vn1", binary=binary)
    assert deleted == 'networkattachmentdefinition.k8s.cni.cncf.io "vn1" deleted\n'


@pytest.mark.parametrize("binary", kubectls.BOTH)
def test_objects_are_patched_labelled_and_replaced(server: Server, binary: str) -> None:
    def kubectl(*arguments: str, stdin: str = "") -> str:
        return server.kubectl(*arguments, binary=binary, stdin=stdin)

    kubectl("create", "-f", "-", stdin=NETWORK)
    try:
        kubectl("patch", "vn", "vn9", "--type=merge", "-p", '{"spec":{"fabricSNAT":true}}')
        kubectl("label", "vn", "vn9", "a=b")
        kubectl("annotate", "vn", "vn9", "c=d")
        network = json.loads(kubectl("get", "vn", "vn9", "-o", "json"))
        assert network["spec"]["fabricSNAT"] is True
        assert network["metadata"]["labels"] == {"a": "b"}
        assert kubectl("get", "vn", "-l", "a=b", "-o", "name").strip().endswith("/vn9")
        kubectl("replace", "-f", "-", stdin=NETWORK)
        network = json.loads(kubectl("get", "vn", "vn9", "-o", "json"))
        assert network["spec"]["fabricSNAT"] is False
    finally:
        kubectl("delete", "vn", "vn9")


@pytest.mark.parametrize("binary", kubectls.BOTH)
def test_kinds_are_listed_and_explained(server: Server, binary: str) -> None:
    resources = server.kubectl("api-resources", binary=binary)
    explained = server.kubectl("explain", "vn.spec.fabricSNAT", binary=binary)

    assert sum("juniper" in line for line in resources.splitlines()) == 27
    assert "VirtualNetwork" in explained


@pytest.mark.parametrize("binary", kubectls.BOTH)
def test_typed_creates_work(server: Server, binary: str) -> None:
    """kubectl 1.32 sends protobuf for these."""
    name = "typed-old" if binary == str(kubectls.DEBIAN) else "typed"

    def kubectl(*arguments: str) -> str:
        return server.kubectl(*arguments, binary=binary)

    kubectl("create", "namespace", name)
    kubectl("create", "configmap", "cm", "--from-literal=a=b", "-n", name)
    kubectl("create", "secret", "generic", "s", "--from-literal=a=b", "-n", name)
    kubectl("create", "serviceaccount", "sa", "-n", name)
    kubectl("create", "role", "r", "--verb=get", "--resource=pods", "-n", name)
    kubectl("create", "rolebinding", "b", "--role=r", f"--serviceaccount={name}:sa", "-n", name)
    kubectl("create", "deployment", "d", "--image=i", "-n", name)
    kubectl("create", "service", "clusterip", "svc", "--tcp=80:8080", "-n", name)

    assert kubectl("get", "cm", "cm", "-n", name, "-o", "jsonpath={.data.a}") == "b"
    assert kubectl("get", "secret", "s", "-n", name, "-o", "jsonpath={.data.a}") == "Yg=="
    ports = kubectl("get", "svc", "svc", "-n", name, "-o", "jsonpath={.spec.ports[0].targetPort}")
    assert ports == "8080"
    account = f"--as=system:serviceaccount:{name}:sa"
    assert kubectl("auth", "can-i", "get", "pods", "-n", name, account) == "yes\n"


@pytest.mark.kubectl
def test_a_token_logs_in(server: Server) -> None:
    server.kubectl("create", "serviceaccount", "robot")
    token = server.kubectl("create", "token", "robot").strip()
    arguments = ["--kubeconfig=/dev/null", f"--server=https://127.0.0.1:{server.port}"]
    arguments += [f"--certificate-authority={server.root}/pki/ca.crt", f"--token={token}"]

    assert "system:serviceaccount:default:robot" in server.kubectl("auth", "whoami", *arguments)
    refused = server.try_kubectl("get", "pods", *arguments)
    assert "Forbidden" in refused.stderr


@pytest.mark.kubectl
def test_unknown_fields_are_refused_by_name(server: Server) -> None:
    refused = server.try_kubectl("create", "-f", "-", stdin=NETWORK + "nonsense: 1\n")

    assert refused.returncode == 1
    assert 'unknown field "nonsense"' in refused.stderr


@pytest.mark.kubectl
def test_server_side_apply_conflicts_until_forced(server: Server) -> None:
    network = NETWORK.replace("vn9", "vn8")
    changed = network.replace("false", "true")
    server.kubectl("apply", "--server-side", "-f", "-", stdin=network)
    other = ["apply", "--server-side", "--field-manager=other", "-f", "-"]
    refused = server.try_kubectl(*other, stdin=changed)
    assert "conflict" in refused.stderr
    server.kubectl(*other, "--force-conflicts", stdin=changed)

    snat = server.kubectl("get", "vn", "vn8", "-o", "jsonpath={.spec.fabricSNAT}")
    assert snat == "true"
    server.kubectl("delete", "vn", "vn8")


@pytest.mark.kubectl
def test_waits_and_watches_see_changes(server: Server) -> None:
    server.kubectl("create", "-f", "-", stdin=NETWORK.replace("vn9", "vn7"))
    watching = subprocess.Popen(
        ["kubectl", "get", "vn", "vn7", "-w", "--no-headers"],
        stdout=subprocess.PIPE,
        text=True,
        env=server.environment,
    )
    waiting = subprocess.Popen(
        ["kubectl", "wait", "vn/vn7", "--for=jsonpath={.status.state}=Success", "--timeout=20s"],
        stdout=subprocess.PIPE,
        text=True,
        env=server.environment,
    )
    assert watching.stdout is not None
    assert watching.stdout.readline().split()[0] == "vn7"
    status = '{"status":{"state":"Success","virtualNetworkNetworkId":77}}'
    server.kubectl("patch", "vn", "vn7", "--subresource=status", "--type=merge", "-p", status)

    assert "77" in watching.stdout.readline()
    assert "condition met" in waiting.communicate(timeout=20)[0]
    watching.terminate()
    watching.communicate(timeout=10)
    server.kubectl("delete", "vn", "vn7")


@pytest.mark.kubectl
def test_a_watcher_that_hangs_up_is_forgotten(server: Server) -> None:
    def open_streams() -> float:
        metrics = server.kubectl("get", "--raw", "/metrics")
        line = next(x for x in metrics.splitlines() if x.startswith("apiserver_longrunning"))
        return float(line.split()[1])

    def eventually(expected: float) -> None:
        while open_streams() != expected:
            pass  # the test's own time limit ends this

    before = open_streams()
    watching = subprocess.Popen(
        ["kubectl", "get", "ns", "-w"], stdout=subprocess.PIPE, env=server.environment
    )
    eventually(before + 1)
    watching.kill()
    watching.communicate(timeout=10)
    eventually(before)


@pytest.mark.kubectl
def test_everything_survives_kill_9_and_a_stop_is_clean(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        first.kubectl("create", "configmap", "kept")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(timeout=10)
    with serving(tmp_path) as second:
        assert second.kubectl("get", "configmap", "kept", "-o", "name") == "configmap/kept\n"
        watching = subprocess.Popen(
            ["kubectl", "get", "cm", "-w", "-o", "name"],
            stdout=subprocess.PIPE,
            text=True,
            env=second.environment,
        )
        assert watching.stdout is not None
        assert watching.stdout.readline() == "configmap/kept\n"
        second.process.terminate()
        assert second.process.wait(timeout=10) == 0
        watching.terminate()
        watching.communicate(timeout=10)


def test_a_second_server_on_one_store_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path), pytest.raises(AssertionError, match="is in use by process"):
        with serving(tmp_path):
            pass
