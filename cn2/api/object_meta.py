"""The schema of what every object has: apiVersion, kind and metadata (Kubernetes meta/v1).

Texts are Kubernetes' own, because `kubectl explain` prints them.
"""

from __future__ import annotations

from typing import Any

from cn2.api.kind import Schema

_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"

API_VERSION: Schema = {
    "type": "string",
    "description": (
        "APIVersion defines the versioned schema of this representation of an object. Servers "
        "should convert recognized schemas to the latest internal value, and may reject "
        f"unrecognized values. More info: {_CONVENTIONS}#resources"
    ),
}

KIND: Schema = {
    "type": "string",
    "description": (
        "Kind is a string value representing the REST resource this object represents. Servers "
        "may infer this from the endpoint the client submits requests to. Cannot be updated. In "
        f"CamelCase. More info: {_CONVENTIONS}#types-kinds"
    ),
}

METADATA_DESCRIPTION = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"
LIST_METADATA_DESCRIPTION = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _strings(description: str) -> Schema:
    return {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": description,
    }


OWNER_REFERENCE: Schema = {
    "type": "object",
    "description": (
        "OwnerReference contains enough information to let you identify an owning object. An "
        "owning object must be in the same namespace as the dependent, or be cluster-scoped, so "
        "there is no namespace field."
    ),
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        "apiVersion": _text("API version of the referent."),
        "blockOwnerDeletion": {
            "type": "boolean",
            "description": (
                'If true, AND if the owner has the "foregroundDeletion" finalizer, then the owner '
                "cannot be deleted from the key-value store until this reference is removed."
            ),
        },
        "controller": {
            "type": "boolean",
            "description": "If true, this reference points to the managing controller.",
        },
        "kind": _text(f"Kind of the referent. More info: {_CONVENTIONS}#types-kinds"),
        "name": _text("Name of the referent."),
        "uid": _text("UID of the referent."),
    },
}

MANAGED_FIELDS_ENTRY: Schema = {
    "type": "object",
    "description": (
        "ManagedFieldsEntry is a workflow-id, a FieldSet and the group version of the resource "
        "that the fieldset applies to."
    ),
    "properties": {
        "apiVersion": _text(
            "APIVersion defines the version of this resource that this field set applies to."
        ),
        "fieldsType": _text(
            "FieldsType is the discriminator for the different fields format and version. There "
            'is currently only one possible value: "FieldsV1"'
        ),
        "fieldsV1": {
            "type": "object",
            "description": (
                'FieldsV1 holds the first JSON version format as described in the "FieldsV1" type.'
            ),
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "manager": _text("Manager is an identifier of the workflow managing these fields."),
        "operation": _text(
            "Operation is the type of operation which lead to this ManagedFieldsEntry being "
            "created. The only valid values for this field are 'Apply' and 'Update'."
        ),
        "subresource": _text(
            "Subresource is the name of the subresource used to update that object, or empty "
            "string if the object was updated through the main resource."
        ),
        "time": _text(
            "Time is the timestamp of when the ManagedFields entry was added.",
            format="date-time",
        ),
    },
}

OBJECT_META: Schema = {
    "type": "object",
    "description": (
        "ObjectMeta is metadata that all persisted resources must have, which includes all "
        "objects users must create."
    ),
    "properties": {
        "annotations": _strings(
            "Annotations is an unstructured key value map stored with a resource that may be set "
            "by external tools to store and retrieve arbitrary metadata."
        ),
        "clusterName": _text("Deprecated: ignored."),
        "creationTimestamp": _text(
            "CreationTimestamp is a timestamp representing the server time when this object was "
            f"created. Populated by the system. Read-only. More info: {_CONVENTIONS}#metadata",
            format="date-time",
        ),
        "deletionGracePeriodSeconds": {
            "type": "integer",
            "format": "int64",
            "description": (
                "Number of seconds allowed for this object to gracefully terminate before it will "
                "be removed from the system. Only set when deletionTimestamp is also set."
            ),
        },
        "deletionTimestamp": _text(
            "DeletionTimestamp is RFC 3339 date and time at which this resource will be deleted.",
            format="date-time",
        ),
        "finalizers": {
            "type": "array",
            "items": {"type": "string"},
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
            "description": (
                "Must be empty before the object is deleted from the registry. Each entry is an "
                "identifier for the responsible component that will remove the entry from the list."
            ),
        },
        "generateName": _text(
            "GenerateName is an optional prefix, used by the server, to generate a unique name "
            "ONLY IF the Name field has not been provided."
        ),
        "generation": {
            "type": "integer",
            "format": "int64",
            "description": (
                "A sequence number representing a specific generation of the desired state. "
                "Populated by the system. Read-only."
            ),
        },
        "labels": _strings(
            "Map of string keys and values that can be used to organize and categorize (scope "
            "and select) objects."
        ),
        "managedFields": {
            "type": "array",
            "items": MANAGED_FIELDS_ENTRY,
            "x-kubernetes-list-type": "atomic",
            "description": (
                "ManagedFields maps workflow-id and version to the set of fields that are managed "
                "by that workflow."
            ),
        },
        "name": _text("Name must be unique within a namespace. Cannot be updated."),
        "namespace": _text("Namespace defines the space within which each name must be unique."),
        "ownerReferences": {
            "type": "array",
            "items": OWNER_REFERENCE,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
            "description": "List of objects depended by this object.",
        },
        "resourceVersion": _text(
            "An opaque value that represents the internal version of this object that can be used "
            "by clients to determine when objects have changed. Populated by the system. "
            "Read-only."
        ),
        "selfLink": _text("Deprecated: no longer populated by the system."),
        "uid": _text(
            "UID is the unique in time and space value for this object. Populated by the system. "
            "Read-only."
        ),
    },
}

LIST_META: Schema = {
    "type": "object",
    "description": (
        "ListMeta describes metadata that synthetic resources must have, including lists and "
        "various status objects."
    ),
    "properties": {
        "continue": _text(
            "continue may be set if the user set a limit on the number of items returned."
        ),
        "remainingItemCount": {
            "type": "integer",
            "format": "int64",
            "description": "The number of subsequent items in the list.",
        },
        "resourceVersion": _text("The server's internal version of this list."),
        "selfLink": _text("Deprecated: no longer populated by the system."),
    },
}


def whole_schema(schema: Schema) -> Schema:
    """The schema of the whole object: `schema` (a kind's) with apiVersion, kind and metadata.

    Properties that the kind declares itself under those names are replaced. A schema without any
    properties accepts every field.
    """
    if not schema.get("properties"):
        schema = {**schema, "x-kubernetes-preserve-unknown-fields": True}
    properties = {
        **schema.get("properties", {}),
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": OBJECT_META,
    }
    return {"type": "object", **schema, "properties": properties}
