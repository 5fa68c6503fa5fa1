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
from cn2.podrunner.refusal import ignored, refusal
from cn2.podrunner.volumes import etc_files, volume_files

FACTS = Facts("n1", "192.0.2.1", ("10.244.0.5", "fd00::5"))


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
        ({"volumes": [{"name": "v", "nfs": {}}]}, "nfs"),
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


def test_what_is_not_carried_out_is_named() -> None:
    assert ignored(pod(volumeDevices=[{"name": "v"}])) == "container c: volumeDevices"
    assert ignored(pod()) == ""


def volume(**source: Any) -> dict[str, bytes]:
    return volume_files(pod(), {"name": "v", **source}, FACTS, lookup, {("", 3600): "TOKEN"})


def test_volumes_become_files() -> None:
    assert volume(emptyDir={}) == {}
    assert volume(configMap={"name": "cm"}) == {"a": b"1", "b": b"2"}
    assert volume(secret={"secretName": "s"}) == {"k": b"hush"}
    assert volume(configMap={"name": "cm", "items": [{"key": "a", "path": "x/y"}]}) == {"x/y": b"1"}
    assert volume(
        downwardAPI={"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}
    ) == {"l": b'app="web"\n'}
    assert volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}) == {
        "token": b"TOKEN"
    }


def test_a_missing_source_names_itself_and_an_optional_one_is_empty() -> None:
    with pytest.raises(MissingSource, match='secret "no" not found'):
        volume(secret={"secretName": "no"})
    assert volume(configMap={"name": "no", "optional": True}) == {}
    with pytest.raises(MissingSource, match='no key "z"'):
        volume(configMap={"name": "cm", "items": [{"key": "z", "path": "z"}]})


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b"])
def test_no_path_leads_out_of_a_volume(path: str) -> None:
    with pytest.raises(MissingSource, match="leads out"):
        volume(configMap={"name": "cm", "items": [{"key": "a", "path": path}]})


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
