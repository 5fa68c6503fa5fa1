"""The vocabulary in which a kind is declared.

A kind is declared once, as a `Kind` value. Server, CRDs, printer columns, `kubectl explain`,
command line and reference pages all read the table of kinds (`cn2.api.kinds`) and contain no
kind's name. Objects themselves are the JSON that the user wrote: nothing is lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as decoded JSON."""

Schema = dict[str, Any]
"""An OpenAPI v3 structural schema node."""


class Family(Enum):
    """Whose conventions a kind follows."""

    KUBERNETES = "kubernetes"
    """Built into Kubernetes: strategic merge patch, `v1` style groups."""
    AGGREGATED = "aggregated"
    """CN2's aggregated API server: fqName, parent and back-reference labels (cn2-api.md 2, 3)."""
    CRD = "crd"
    """A CustomResourceDefinition in CN2: merge patch only."""


class NameRule(Enum):
    """Which names the server accepts."""

    SUBDOMAIN = "subdomain"
    """RFC 1123 subdomain, at most 253 characters."""
    LABEL = "label"
    """RFC 1123 label, at most 63 characters."""
    LABEL_1035 = "label-1035"
    """RFC 1035 label (services)."""
    PATH_SEGMENT = "path-segment"
    """Anything that is one URL path segment: CN2 has names such as `DefaultServiceNetwork`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One printer column of `kubectl get`.

    Either `path` (a simple JSONPath such as `.status.state`, which the CRD carries too) or
    `cell` (a function of the object, where no path can say it).
    """

    name: str
    path: str = ""
    cell: Callable[[Object], Any] | None = None
    until: str = ""
    """Of a `date`: the path of the time at which it stopped; the column is then a duration."""
    since: Callable[[Object], str] | None = None
    """A time whose age follows in brackets, as in `3 (7m ago)`; "" for none."""
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with an object, in the terms of Kubernetes' Status causes."""

    field: str
    """Dotted path, e.g. `spec.cidr`."""
    message: str
    reason: str = "FieldValueInvalid"
    """FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueForbidden, ..."""
    value: Any = None


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A number that must be unique in its pool, committed together with the object that carries it.

    `holder` names who has it: `Kind/namespace/name` (`Kind/name` for cluster-scoped kinds). A
    second holder of the same (pool, id) gets 409.
    """

    pool: str
    id: int
    holder: str


Lookup = Callable[[str, str, str], Object | None]
"""`lookup(kind, namespace, name)` reads a stored object; None when there is none."""

Complete = Callable[[Object, Object | None], None]
Validate = Callable[[Object, Object | None], list[FieldError]]
ValidateAmong = Callable[[Object, Object | None, Lookup], list[FieldError]]
Warn = Callable[[Object, Object | None], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, and everything that the server must know of it."""

    group: str
    """API group, "" for the core group."""
    version: str
    kind: str
    plural: str
    namespaced: bool
    description: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    family: Family = Family.KUBERNETES
    name_rule: NameRule = NameRule.SUBDOMAIN
    schema: Schema = field(default_factory=dict)
    """OpenAPI v3 schema of the whole object; apiVersion, kind and metadata are added by readers."""
    columns: tuple[Column, ...] = ()
    """Printer columns after NAME; AGE is declared like any other."""
    status: bool = False
    """Has a `/status` subresource: status is dropped on create and on main writes."""
    subresources: tuple[str, ...] = ()
    """Further subresources, e.g. `log`, `exec`, `binding`."""
    verbs: tuple[str, ...] = (
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    )
    selectable_fields: tuple[str, ...] = ()
    """Dotted fields that fieldSelector accepts besides metadata.name and metadata.namespace."""
    complete: Complete | None = None
    """Called as complete(new, old) in the server after defaulting, before validation, on every
    write; fills in what the server computes and keeps what an update left out. `old` is None on
    create. metadata.uid and creationTimestamp are already set."""
    validate: Validate | None = None
    """Called as validate(new, old) after the schema's own checks."""
    validate_among: ValidateAmong | None = None
    """Called as validate_among(new, old, lookup) after `validate`, on what people write: checks
    that need other objects. What is not there yet is no error: it may come."""
    warn: Warn | None = None
    """Called as warn(new, old) on what people write and the checks let pass: sentences that
    kubectl prints, of what is accepted and does not do what it seems to say."""
    claims: Callable[[Object], list[Claim]] | None = None
    """The numbers that this object carries."""
    wants: Callable[[Object], list[str]] | None = None
    """Holders whose claims stay reserved for them while this object exists: a VirtualNetwork that
    a NetworkAttachmentDefinition still wants gets its number back when it is created again."""

    inert: str = ""
    """What objects of this kind do not do yet; whoever writes one is told, and so says its status.
    """
    made_for: Callable[[Object], tuple[str, str, str] | None] | None = None
    """(namespace, name, uid) of the Pod that an object was made for: while that pod runs, people
    cannot delete it."""
    kept_by: tuple[str, ...] = ()
    """Names of kinds whose references to an object keep people from deleting it."""
    pool_of: Callable[[Object], str] | None = None
    """The pool that numbers of this object are claimed in: while any is, people cannot delete
    it."""

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def list_kind(self) -> str:
        return self.kind + "List"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`plural.group`, the name that kubectl and Status details use."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def holder(kind: str, namespace: str, name: str) -> str:
    """The name of a claim's holder: `Kind/namespace/name`, or `Kind/name` without a namespace."""
    return f"{kind}/{namespace}/{name}" if namespace else f"{kind}/{name}"
