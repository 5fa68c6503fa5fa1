"""What several of these controllers ask of a pod."""

from __future__ import annotations

from cn2.api.access import items, text
from cn2.api.kind import Object

BY_NODE = "node"
"""Name of the index of pods by node."""


def node_of_pod(pod: Object) -> tuple[str]:
    """The index of pods by node; "" has those that are not bound."""
    return (text(pod, "spec", "nodeName"),)


def is_finished(pod: Object) -> bool:
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def is_pod_ready(pod: Object) -> bool:
    return any(
        text(condition, "type") == "Ready" and text(condition, "status") == "True"
        for condition in items(pod, "status", "conditions")
    )
