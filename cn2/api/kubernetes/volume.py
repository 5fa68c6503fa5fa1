"""Volumes of a pod (core/v1). Kinds of volume that are rarely used are kept unchecked."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Schema
from cn2.api.kubernetes.container import FIELD_REF, RESOURCE_FIELD_REF

DEFAULT_MODE = 0o644
TOKEN_EXPIRATION = 3600

_MODE = s.integer("Mode bits used to set permissions on this file.", minimum=0, maximum=0o777)
_DEFAULT_MODE = {
    **_MODE,
    "description": "Mode bits used to set permissions on created files by default.",
    "default": DEFAULT_MODE,
}
_KEY_TO_PATH = s.object(
    "Maps a string key to a path within a volume.",
    {
        "key": s.string("The key to project."),
        "mode": _MODE,
        "path": s.string("The relative path of the file to map the key to."),
    },
    required=("key", "path"),
)
_ITEMS = s.array(_KEY_TO_PATH, "Keys to project, and where to.")
_DOWNWARD_FILE = s.object(
    "A file with information about the pod.",
    {
        "fieldRef": FIELD_REF,
        "mode": _MODE,
        "path": s.string("The relative path name of the file to be created."),
        "resourceFieldRef": RESOURCE_FIELD_REF,
    },
    required=("path",),
)
_DOWNWARD_ITEMS = s.array(_DOWNWARD_FILE, "Items is a list of downward API volume files.")
_NAME = s.string("Name of the referent.", default="")
_OPTIONAL = s.boolean("Whether the object or its keys must be defined.")

_PROJECTION = s.object(
    "One source of a projected volume.",
    {
        "clusterTrustBundle": s.any_object("Trust anchors of the cluster."),
        "configMap": s.object(
            "ConfigMap data to project.", {"items": _ITEMS, "name": _NAME, "optional": _OPTIONAL}
        ),
        "downwardAPI": s.object(
            "Information about the pod to project.", {"items": _DOWNWARD_ITEMS}
        ),
        "secret": s.object(
            "Secret data to project.", {"items": _ITEMS, "name": _NAME, "optional": _OPTIONAL}
        ),
        "serviceAccountToken": s.object(
            "A service account token to project.",
            {
                "audience": s.string("The intended audience of the token."),
                "expirationSeconds": s.integer(
                    "Requested duration of validity.", bits=64, default=TOKEN_EXPIRATION
                ),
                "path": s.string("Path relative to the mount point."),
            },
            required=("path",),
        ),
    },
)

_SOURCES: dict[str, Schema] = {
    "configMap": s.object(
        "configMap represents a configMap that should populate this volume.",
        {"defaultMode": _DEFAULT_MODE, "items": _ITEMS, "name": _NAME, "optional": _OPTIONAL},
    ),
    "downwardAPI": s.object(
        "downwardAPI represents downward API about the pod that should populate this volume.",
        {"defaultMode": _DEFAULT_MODE, "items": _DOWNWARD_ITEMS},
    ),
    "emptyDir": s.object(
        "emptyDir represents a temporary directory that shares a pod's lifetime.",
        {
            "medium": s.string("What type of storage medium should back this directory."),
            "sizeLimit": s.quantity("Total amount of local storage required."),
        },
    ),
    "hostPath": s.object(
        "hostPath represents a file or directory on the host machine.",
        {
            "path": s.string("Path of the directory on the host."),
            "type": s.string("Type for HostPath Volume.", default=""),
        },
        required=("path",),
    ),
    "nfs": s.object(
        "nfs represents an NFS mount on the host.",
        {"path": s.string(), "readOnly": s.boolean(), "server": s.string()},
        required=("server", "path"),
    ),
    "persistentVolumeClaim": s.object(
        "A reference to a PersistentVolumeClaim in the same namespace.",
        {"claimName": s.string(), "readOnly": s.boolean()},
        required=("claimName",),
    ),
    "projected": s.object(
        "projected items for all in one resources secrets, configmaps, and downward API.",
        {
            "defaultMode": _DEFAULT_MODE,
            "sources": s.array(_PROJECTION, "sources is the list of volume projections."),
        },
    ),
    "secret": s.object(
        "secret represents a secret that should populate this volume.",
        {
            "defaultMode": _DEFAULT_MODE,
            "items": _ITEMS,
            "optional": _OPTIONAL,
            "secretName": s.string("Name of the secret in the pod's namespace to use."),
        },
    ),
}
_RARE = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "image",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)

VOLUME: Schema = s.object(
    "Volume represents a named volume in a pod that may be accessed by any container in the pod.",
    {
        "name": s.string("Name of the volume. Must be a DNS_LABEL and unique within the pod."),
        **_SOURCES,
        **{name: s.any_object() for name in _RARE},
    },
    required=("name",),
)
