"""What is kept of objects that these controllers only count, own or expire: memory, and no secret
is held by a process that has no use for it."""

from __future__ import annotations

from cn2.api.kind import Object

ROOT_CA = "kube-root-ca.crt"
"""Name of the ConfigMap that carries the cluster's CA in every namespace."""


def metadata_only(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}


def without_managed_fields(obj: Object) -> Object:
    return {**obj, "metadata": metadata_only(obj)["metadata"]}


def times_of_event(obj: Object) -> Object:
    times = {key: obj[key] for key in ("lastTimestamp", "eventTime", "series") if obj.get(key)}
    return metadata_only(obj) | times


def root_ca_data(obj: Object) -> Object:
    if obj["metadata"]["name"] == ROOT_CA:
        return without_managed_fields(obj)
    return metadata_only(obj)
