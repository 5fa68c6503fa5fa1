"""Manifests that the system tests apply."""

from __future__ import annotations

import json


def network(name: str, v4: str = "", v6: str = "", **keys: object) -> str:
    """A NetworkAttachmentDefinition with CN2's annotation."""
    wanted: dict[str, object] = {**keys}
    if v4:
        wanted["ipamV4Subnet"] = v4
    if v6:
        wanted["ipamV6Subnet"] = v6
    return json.dumps(
        {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": {
                "name": name,
                "annotations": {"juniper.net/networks": json.dumps(wanted)},
            },
            "spec": {
                "config": json.dumps(
                    {"cniVersion": "0.3.1", "name": name, "type": "contrail-k8s-cni"}
                )
            },
        }
    )


def pod(name: str, *networks: str) -> str:
    """A pod that waits, attached to the default pod network and to `networks`."""
    annotations = {"k8s.v1.cni.cncf.io/networks": ",".join(networks)} if networks else {}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"test": "e2e"}, "annotations": annotations},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {"name": "c", "image": "none", "command": ["sleep", "infinity"]},
                ],
            },
        }
    )


def together(*manifests: str) -> str:
    """Several manifests as one."""
    items = [json.loads(manifest) for manifest in manifests]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
