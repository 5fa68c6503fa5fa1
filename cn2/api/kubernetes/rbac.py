"""Role, ClusterRole and their bindings (rbac.authorization.k8s.io/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, mapping, text
from cn2.api.checks import immutable
from cn2.api.columns import AGE, NAME
from cn2.api.kind import Column, FieldError, Kind, NameRule, Object, Schema, Validate
from cn2.api.shared_types import label_selector

GROUP = "rbac.authorization.k8s.io"

_RULE = s.object(
    "PolicyRule holds information that describes a policy rule.",
    {
        "apiGroups": s.strings("The name of the APIGroup that contains the resources."),
        "nonResourceURLs": s.strings("A set of partial urls that a user should have access to."),
        "resourceNames": s.strings("White list of names that the rule applies to."),
        "resources": s.strings("A list of resources this rule applies to."),
        "verbs": s.strings("A list of Verbs that apply to all of the resources."),
    },
    required=("verbs",),
)
_RULES = s.array(_RULE, "Rules holds all the PolicyRules for this role.")
_SUBJECT = s.object(
    "Subject contains a reference to the object or user identities a role binding applies to.",
    {
        "apiGroup": s.string("The API group of the referenced subject."),
        "kind": s.string('Kind of object: "User", "Group", and "ServiceAccount".'),
        "name": s.string("Name of the object being referenced."),
        "namespace": s.string("Namespace of the referenced object."),
    },
    required=("kind", "name"),
    atomic=True,
)
_ROLE_REF = s.object(
    "RoleRef contains information that points to the role being used. Immutable.",
    {
        "apiGroup": s.string("The group for the resource being referenced."),
        "kind": s.string("The type of resource being referenced.", enum=("ClusterRole", "Role")),
        "name": s.string("The name of resource being referenced."),
    },
    required=("kind", "name"),
    atomic=True,
)
_BINDING = s.object(
    "",
    {"roleRef": _ROLE_REF, "subjects": s.array(_SUBJECT, "The objects the role applies to.")},
    required=("roleRef",),
)


def _check_binding(new: Object, old: Object | None) -> list[FieldError]:
    return immutable(new, old, "roleRef.kind", "roleRef.name")


def _check_cluster_binding(new: Object, old: Object | None) -> list[FieldError]:
    """A Role's rules hold in its namespace: nobody has them everywhere."""
    errors = _check_binding(new, old)
    if text(new, "roleRef", "kind") != "ClusterRole":
        message = 'Unsupported value: "Role": supported values: "ClusterRole"'
        errors.append(FieldError("roleRef.kind", message, "FieldValueNotSupported"))
    return errors


def _complete_binding(new: Object, old: Object | None) -> None:
    mapping(new, "roleRef").setdefault("apiGroup", GROUP)
    for subject in items(new, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", GROUP)


def _role_ref(obj: Object) -> str:
    return f"{text(obj, 'roleRef', 'kind')}/{text(obj, 'roleRef', 'name')}"


def _subjects(title: str, kind: str) -> Column:
    def cell(obj: Object) -> str:
        return ", ".join(
            "/".join(filter(None, (text(subject, "namespace"), text(subject, "name"))))
            for subject in items(obj, "subjects")
            if subject.get("kind") == kind
        )

    return Column(name=title, cell=cell, description=f"{title} of the binding.", priority=1)


_CREATED = Column(
    name="Created At", path=".metadata.creationTimestamp", description="When it was created."
)
_BINDING_COLUMNS = (
    NAME,
    Column(name="Role", cell=_role_ref, description="The role."),
    AGE,
    _subjects("Users", "User"),
    _subjects("Groups", "Group"),
    _subjects("ServiceAccounts", "ServiceAccount"),
)


def _rbac_kind(
    kind: str,
    plural: str,
    description: str,
    schema: Schema,
    columns: tuple[Column, ...],
    *,
    namespaced: bool,
    validate: Validate | None = None,
) -> Kind:
    return Kind(
        group=GROUP,
        version="v1",
        kind=kind,
        plural=plural,
        namespaced=namespaced,
        name_rule=NameRule.PATH_SEGMENT,
        description=description,
        schema=schema,
        columns=columns,
        complete=_complete_binding if validate else None,
        validate=validate,
    )


ROLE: Kind = _rbac_kind(
    "Role",
    "roles",
    "Role is a namespaced, logical grouping of PolicyRules that can be referenced as a unit by a"
    " RoleBinding.",
    s.whole(rules=_RULES),
    (NAME, _CREATED),
    namespaced=True,
)
ROLE_BINDING: Kind = _rbac_kind(
    "RoleBinding",
    "rolebindings",
    "RoleBinding references a role, but does not contain it.",
    _BINDING,
    _BINDING_COLUMNS,
    namespaced=True,
    validate=_check_binding,
)
CLUSTER_ROLE: Kind = _rbac_kind(
    "ClusterRole",
    "clusterroles",
    "ClusterRole is a cluster level, logical grouping of PolicyRules that can be referenced as a"
    " unit by a RoleBinding or ClusterRoleBinding.",
    s.whole(
        aggregationRule=s.object(
            "How to build the Rules for this ClusterRole.",
            {
                "clusterRoleSelectors": s.array(
                    label_selector(""), "Selectors of ClusterRoles whose rules are taken."
                )
            },
        ),
        rules=_RULES,
    ),
    (NAME, _CREATED),
    namespaced=False,
)
CLUSTER_ROLE_BINDING: Kind = _rbac_kind(
    "ClusterRoleBinding",
    "clusterrolebindings",
    "ClusterRoleBinding references a ClusterRole, but not contain it.",
    _BINDING,
    _BINDING_COLUMNS,
    namespaced=False,
    validate=_check_cluster_binding,
)
