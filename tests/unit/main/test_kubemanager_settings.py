"""The kubemanager's settings come from flags and from CN2's environment variables."""

from __future__ import annotations

import argparse

import pytest

from cn2.main import kubemanager
from cn2.plan.cluster.settings import Settings

SEED = {
    "KUBEMANAGER_CLUSTER_NAME": "contrail-k8s-kubemanager-mk",
    "KUBEMANAGER_CLUSTER_POD_VIRTUAL_NETWORK": "default-podnetwork",
    "KUBEMANAGER_CLUSTER_SERVICE_VIRTUAL_NETWORK": "default-servicenetwork",
    "KUBEMANAGER_CLUSTER_PROJECT": "contrail-k8s-kubemanager-mk-contrail",
    "KUBEMANAGER_CLUSTER_NAMESPACE": "contrail-k8s-kubemanager-mk-contrail",
    "KUBEMANAGER_ENABLE_NAD": "true",
    "KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": '{"default-external":{"networkSelector":{'
    '"matchLabels":{"service.contrail.juniper.net/externalNetworkSelector":"default-external"}},'
    '"namespaceSelector":{}}}',
}


def options(**given: str) -> argparse.Namespace:
    flags = [
        "cluster_name",
        "cluster_namespace",
        "cluster_pod_virtual_network",
        "cluster_service_virtual_network",
        "enable_nad",
        "pod_v4_subnet",
        "pod_v6_subnet",
        "service_v4_subnet",
        "service_v6_subnet",
    ]
    return argparse.Namespace(**{flag: given.get(flag, "") for flag in flags})


def test_the_seeds_environment_is_understood() -> None:
    assert kubemanager.settings(options(), SEED) == Settings(
        cluster_name="contrail-k8s-kubemanager-mk",
        cluster_namespace="contrail-k8s-kubemanager-mk-contrail",
    )


def test_the_namespace_follows_from_the_clusters_name() -> None:
    found = kubemanager.settings(options(cluster_name="a"), {})
    assert found.namespace == "a-contrail"


@pytest.mark.parametrize(("text", "enabled"), [("true", True), ("False", False), ("0", False)])
def test_the_switch_takes_what_go_takes(text: str, enabled: bool) -> None:
    found = kubemanager.settings(options(), SEED | {"KUBEMANAGER_ENABLE_NAD": text})
    assert found.enable_nad is enabled


def test_a_flag_wins_over_the_environment() -> None:
    environment = SEED | {"KUBEMANAGER_POD_V4_SUBNET": "10.1.0.0/16"}
    assert kubemanager.settings(options(), environment).pod_v4_subnet == "10.1.0.0/16"
    found = kubemanager.settings(options(pod_v4_subnet="10.2.0.0/16"), environment)
    assert found.pod_v4_subnet == "10.2.0.0/16"


@pytest.mark.parametrize(
    "wrong",
    [
        {"KUBEMANAGER_CLUSTER_NAME": ""},
        {"KUBEMANAGER_ENABLE_NAD": "perhaps"},
        {"KUBEMANAGER_POD_V4_SUBNET": "10.1.0.1/16"},
        {"KUBEMANAGER_POD_V4_SUBNET": "2001:db8::/64"},
        {"KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": "{"},
        {"KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": "[]"},
        {"KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": '{"a":{"selector":{}}}'},
        {"KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": '{"a":{"networkSelector":[]}}'},
        {"KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": '{"a":{"networkSelector":{"matchLabels":[]}}}'},
        {
            "KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS": '{"a":{"networkSelector":'
            '{"matchExpressions":[{"key":"k","operator":"Is","values":["v"]}]}}}'
        },
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        kubemanager.settings(options(), SEED | wrong)
