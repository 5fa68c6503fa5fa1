"""Environments, refusals and the files of volumes: pure functions of the pod and the API."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cn2.api.kind import Object
from cn2.podrunner.environment import (
    PATH,
    Facts,
    MissingSource,
    environment,
    expand,
    references,
)
from cn2.podrunner.etc_files import etc_files
from cn2.podrunner.refusal import refusal
from cn2.podrunner.service_links import service_links
from cn2.podrunner.spec import command
from cn2.podrunner.unheeded import unheeded

FACTS = Facts("n1", "192.0.2.1", ("10.244.0.5", "fd00::5"), {"cpu": "2", "memory": "4Gi"})


def pod(**container: Any) -> Object:
    return {
        "metadata": {
            "name": "vn1-pod",
            "namespace": "default",
            "uid": "u",
            "labels": {"app": "web"},
        },
        "spec": {"containers": [{"name": "c", **container}]},
    }


SOURCES = {
    ("ConfigMap", "cm"): {"kind": "ConfigMap", "data": {"a": "1", "b": "2"}},
    ("Secret", "s"): {"kind": "Secret", "data": {"k": base64.b64encode(b"hush").decode()}},
}


def lookup(kind: str, name: str) -> Object | None:
    return SOURCES.get((kind, name))


def env(**container: Any) -> dict[str, str]:
    wanted = pod(**container)
    return environment(wanted, wanted["spec"]["containers"][0], FACTS, lookup)


def test_every_container_has_path_home_and_hostname() -> None:
    assert env() == {"PATH": PATH, "HOME": "/root", "HOSTNAME": "vn1-pod"}


def test_values_refer_to_earlier_ones() -> None:
    values = env(
        env=[
            {"name": "A", "value": "x"},
            {"name": "B", "value": "$(A)-$(C)-$$(A)"},
            {"name": "C", "value": ""},
        ]
    )
    assert values["B"] == "x-$(C)-$(A)"
    assert values["C"] == ""


def test_expansion_leaves_everything_else_alone() -> None:
    assert expand("$A $(A) $$ $(B", {"A": "1"}) == "$A 1 $ $(B"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "vn1-pod"),
        ("metadata.namespace", "default"),
        ("metadata.uid", "u"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "n1"),
        ("spec.serviceAccountName", "default"),
        ("status.podIP", "10.244.0.5"),
        ("status.podIPs", "10.244.0.5,fd00::5"),
        ("status.hostIP", "192.0.2.1"),
    ],
)
def test_the_downward_api(path: str, value: str) -> None:
    values = env(env=[{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}])
    assert values["X"] == value


def test_an_unknown_field_is_said() -> None:
    with pytest.raises(MissingSource, match="colour"):
        env(env=[{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.colour"}}}])


def test_config_maps_and_secrets_are_read() -> None:
    container: dict[str, Any] = {
        "envFrom": [{"configMapRef": {"name": "cm"}, "prefix": "P_"}],
        "env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    }
    values = env(**container)
    assert (values["P_a"], values["P_b"], values["K"]) == ("1", "2", "hush")
    assert references(pod(**container)) == {("ConfigMap", "cm"), ("Secret", "s")}


def test_a_missing_key_is_said_as_kubelet_says_it() -> None:
    wanted = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "z"}}}]
    with pytest.raises(MissingSource, match="couldn't find key z in ConfigMap default/cm"):
        env(env=wanted)


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", None, "1"),
        ("limits.cpu", "1m", "250"),
        ("requests.memory", "1Mi", "64"),
        ("limits.memory", None, str(4 << 30)),
        ("requests.cpu", "1m", "0"),
    ],
)
def test_resources_are_told_in_units_of_the_divisor(
    resource: str, divisor: str | None, value: str
) -> None:
    reference = {"resource": resource, **({"divisor": divisor} if divisor else {})}
    amounts = {"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi"}}
    values = env(
        resources=amounts, env=[{"name": "X", "valueFrom": {"resourceFieldRef": reference}}]
    )
    assert values["X"] == value


def service(name: str, namespace: str = "default", port_name: str = "") -> Object:
    ports = [{"port": 80, "protocol": "TCP", "name": port_name}]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": "10.96.0.7", "ports": ports},
    }


def test_services_of_the_namespace_are_told_as_variables() -> None:
    headless = {**service("none"), "spec": {"clusterIP": "None"}}
    services = [service("my-web", port_name="http"), service("other", "elsewhere"), headless]
    assert service_links(pod(), services) == {
        "MY_WEB_SERVICE_HOST": "10.96.0.7",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP": "80",
        "MY_WEB_PORT": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.0.7:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.0.7",
    }


def test_the_apis_own_service_is_told_to_every_pod() -> None:
    elsewhere = pod()
    elsewhere["metadata"]["namespace"] = "elsewhere"
    elsewhere["spec"]["enableServiceLinks"] = False
    services = [service("kubernetes"), service("web", "elsewhere")]
    links = service_links(elsewhere, services)
    assert links["KUBERNETES_SERVICE_HOST"] == "10.96.0.7"
    assert not any(name.startswith("WEB") for name in links)


@pytest.mark.parametrize("namespace", ["default", "elsewhere"])
def test_the_environment_names_where_a_pod_reaches_the_api(namespace: str) -> None:
    told = pod()
    told["metadata"]["namespace"] = namespace
    services = [service("kubernetes", port_name="https"), service("web", namespace)]
    links = service_links(told, services, ("127.0.0.1", 6443))
    assert links["KUBERNETES_SERVICE_HOST"] == "127.0.0.1"
    assert links["KUBERNETES_SERVICE_PORT"] == links["KUBERNETES_SERVICE_PORT_HTTPS"] == "6443"
    assert links["WEB_SERVICE_HOST"] == "10.96.0.7"


@pytest.mark.parametrize("optional", [False, True])
def test_what_is_missing_holds_the_container_unless_it_is_optional(optional: bool) -> None:
    wanted = [
        {
            "name": "X",
            "valueFrom": {"configMapKeyRef": {"name": "no", "key": "a", "optional": optional}},
        }
    ]
    if optional:
        assert "X" not in env(env=wanted)
    else:
        with pytest.raises(MissingSource, match='configmap "no" not found'):
            env(env=wanted)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"hostIPC": True}, "hostIPC"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "hostPath"),
        ({"containers": [{"name": "c", "securityContext": {"privileged": True}}]}, "privileged"),
        (
            {"initContainers": [{"name": "c", "securityContext": {"privileged": True}}]},
            "privileged",
        ),
        (
            {
                "containers": [
                    {"name": "c", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
                ]
            },
            "SYS_ADMIN",
        ),
        (
            {"containers": [{"name": "c", "securityContext": {"capabilities": {"add": ["ALL"]}}}]},
            "ALL",
        ),
    ],
)
def test_what_would_reach_the_host_is_refused(spec: Object, word: str) -> None:
    wanted = pod()
    wanted["spec"] |= spec
    assert word in refusal(wanted)


def test_what_reaches_the_node_is_refused() -> None:
    wanted = pod(securityContext={"capabilities": {"add": ["NET_ADMIN"]}})
    assert "NET_ADMIN" in refusal(wanted)


def test_what_stays_in_the_pod_is_allowed() -> None:
    wanted = pod(securityContext={"capabilities": {"add": ["IPC_LOCK", "CAP_NET_RAW"]}})
    wanted["spec"]["volumes"] = [{"name": "e", "emptyDir": {}}, {"name": "n"}]
    assert refusal(wanted) == ""


@pytest.mark.parametrize(
    ("container", "spec", "text"),
    [
        ({}, {}, ""),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, {}, ""),
        ({"resources": {"limits": {"memory": "1Gi"}}}, {}, ""),
        (
            {"resources": {"limits": {"ephemeral-storage": "1Gi"}}},
            {},
            "container c: resources.limits.ephemeral-storage",
        ),
        ({"ports": [{"containerPort": 1, "hostPort": 80}]}, {}, "container c: hostPort 80"),
        (
            {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
            {"runtimeClassName": "gvisor", "hostUsers": False},
            "runtimeClassName, hostUsers, container c: seccompProfile",
        ),
    ],
)
def test_what_is_not_carried_out_is_named(container: Object, spec: Object, text: str) -> None:
    wanted = pod(**container)
    wanted["spec"] |= spec
    assert unheeded(wanted, ("memory", "pids")) == text


def test_a_limit_that_this_host_cannot_keep_is_named() -> None:
    wanted = pod(resources={"limits": {"memory": "1Gi"}})
    assert unheeded(wanted, ()) == "container c: resources.limits.memory"


def test_a_subdomain_is_in_the_hosts_file() -> None:
    wanted = pod()
    wanted["spec"]["subdomain"] = "web"
    line = b"10.244.0.5\tvn1-pod.web.default.svc.cluster.local\tvn1-pod\n"
    assert line in etc_files(wanted, FACTS, dns="")["hosts"]


def test_the_pods_own_etc_files() -> None:
    files = etc_files(pod(), FACTS, dns="")
    assert files["hostname"] == b"vn1-pod\n"
    assert b"10.244.0.5\tvn1-pod\nfd00::5\tvn1-pod\n" in files["hosts"]
    assert files["resolv.conf"] == b""
    named = etc_files(pod(), FACTS, dns="10.96.0.10")["resolv.conf"].decode().splitlines()
    assert named == [
        "search default.svc.cluster.local svc.cluster.local cluster.local",
        "nameserver 10.96.0.10",
        "options ndots:5",
    ]


def test_references_to_references_have_an_end() -> None:
    doubling = [{"name": "V0", "value": "x" * 1024}]
    doubling += [{"name": f"V{i + 1}", "value": f"$(V{i})$(V{i})"} for i in range(64)]
    with pytest.raises(ValueError, match="more than 1048576 characters"):
        env(env=doubling)
    large = {"A": "x" * 1024}
    with pytest.raises(ValueError, match="more than 1048576 characters"):
        expand("$(A)" * 1025, large)
    with pytest.raises(ValueError, match="more than 1048576 characters"):
        command({"command": ["$(A)"] * 1025}, large)
    assert command({"command": ["$(A)"] * 1024}, large) == [large["A"]] * 1024
