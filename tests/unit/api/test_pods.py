"""Pods and workloads as kube-apiserver completes and checks them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from kind_examples import EXAMPLES, meta

from cn2.api.kind import Object
from cn2.api.kinds import by_name
from cn2.api.kubernetes.pod_checks import check_pod
from cn2.api.kubernetes.pod_defaults import TOKEN_MOUNT, qos_class
from cn2.api.validation import checker


def completed(spec: Object | None = None, name: str = "Pod", old: Object | None = None) -> Object:
    kind = by_name(name)
    obj: Object = copy.deepcopy(EXAMPLES[name])
    if spec is not None:
        obj["spec"] = copy.deepcopy(spec)
    checker(kind).default(obj)
    assert checker(kind).check(obj) == []
    assert kind.complete is not None
    kind.complete(obj, old)
    return obj


def container(**more: Any) -> Object:
    return {"name": "main", "image": "nginx:1.25", **more}


def test_a_new_pod_has_the_defaults_of_the_real_server() -> None:
    obj = completed()
    spec = obj["spec"]
    assert obj["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert {key: value for key, value in spec.items() if not isinstance(value, list)} == {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "enableServiceLinks": True,
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    assert [t["key"] for t in spec["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    main = spec["containers"][0]
    assert main["terminationMessagePath"] == "/dev/termination-log"
    assert main["resources"] == {}


def test_the_token_volume_is_mounted_and_named_after_the_pods_uid() -> None:
    spec = completed()["spec"]
    (volume,) = spec["volumes"]
    (mount,) = spec["containers"][0]["volumeMounts"]
    assert volume["name"] == mount["name"]
    assert volume["name"].startswith("kube-api-access-") and len(volume["name"]) == 21
    assert mount == {"name": volume["name"], "readOnly": True, "mountPath": TOKEN_MOUNT}
    sources = volume["projected"]["sources"]
    assert sources[0]["serviceAccountToken"]["expirationSeconds"] == 3607
    assert sources[1]["configMap"]["name"] == "kube-root-ca.crt"
    assert spec == completed()["spec"]


def test_no_token_where_none_is_wanted() -> None:
    off = {"containers": [container()], "automountServiceAccountToken": False}
    assert "volumes" not in completed(off)["spec"]
    own = {
        "containers": [container(volumeMounts=[{"name": "v", "mountPath": TOKEN_MOUNT}])],
        "volumes": [{"name": "v", "emptyDir": {}}],
    }
    assert [volume["name"] for volume in completed(own)["spec"]["volumes"]] == ["v"]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.25", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    spec = completed({"containers": [container(image=image)]})["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == policy


def test_tolerations_that_cover_everything_are_not_repeated() -> None:
    given = [{"operator": "Exists", "effect": "NoExecute"}]
    spec = completed({"containers": [container()], "tolerations": given})["spec"]
    assert spec["tolerations"] == given


def test_host_network_fills_in_host_ports() -> None:
    pod = {"hostNetwork": True, "containers": [container(ports=[{"containerPort": 80}])]}
    port = completed(pod)["spec"]["containers"][0]["ports"][0]
    assert port == {"containerPort": 80, "protocol": "TCP", "hostPort": 80}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.5"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: Object, quality: str) -> None:
    obj = completed({"containers": [container(resources=resources)]})
    assert obj["status"]["qosClass"] == qos_class(obj["spec"]) == quality


def test_amounts_that_are_plain_numbers_are_stored_as_text() -> None:
    given = {"limits": {"cpu": 0.5, "memory": 1073741824}, "requests": {"cpu": "0.1"}}
    resources = completed({"containers": [container(resources=given)]})["spec"]["containers"][0][
        "resources"
    ]
    assert resources == {
        "limits": {"cpu": "500m", "memory": "1073741824"},
        "requests": {"cpu": "0.1", "memory": "1073741824"},
    }


@pytest.mark.parametrize("amount", ["one", "1 Gi", "", True, "1ki"])
def test_amounts_that_are_none(amount: object) -> None:
    obj = copy.deepcopy(EXAMPLES["Pod"])
    obj["spec"]["containers"][0]["resources"] = {"limits": {"cpu": amount}}
    (error,) = checker(by_name("Pod")).check(obj)
    assert error.field == "spec.containers[0].resources.limits.cpu"


def errors(obj: Object, old: Object | None = None, name: str = "Pod") -> list[str]:
    validate = by_name(name).validate
    assert validate is not None
    return [error.field for error in validate(obj, old)]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"containers": []}, "spec.containers"),
        ({"containers": [container(name="Main")]}, "spec.containers[0].name"),
        ({"containers": [container(image="")]}, "spec.containers[0].image"),
        (
            {"containers": [container(volumeMounts=[{"name": "v", "mountPath": "/v"}])]},
            "spec.containers[0].volumeMounts[0].name",
        ),
        (
            {"containers": [container()], "volumes": [{"name": "/etc", "emptyDir": {}}]},
            "spec.volumes[0].name",
        ),
        (
            {"initContainers": [container()], "containers": [container()]},
            "spec.containers[0].name",
        ),
    ],
)
def test_pods_that_are_refused(spec: Object, field: str) -> None:
    assert errors(completed(spec)) == [field]


def test_an_update_may_change_the_image_and_add_a_toleration() -> None:
    old = completed()
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["image"] = "nginx:1.26"
    new["spec"]["tolerations"].append({"operator": "Exists"})
    assert errors(new, old) == []


def test_an_update_may_change_little_else() -> None:
    old = completed()
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["command"] = ["true"]
    assert errors(new, old) == ["spec"]


def test_a_node_is_given_once() -> None:
    old = completed()
    bound = copy.deepcopy(old)
    bound["spec"]["nodeName"] = "a"
    assert errors(bound, old) == []
    moved = copy.deepcopy(bound)
    moved["spec"]["nodeName"] = "b"
    assert errors(moved, bound) == ["spec"]


@pytest.mark.parametrize("name", ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"])
def test_workloads_check_their_selector_and_template(name: str) -> None:
    good = completed(name=name)
    assert errors(good, name=name) == []
    other = copy.deepcopy(good)
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    assert errors(other, name=name) == ["spec.template.metadata.labels"]
    once = copy.deepcopy(good)
    once["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    assert errors(once, name=name) == ["spec.template.spec.restartPolicy"]
    moved = copy.deepcopy(good)
    moved["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    fixed = "spec" if name == "StatefulSet" else "spec.selector"
    assert errors(moved, good, name=name) == [fixed]


def test_a_deployment_has_the_defaults_of_the_real_server() -> None:
    spec = completed(name="Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    template = spec["template"]["spec"]
    assert template["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "tolerations" not in template


def test_a_service_fills_in_target_ports_and_keeps_its_address() -> None:
    first = completed(name="Service")
    ports = first["spec"]["ports"]
    assert [port["targetPort"] for port in ports] == [53, "dns"]
    assert first["spec"]["type"] == "ClusterIP"
    assert first["status"] == {"loadBalancer": {}}
    again = copy.deepcopy(EXAMPLES["Service"]["spec"])
    del again["clusterIP"]
    assert completed(again, "Service", first)["spec"]["clusterIP"] == "10.96.0.10"


def test_services_that_are_refused() -> None:
    service = completed(name="Service")
    assert errors(service, name="Service") == []
    moved = copy.deepcopy(service)
    moved["spec"]["clusterIP"] = "10.96.0.11"
    assert errors(moved, service, "Service") == ["spec.clusterIPs[0]"]
    nameless = copy.deepcopy(service)
    del nameless["spec"]["ports"][1]["name"]
    assert errors(nameless, name="Service") == ["spec.ports[1].name"]
    assert errors({"metadata": meta("s"), "spec": {}}, name="Service") == ["spec.ports"]
    external: Object = {"metadata": meta("s"), "spec": {"type": "ExternalName"}}
    assert errors(external, name="Service") == ["spec.externalName"]


def test_a_secret_stores_its_plain_strings_in_base64() -> None:
    obj = {"metadata": meta("s", "default"), "stringData": {"a": "b"}, "data": {"c": "ZA=="}}
    complete = by_name("Secret").complete
    assert complete is not None
    complete(obj, None)
    assert obj["data"] == {"a": "Yg==", "c": "ZA=="}
    assert obj["type"] == "Opaque"
    assert "stringData" not in obj


def test_an_immutable_config_map_stays() -> None:
    old = {"metadata": meta("c", "default"), "data": {"a": "b"}, "immutable": True}
    assert errors(copy.deepcopy(old), old, "ConfigMap") == []
    assert errors({**old, "data": {}}, old, "ConfigMap") == ["data"]
    assert errors({**old, "immutable": False}, old, "ConfigMap") == ["immutable"]


def test_a_namespace_begins_active_with_its_name_as_a_label() -> None:
    obj: Object = {"metadata": meta("team1")}
    complete = by_name("Namespace").complete
    assert complete is not None
    complete(obj, None)
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team1"}
    assert obj["spec"] == {"finalizers": ["kubernetes"]}
    assert obj["status"] == {"phase": "Active"}


def test_a_network_policy_says_which_directions_it_is_about() -> None:
    assert completed(name="NetworkPolicy")["spec"]["policyTypes"] == ["Ingress"]


def test_amounts_of_resources_are_not_negative_and_requests_within_limits() -> None:
    resources = {
        "limits": {"memory": "-1", "cpu": "1"},
        "requests": {"cpu": "1500m", "memory": "-2"},
    }
    obj = completed({"containers": [container(resources=resources)]})

    errors = {(error.field, error.message) for error in check_pod(obj, None)}

    where = "spec.containers[0].resources"
    assert errors == {
        (
            f"{where}.limits[memory]",
            'Invalid value: "-1": must be greater than or equal to 0',
        ),
        (
            f"{where}.requests[memory]",
            'Invalid value: "-2": must be greater than or equal to 0',
        ),
        (
            f"{where}.requests",
            'Invalid value: "1500m": must be less than or equal to cpu limit of 1',
        ),
    }
