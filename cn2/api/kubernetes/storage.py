"""PersistentVolume, PersistentVolumeClaim (core/v1) and StorageClass (storage.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import annotation, at, items, name_of, text
from cn2.api.checks import immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, Object
from cn2.api.schema_checks import required
from cn2.api.shared_types import conditions, label_selector, object_reference

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_UNSET = "<unset>"


def _modes(modes: list[str]) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in modes)


def _begin_claim(new: Object, old: Object | None) -> None:
    if old is None:
        new["status"] = {"phase": "Pending"}


def _begin_volume(new: Object, old: Object | None) -> None:
    if old is None:
        new["status"] = {"phase": "Available"}


def _check_claim(new: Object, old: Object | None) -> list[FieldError]:
    errors = []
    if not items(new, "spec", "accessModes"):
        errors.append(required("spec.accessModes"))
    if at(new, "spec", "resources", "requests", "storage") is None:
        errors.append(required("spec.resources[storage]"))
    return errors + immutable(new, old, "spec.accessModes", "spec.storageClassName")


def _check_volume(new: Object, old: Object | None) -> list[FieldError]:
    errors = []
    if not items(new, "spec", "accessModes"):
        errors.append(required("spec.accessModes"))
    if at(new, "spec", "capacity", "storage") is None:
        errors.append(required("spec.capacity"))
    return errors


def _claimed_by(obj: Object) -> str:
    ref = at(obj, "spec", "claimRef", default={})
    return f"{text(ref, 'namespace')}/{text(ref, 'name')}" if ref else ""


def _class_name(obj: Object) -> str:
    default = annotation(obj, _DEFAULT_CLASS) == "true"
    return f"{name_of(obj)} (default)" if default else name_of(obj)


_ACCESS_MODES = s.array(s.string(enum=tuple(_MODES)), "Ways the volume can be mounted.")
_AMOUNTS = s.map_of(s.quantity(), "Amounts by resource.")
_CLASS = s.string("The StorageClass that it belongs to.")
_MODE = s.string("Filesystem or Block.", enum=("Block", "Filesystem"), default="Filesystem")
_CLASS_COLUMN = Column(
    name="StorageClass",
    cell=lambda obj: text(obj, "spec", "storageClassName"),
    description="The class.",
)
_ATTRIBUTES_COLUMN = Column(
    name="VolumeAttributesClass",
    cell=lambda obj: text(obj, "spec", "volumeAttributesClassName") or _UNSET,
    description="The class of attributes.",
)
_MODE_COLUMN = Column(
    name="VolumeMode", path=".spec.volumeMode", description="Filesystem or Block.", priority=1
)
_RECLAIM = ("Delete", "Recycle", "Retain")

PERSISTENT_VOLUME_CLAIM = Kind(
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    short_names=("pvc",),
    namespaced=True,
    description=("PersistentVolumeClaim is a user's request for and claim to a persistent volume"),
    schema=s.whole(
        s.object(
            "spec defines the desired characteristics of a volume requested by a pod author.",
            {
                "accessModes": _ACCESS_MODES,
                "dataSource": s.any_object("What the volume begins with."),
                "dataSourceRef": s.any_object("What the volume begins with."),
                "resources": s.object("", {"limits": _AMOUNTS, "requests": _AMOUNTS}),
                "selector": label_selector("Volumes to consider for binding."),
                "storageClassName": _CLASS,
                "volumeAttributesClassName": s.string("The class of attributes."),
                "volumeMode": _MODE,
                "volumeName": s.string("The binding reference to the volume."),
            },
        ),
        s.object(
            "status represents the current information of the claim.",
            {
                "accessModes": _ACCESS_MODES,
                "allocatedResources": _AMOUNTS,
                "capacity": _AMOUNTS,
                "conditions": conditions("The current conditions of the claim."),
                "phase": s.string("Pending, Bound or Lost."),
            },
        ),
    ),
    columns=(
        NAME,
        Column(name="Status", path=".status.phase", description="The phase."),
        Column(
            name="Volume",
            cell=lambda obj: text(obj, "spec", "volumeName"),
            description="The volume.",
        ),
        Column(
            name="Capacity",
            cell=lambda obj: str(at(obj, "status", "capacity", "storage", default="")),
            description="Size of the volume.",
        ),
        Column(
            name="Access Modes",
            cell=lambda obj: _modes(items(obj, "status", "accessModes")),
            description="Ways the volume can be mounted.",
        ),
        _CLASS_COLUMN,
        _ATTRIBUTES_COLUMN,
        AGE,
        _MODE_COLUMN,
    ),
    status=True,
    complete=_begin_claim,
    validate=_check_claim,
)

PERSISTENT_VOLUME = Kind(
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    short_names=("pv",),
    namespaced=False,
    description="PersistentVolume (PV) is a storage resource provisioned by an administrator.",
    schema=s.whole(
        {
            **s.object(
                "spec defines a specification of a persistent volume owned by the cluster.",
                {
                    "accessModes": _ACCESS_MODES,
                    "capacity": _AMOUNTS,
                    "claimRef": object_reference("The claim that the volume is bound to."),
                    "mountOptions": s.strings("Mount options."),
                    "persistentVolumeReclaimPolicy": s.string(
                        "What happens to the volume when its claim ends.",
                        enum=_RECLAIM,
                        default="Retain",
                    ),
                    "storageClassName": _CLASS,
                    "volumeMode": _MODE,
                },
            ),
            s.PRESERVE_UNKNOWN: True,
        },
        s.object(
            "status represents the current information of the volume.",
            {
                "lastPhaseTransitionTime": s.time("When the phase changed."),
                "message": s.string("Why the volume is in this state."),
                "phase": s.string("Pending, Available, Bound, Released or Failed."),
                "reason": s.string("One word for it."),
            },
        ),
    ),
    columns=(
        NAME,
        Column(
            name="Capacity",
            cell=lambda obj: str(at(obj, "spec", "capacity", "storage", default="")),
            description="Size of the volume.",
        ),
        Column(
            name="Access Modes",
            cell=lambda obj: _modes(items(obj, "spec", "accessModes")),
            description="Ways the volume can be mounted.",
        ),
        Column(
            name="Reclaim Policy",
            path=".spec.persistentVolumeReclaimPolicy",
            description="What happens when the claim ends.",
        ),
        Column(name="Status", path=".status.phase", description="The phase."),
        Column(name="Claim", cell=_claimed_by, description="The claim."),
        _CLASS_COLUMN,
        _ATTRIBUTES_COLUMN,
        Column(name="Reason", cell=lambda obj: text(obj, "status", "reason"), description="Why."),
        AGE,
        _MODE_COLUMN,
    ),
    status=True,
    complete=_begin_volume,
    validate=_check_volume,
)

STORAGE_CLASS = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    short_names=("sc",),
    namespaced=False,
    description=(
        "StorageClass describes the parameters for a class of storage for which PersistentVolumes"
        " can be dynamically provisioned."
    ),
    schema=s.object(
        "",
        {
            "allowVolumeExpansion": s.boolean("Whether volumes can be expanded."),
            "allowedTopologies": s.array(s.any_object(), "Where volumes can be provisioned."),
            "mountOptions": s.strings("Mount options of the volumes."),
            "parameters": s.map_of(s.string(), "Parameters of the provisioner."),
            "provisioner": s.string("Type of the provisioner."),
            "reclaimPolicy": s.string(
                "What happens to volumes when their claim ends.", enum=_RECLAIM, default="Delete"
            ),
            "volumeBindingMode": s.string(
                "When volumes are provisioned and bound.",
                enum=("Immediate", "WaitForFirstConsumer"),
                default="Immediate",
            ),
        },
        required=("provisioner",),
    ),
    columns=(
        Column(name="Name", cell=_class_name, format="name", description="Name of the class."),
        Column(name="Provisioner", path=".provisioner", description="Type of the provisioner."),
        Column(name="ReclaimPolicy", path=".reclaimPolicy", description="What happens at the end."),
        Column(
            name="VolumeBindingMode", path=".volumeBindingMode", description="When it is bound."
        ),
        Column(
            name="AllowVolumeExpansion",
            cell=lambda obj: bool(obj.get("allowVolumeExpansion")),
            description="Whether volumes can be expanded.",
        ),
        AGE,
    ),
)
