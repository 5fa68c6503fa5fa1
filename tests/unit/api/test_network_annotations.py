"""Networks that are asked for in the wrong place or by a wrong word are warned of."""

from __future__ import annotations

import json

import pytest

from cn2.api.kinds import by_name
from cn2.api.network_annotations import NETWORKS

RIGHT = {NETWORKS: "left"}


def warned(kind: str, annotations: dict[str, str], *path: str) -> str:
    """What is said when the annotations are below `path`."""
    obj: dict[str, object] = {"metadata": {"annotations": annotations}}
    for key in reversed(path):
        obj = {key: obj}
    warn = by_name(kind).warn
    assert warn is not None
    return "; ".join(warn(obj, None))


@pytest.mark.parametrize(
    "key",
    [
        "k8s.v1.cni.cncf.io/network",
        "k8s.cni.cncf.io/networks",
        "k8s.v1.cni.cnfc.io/networks",
        "K8s.v1.cni.cncf.io/Networks",
    ],
)
def test_a_mistyped_annotation_names_the_right_one(key: str) -> None:
    said = f"annotation {key} has no effect: did you mean {NETWORKS}?"
    assert warned("Pod", {key: "left"}) == said
    assert warned("Deployment", {key: "left"}, "spec", "template") == said


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        RIGHT,
        {"k8s.v1.cni.cncf.io/network-status": "[]"},
        {f"{NETWORKS}-status": "[]"},
        {**RIGHT, "k8s.v1.cni.cncf.io/network": "x"},
        {"example.com/networks": "x"},
        {NETWORKS: '[{"name": "left", "interface": "eth5", "ips": ["1.2.3.4"]}]'},
        {NETWORKS: "[1, {]"},
    ],
)
def test_nothing_else_is_warned_of(annotations: dict[str, str]) -> None:
    assert warned("Pod", annotations) == ""


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"])
def test_a_workload_is_annotated_in_its_template(kind: str) -> None:
    said = f"annotation {NETWORKS} has no effect here: pods take it from "
    assert warned(kind, RIGHT) == f"{said}spec.template.metadata.annotations"
    assert warned(kind, RIGHT, "spec", "template") == ""


def test_a_cron_job_is_annotated_deeper() -> None:
    path = ("spec", "jobTemplate", "spec", "template")
    assert ".".join(path) in warned("CronJob", RIGHT)
    assert warned("CronJob", RIGHT, *path) == ""


def test_a_key_of_an_element_that_means_nothing_is_named() -> None:
    text = json.dumps([{"name": "left", "interfce": "eth5", "zz": 1}])
    said = f"{NETWORKS} has keys that have no effect: interfce (did you mean interface?), zz"
    assert warned("Pod", {NETWORKS: text}) == said


def test_a_mistyped_annotation_of_a_definition_names_the_right_one() -> None:
    said = warned("NetworkAttachmentDefinition", {"juniper.net/network": "{}"})
    assert (
        said == "annotation juniper.net/network has no effect: did you mean juniper.net/networks?"
    )
    assert warned("NetworkAttachmentDefinition", {"juniper.net/networks-status": "x"}) == ""
