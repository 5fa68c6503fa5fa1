"""What kube-apiserver fills into pods: defaults that no schema can say, and its admission's part
(ServiceAccount, DefaultTolerationSeconds, Priority)."""

from __future__ import annotations

from typing import Any

from cn2.api.access import at, items, mapping, text
from cn2.api.kind import Object
from cn2.api.quantity import quantity_text
from cn2.net.names import fnv1a32_number

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_VOLUME_PREFIX = "kube-api-access-"
TOKEN_EXPIRATION = 3607
ROOT_CA_CONFIG_MAP = "kube-root-ca.crt"
TOLERATION_SECONDS = 300

_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_NODE_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def containers_of(spec: Object) -> list[Object]:
    """Init containers, then containers."""
    return [*items(spec, "initContainers"), *items(spec, "containers")]


def complete_pod_spec(spec: Object) -> None:
    """Defaults of any pod spec, in a pod or in a template."""
    for container in containers_of(spec):
        if not container.get("imagePullPolicy"):
            container["imagePullPolicy"] = _pull_policy(text(container, "image"))
        _complete_requests(container)
        if spec.get("hostNetwork"):
            for port in items(container, "ports"):
                port.setdefault("hostPort", port.get("containerPort"))
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]


def _pull_policy(image: str) -> str:
    last = image.rsplit("/", 1)[-1]
    if "@" in last:
        return "IfNotPresent"
    _, _, tag = last.partition(":")
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _complete_requests(container: Object) -> None:
    for amounts in mapping(container, "resources").values():
        if isinstance(amounts, dict):
            amounts.update({name: quantity_text(amount) for name, amount in amounts.items()})
    limits = mapping(container, "resources", "limits")
    if limits:
        requests = container["resources"].setdefault("requests", {})
        for name, amount in limits.items():
            requests.setdefault(name, amount)


def complete_pod(new: Object, old: Object | None) -> None:
    """`complete` hook of Pod."""
    spec = new.setdefault("spec", {})
    complete_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    if old is not None:
        return
    _admit(spec, text(new, "metadata", "uid"))
    new["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}


def _admit(spec: Object, uid: str) -> None:
    if not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"] = "default"
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    _tolerate_node_troubles(spec)
    if spec.get("automountServiceAccountToken") is not False:
        _mount_token(spec, uid)


def _tolerate_node_troubles(spec: Object) -> None:
    tolerations = items(spec, "tolerations")
    for trouble in _NODE_TROUBLES:
        if any(_tolerates(toleration, trouble) for toleration in tolerations):
            continue
        tolerations = [
            *tolerations,
            {
                "key": trouble,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS,
            },
        ]
    spec["tolerations"] = tolerations


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in (
        "NoExecute",
        None,
        "",
    )


def _suffix(uid: str) -> str:
    number = fnv1a32_number(uid)
    letters = []
    for _ in range(_SUFFIX_LENGTH):
        number, index = divmod(number, len(_SUFFIX_ALPHABET))
        letters.append(_SUFFIX_ALPHABET[index])
    return "".join(letters)


def _mount_token(spec: Object, uid: str) -> None:
    """The token volume, mounted in each container that has nothing mounted there yet. Its name
    ends in letters made of the pod's uid, so that completing a pod is a pure function."""
    bare = [
        container
        for container in containers_of(spec)
        if all(mount.get("mountPath") != TOKEN_MOUNT for mount in items(container, "volumeMounts"))
    ]
    if not bare:
        return
    name = TOKEN_VOLUME_PREFIX + _suffix(uid)
    spec["volumes"] = [*items(spec, "volumes"), _token_volume(name)]
    mount = {"name": name, "readOnly": True, "mountPath": TOKEN_MOUNT}
    for container in bare:
        container["volumeMounts"] = [*items(container, "volumeMounts"), dict(mount)]


def _token_volume(name: str) -> Object:
    namespace = {
        "path": "namespace",
        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
    }
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_EXPIRATION, "path": "token"}},
                {
                    "configMap": {
                        "name": ROOT_CA_CONFIG_MAP,
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {"downwardAPI": {"items": [namespace]}},
            ],
            "defaultMode": 420,
        },
    }


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, from requests and limits of cpu and memory."""
    amounts = [_amounts(container) for container in containers_of(spec)]
    if not any(requests or limits for requests, limits in amounts):
        return "BestEffort"
    if all(len(limits) == 2 and requests == limits for requests, limits in amounts):
        return "Guaranteed"
    return "Burstable"


def _amounts(container: Object) -> tuple[dict[str, Any], dict[str, Any]]:
    def of(which: str) -> dict[str, Any]:
        found = mapping(container, "resources", which)
        return {name: at(found, name) for name in ("cpu", "memory") if name in found}

    return of("requests"), of("limits")
