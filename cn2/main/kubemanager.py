"""`cn2 kubemanager`: Kubernetes' objects to CN2's.

Every setting has a flag and CN2's environment variable (`KUBEMANAGER_*`, cn2-api.md 3.13); the
flag wins.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from cn2.client.health import Health
from cn2.client.http import Client
from cn2.controllers import kubernetes
from cn2.controllers.runner import Manager
from cn2.main import process
from cn2.net.prefix import parse_prefix
from cn2.plan.cluster import selectors
from cn2.plan.cluster.settings import Settings

FIELD_MANAGER = "kubemanager"
ELECTION_NAMESPACE = "contrail"
PREFIX = "KUBEMANAGER_"
SELECTORS = "KUBEMANAGER_EXTERNAL_NETWORK_SELECTORS"
"""The one setting that is no text: which networks services of type LoadBalancer may be on."""

_TEXTS = {
    "cluster-name": "CN2's name of the cluster, e.g. contrail-k8s-kubemanager-mk",
    "cluster-namespace": "namespace of the cluster's own networks",
    "cluster-pod-virtual-network": "network of every pod's first interface",
    "cluster-service-virtual-network": "network of the services' addresses",
    "enable-nad": "act on NetworkAttachmentDefinitions: true or false",
    "pod-v4-subnet": "IPv4 block of the pods",
    "pod-v6-subnet": "IPv6 block of the pods",
    "service-v4-subnet": "IPv4 block of the services",
    "service-v6-subnet": "IPv6 block of the services",
}

_BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
"""What Go's strconv.ParseBool takes, in lower case."""


def settings(options: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """The settings from flags and environment; ValueError says which one is wrong."""
    given: dict[str, str] = {}
    for flag in _TEXTS:
        field = flag.replace("-", "_")
        value = getattr(options, field) or environment.get(PREFIX + field.upper(), "")
        if value:
            given[field] = value
    if "cluster_name" not in given:
        raise ValueError(
            "the cluster's name is missing: --cluster-name or KUBEMANAGER_CLUSTER_NAME"
        )
    for field, value in given.items():
        if field.endswith("_subnet"):
            family = parse_prefix(value).family
            if f"_{family}_" not in field:
                raise ValueError(f"{field}: {value} is not of the family")
    if named := environment.get(SELECTORS, ""):
        try:
            selectors.check_named(named)
        except ValueError as error:
            raise ValueError(f"{SELECTORS}: {error}") from None
    enabled = given.pop("enable_nad", "true").lower()
    if enabled not in _BOOLEANS:
        raise ValueError(f"enable_nad: {enabled!r} is neither true nor false")
    return Settings(**given, enable_nad=_BOOLEANS[enabled])


def main(argv: list[str]) -> int:
    """Run the kubemanager until it is told to stop."""
    parser = process.arguments("kubemanager", "makes CN2's objects from Kubernetes' objects")
    for flag, text in _TEXTS.items():
        parser.add_argument(f"--{flag}", default="", help=text)
    parser.add_argument(
        "--enable-leader-election",
        action="store_true",
        help="work only while holding the Lease of this process; for several replicas",
    )
    options = parser.parse_args(argv)
    try:
        given = settings(options, os.environ)
    except ValueError as error:
        parser.error(str(error))

    async def work(health: Health) -> None:
        client = Client.from_kubeconfig(options.kubeconfig, manager=FIELD_MANAGER)
        try:
            manager = Manager(
                client,
                "contrail-k8s-kubemanager",
                health=health,
                election_namespace=ELECTION_NAMESPACE if options.enable_leader_election else "",
            )
            kubernetes.wire(manager, given)
            await manager.run()
        finally:
            await client.close()

    return process.run("kubemanager", options, work)
