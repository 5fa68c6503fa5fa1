"""Field numbers of the Kubernetes messages that clients send as protobuf.

The table is `protobuf_messages.txt`, which also explains its notation.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple


class Field(NamedTuple):
    name: str
    type: str
    repeated: bool
    pointer: bool
    inline: bool


ROOTS = frozenset(
    {
        *("Namespace", "Node", "Pod", "PodTemplate", "Service", "ConfigMap", "Endpoints", "Event"),
        *("Secret", "ServiceAccount", "LimitRange", "ResourceQuota", "PersistentVolume"),
        *("PersistentVolumeClaim", "ReplicationController", "Binding", "DeleteOptions"),
        *("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "ControllerRevision"),
        *("Job", "CronJob", "Scale", "Lease", "EndpointSlice", "StorageClass", "PriorityClass"),
        *("Ingress", "IngressClass", "NetworkPolicy", "PodDisruptionBudget", "Eviction"),
        *("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
        *("TokenRequest", "TokenReview", "SelfSubjectReview", "SelfSubjectAccessReview"),
        *("SelfSubjectRulesReview", "SubjectAccessReview", "LocalSubjectAccessReview"),
    }
)
"""Messages that may be a whole body."""


def _field(text: str) -> tuple[int, Field]:
    number, name, type_name = text.split()
    mark, bare = type_name[0], type_name.lstrip("*?^")
    return int(number), Field(name, bare, mark == "*", mark == "?", mark == "^")


def _messages(table: str) -> dict[str, dict[int, Field]]:
    found: dict[str, dict[int, Field]] = {}
    for line in table.replace("\n ", " ").splitlines():
        name, colon, fields = line.partition(":")
        if colon and not name.startswith("#"):
            found[name] = dict(_field(field) for field in fields.split(";") if field.strip())
    return found


MESSAGES = _messages(files("cn2.apiserver").joinpath("protobuf_messages.txt").read_text())
