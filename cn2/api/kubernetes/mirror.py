"""Pods that only show a process of the system: the supervisor writes them, nobody runs them."""

from __future__ import annotations

from cn2.api.access import annotation
from cn2.api.kind import Object

MIRROR = "cn2.io/mirror"
"""Annotation of everything that shows a process: a pod, its ReplicaSet, its workload."""
CONFIG_MIRROR = "kubernetes.io/config.mirror"
"""Kubernetes' own annotation of such pods; the value says of what."""
LOG_FILE = "cn2.io/log-file"
"""Annotation with the path of the process's log."""


def is_mirror(obj: Object) -> bool:
    """Whether the object only shows a process."""
    return any(annotation(obj, key) for key in (MIRROR, CONFIG_MIRROR))
