"""ObjectMeta and what every object has, with Kubernetes' own descriptions."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Kind, Schema

_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"

API_VERSION = s.string(
    "APIVersion defines the versioned schema of this representation of an object. Servers should"
    " convert recognized schemas to the latest internal value, and may reject unrecognized"
    f" values. More info: {_CONVENTIONS}#resources"
)
KIND = s.string(
    "Kind is a string value representing the REST resource this object represents. Servers may"
    " infer this from the endpoint the client submits requests to. Cannot be updated. In"
    f" CamelCase. More info: {_CONVENTIONS}#types-kinds"
)

OWNER_REFERENCE = s.object(
    "OwnerReference contains enough information to let you identify an owning object. An owning"
    " object must be in the same namespace as the dependent, or be cluster-scoped, so there is no"
    " namespace field.",
    {
        "apiVersion": s.string("API version of the referent."),
        "blockOwnerDeletion": s.boolean(
            'If true, AND if the owner has the "foregroundDeletion" finalizer, then the owner'
            " cannot be deleted from the key-value store until this reference is removed."
        ),
        "controller": s.boolean("If true, this reference points to the managing controller."),
        "kind": s.string(f"Kind of the referent. More info: {_CONVENTIONS}#types-kinds"),
        "name": s.string("Name of the referent."),
        "uid": s.string("UID of the referent."),
    },
    required=("apiVersion", "kind", "name", "uid"),
    atomic=True,
)

MANAGED_FIELDS_ENTRY = s.object(
    "ManagedFieldsEntry is a workflow-id, a FieldSet and the group version of the resource that"
    " the fieldset applies to.",
    {
        "apiVersion": s.string("APIVersion defines the version that this field set applies to."),
        "fieldsType": s.string('The only value is "FieldsV1".'),
        "fieldsV1": s.any_object("FieldsV1 holds the first JSON version format of the field set."),
        "manager": s.string("Manager is an identifier of the workflow managing these fields."),
        "operation": s.string("'Apply' or 'Update'."),
        "subresource": s.string("Subresource is the name of the subresource used to update."),
        "time": s.time("Time is the timestamp of when the entry was added or last changed."),
    },
)

OBJECT_META = s.object(
    f"Standard object's metadata. More info: {_CONVENTIONS}#metadata",
    {
        "annotations": s.map_of(
            s.string(),
            "Annotations is an unstructured key value map stored with a resource that may be set"
            " by external tools to store and retrieve arbitrary metadata. They are not queryable"
            " and should be preserved when modifying objects.",
        ),
        "creationTimestamp": s.time(
            "CreationTimestamp is a timestamp representing the server time when this object was"
            " created. Populated by the system. Read-only."
        ),
        "deletionGracePeriodSeconds": s.integer(
            "Number of seconds allowed for this object to gracefully terminate before it will be"
            " removed from the system. Read-only.",
            bits=64,
        ),
        "deletionTimestamp": s.time(
            "DeletionTimestamp is RFC 3339 date and time at which this resource will be deleted."
            " Populated by the system when a graceful deletion is requested. Read-only."
        ),
        "finalizers": s.set_of(
            s.string(),
            "Must be empty before the object is deleted from the registry. Each entry is an"
            " identifier for the responsible component that will remove the entry from the list.",
            merge=True,
        ),
        "generateName": s.string(
            "GenerateName is an optional prefix, used by the server, to generate a unique name"
            " ONLY IF the Name field has not been provided."
        ),
        "generation": s.integer(
            "A sequence number representing a specific generation of the desired state. Populated"
            " by the system. Read-only.",
            bits=64,
        ),
        "labels": s.map_of(
            s.string(),
            "Map of string keys and values that can be used to organize and categorize (scope and"
            " select) objects.",
        ),
        "managedFields": s.array(
            MANAGED_FIELDS_ENTRY,
            "ManagedFields maps workflow-id and version to the set of fields that are managed by"
            " that workflow. Mostly for internal housekeeping.",
        ),
        "name": s.string(
            "Name must be unique within a namespace. Is required when creating resources, although"
            " some resources may allow a client to request the generation of an appropriate name"
            " automatically. Cannot be updated."
        ),
        "namespace": s.string(
            "Namespace defines the space within which each name must be unique. Cannot be updated."
        ),
        "ownerReferences": s.list_map(
            OWNER_REFERENCE,
            ("uid",),
            "List of objects depended by this object. If ALL objects in the list have been"
            " deleted, this object will be garbage collected.",
        ),
        "resourceVersion": s.string(
            "An opaque value that represents the internal version of this object that can be used"
            " by clients to determine when objects have changed. Populated by the system."
            " Read-only."
        ),
        "selfLink": s.string("Deprecated: selfLink is a legacy read-only field."),
        "uid": s.string(
            "UID is the unique in time and space value for this object. Populated by the system."
            " Read-only."
        ),
    },
)


def full_schema(kind: Kind) -> Schema:
    """The schema of a whole object of `kind`: its own with apiVersion, kind and metadata added."""
    own = kind.schema or s.object()
    return {
        **own,
        "type": "object",
        **({"description": kind.description} if kind.description else {}),
        "properties": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": OBJECT_META,
            **own.get("properties", {}),
        },
    }
