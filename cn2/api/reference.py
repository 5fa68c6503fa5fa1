"""The reference page of CN2's kinds, made from the table of kinds."""

from __future__ import annotations

from collections.abc import Iterator

from cn2.api.kind import Family, Kind, Schema
from cn2.api.kinds import KINDS

_DEEPEST = 4
_HEAD = f"""# Reference of the kinds

Generated from the table of kinds by `scripts/gen`, {_DEEPEST} levels deep;
`kubectl explain --recursive` says the rest.
"""


def page() -> str:
    """The whole page, in Markdown: a section for each kind that is not Kubernetes' own."""
    shown = [kind for kind in KINDS if kind.family is not Family.KUBERNETES]
    return "\n".join([_HEAD, *(_section(kind) for kind in shown)])


def _section(kind: Kind) -> str:
    names = ", ".join([kind.plural, *kind.short_names])
    scope = "namespaced" if kind.namespaced else "cluster-scoped"
    columns = ", ".join(column.name for column in kind.columns)
    lines = [
        f"## {kind.kind}",
        "",
        f"`{kind.api_version}`, {scope}; {names}.",
        *([f"Columns of `kubectl get`: {columns}.", ""] if columns else [""]),
        *([kind.description, ""] if kind.description else []),
        "| field | type | |",
        "|---|---|---|",
        *(f"| `{path}` | {what} | {text} |" for path, what, text in _fields(kind.schema, "")),
        "",
    ]
    return "\n".join(lines)


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    """(path, type, what is said of it) of everything below a node, in the order of the schema."""
    if "items" in schema:
        yield from _fields(schema["items"], path + "[]")
    inside = schema.get("additionalProperties")
    if isinstance(inside, dict):
        yield from _fields(inside, path + "{}")
    required = schema.get("required", ())
    for name, node in schema.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        yield below, _type(node), _said(node, name in required)
        if below.count(".") < _DEEPEST - 1:
            yield from _fields(node, below)


def _type(node: Schema) -> str:
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "items" in node:
        return f"list of {_type(node['items'])}"
    if isinstance(node.get("additionalProperties"), dict):
        return f"map of {_type(node['additionalProperties'])}"
    return str(node.get("type", "any"))


def _said(node: Schema, required: bool) -> str:
    parts = [" ".join(node.get("description", "").split()).replace("|", "\\|")]
    if "enum" in node:
        parts.append("One of " + ", ".join(f"`{value}`" for value in node["enum"]) + ".")
    if node.get("default") not in (None, {}, []):
        default = node["default"]
        shown = str(default).lower() if isinstance(default, bool) else default
        parts.append(f"Default `{shown}`.")
    if required:
        parts.append("Required.")
    return " ".join(filter(None, parts))
