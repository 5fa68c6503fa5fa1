"""Checks that several kinds' `validate` hooks are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from cn2.api.access import at, text
from cn2.api.kind import FieldError, Object
from cn2.api.references import same_referent
from cn2.api.schema_checks import invalid, not_supported, required, without_value
from cn2.net.mac import parse_interface_mac
from cn2.net.prefix import family_of, parse_address, parse_prefix
from cn2.net.route_target import parse_route_target


def forbidden(path: str, detail: str) -> FieldError:
    """A `Forbidden` error in kube-apiserver's words."""
    return FieldError(path, f"Forbidden: {detail}", "FieldValueForbidden")


def immutable(new: Object, old: Object | None, *paths: str) -> list[FieldError]:
    """One error for each dotted path whose value an update changes."""
    if old is None:
        return []
    return [
        invalid(path, at(new, *path.split(".")), "field is immutable")
        for path in paths
        if at(new, *path.split(".")) != at(old, *path.split("."))
    ]


def immutable_references(new: Object, old: Object | None, *paths: str) -> list[FieldError]:
    """As `immutable`, for references: only apiVersion, kind, namespace and name count, and an
    apiVersion that is left out is the one before."""
    if old is None:
        return []
    errors = []
    for path in paths:
        now, before = at(new, *path.split(".")), at(old, *path.split("."))
        named = {"apiVersion": before.get("apiVersion"), **(now or {})} if before else {}
        if before and not same_referent(named, before):
            errors.append(invalid(path, now, "field is immutable"))
    return errors


def parses(path: str, value: Any, parse: Callable[[str], object]) -> list[FieldError]:
    """An error when `parse` refuses the string; nothing is said of an absent one."""
    if not isinstance(value, str) or not value:
        return []
    try:
        parse(value)
    except ValueError as error:
        return [invalid(path, value, without_value(str(error), value))]
    return []


def each_parses(
    path: str, values: Iterable[Any], parse: Callable[[str], object]
) -> list[FieldError]:
    """As `parses`, for every element of a list; an empty string is an error here."""
    errors = []
    for index, value in enumerate(values):
        if value == "":
            errors.append(invalid(f"{path}[{index}]", value, "must not be empty"))
        errors.extend(parses(f"{path}[{index}]", value, parse))
    return errors


def address(path: str, value: Any) -> list[FieldError]:
    """An error unless the value is absent or an IP address."""
    return parses(path, value, parse_address)


def cidr(path: str, value: Any) -> list[FieldError]:
    """An error unless the value is absent or a CIDR without host bits."""
    return parses(path, value, parse_prefix)


def block(path: str, value: Object) -> list[FieldError]:
    """Errors unless `{ipPrefix, ipPrefixLen}` is a block of addresses without host bits."""
    errors = [required(f"{path}.{key}") for key in ("ipPrefix", "ipPrefixLen") if key not in value]
    if errors:
        return errors
    return parses(path, f"{value['ipPrefix']}/{value['ipPrefixLen']}", parse_prefix)


def of_family(path: str, value: Any, family: str) -> list[FieldError]:
    """An error unless the value is absent or an address of the family (`v4`, `v6`)."""
    errors = address(path, value)
    if value and not errors and family_of(value) != family:
        errors = [invalid(path, value, f"must be an IP{family} address")]
    return errors


def mac(path: str, value: Any) -> list[FieldError]:
    """An error unless the value is absent or a MAC address that an interface may have."""
    return parses(path, value, parse_interface_mac)


def route_targets(path: str, values: Iterable[Any]) -> list[FieldError]:
    """An error for each value that is not a route target."""
    return each_parses(path, values, parse_route_target)


def refers_to(path: str, value: Any, *kinds: str) -> list[FieldError]:
    """Errors unless the value is absent, empty, or a named reference to one of `kinds`."""
    if not isinstance(value, dict) or not value:
        return []
    errors = []
    if value.get("kind", "") not in kinds:
        errors.append(not_supported(f"{path}.kind", value.get("kind", ""), kinds))
    name, namespace = text(value, "name"), text(value, "namespace")
    if not name:
        errors.append(required(f"{path}.name"))
    elif not _is_name(name):
        errors.append(invalid(f"{path}.name", name, "cannot be the name of an object"))
    if namespace and not _LABEL.fullmatch(namespace):
        errors.append(invalid(f"{path}.namespace", namespace, "cannot be the name of a namespace"))
    return errors


_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _is_name(name: str) -> bool:
    return name not in (".", "..") and "/" not in name and "%" not in name


def needs(path: str, value: Any, *kinds: str) -> list[FieldError]:
    """As `refers_to`, for a reference that must be there."""
    return refers_to(path, value, *kinds) if value else [required(path)]


def each_refers_to(path: str, values: Iterable[Any], *kinds: str) -> list[FieldError]:
    """As `needs`, for every element of a list."""
    return [
        error
        for index, value in enumerate(values)
        for error in needs(f"{path}[{index}]", value, *kinds)
    ]
