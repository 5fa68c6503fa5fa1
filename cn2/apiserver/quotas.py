"""ResourceQuota admission: nothing is written that would use more than a namespace may.

Usage is counted from the newest state, writes on their way included, in the step that submits the
write: two requests at once cannot both take what is left.
"""

from __future__ import annotations

from decimal import Decimal

from cn2.api.access import mapping
from cn2.api.kind import Kind, Object
from cn2.api.kinds import POD, RESOURCE_QUOTA
from cn2.api.kubernetes import quota as quotas
from cn2.api.quantity import amount, amount_text
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import forbidden


def admit(backend: Backend, kind: Kind, new: Object, old: Object | None) -> None:
    """Raises Forbidden when a quota of the namespace says so."""
    metadata = new["metadata"]
    if not kind.namespaced or metadata.get("deletionTimestamp"):
        return
    for entry in backend.store.latest_under(keys.under(RESOURCE_QUOTA, metadata["namespace"])):
        _admit(backend, codec.decode(entry), kind, new, old)


def _admit(backend: Backend, quota: Object, kind: Kind, new: Object, old: Object | None) -> None:
    name, called = quota["metadata"]["name"], new["metadata"]["name"]
    if kind is POD and old is None and quotas.applies(quota, kind, new):
        missing = quotas.unspecified(quota, new)
        if missing:
            raise forbidden(kind, called, f"failed quota: {name}: must specify {missing}")
    before = quotas.charged(quota, kind, old)
    wanted = {
        resource: number - before.get(resource, Decimal(0))
        for resource, number in quotas.charged(quota, kind, new).items()
        if number > before.get(resource, Decimal(0))
    }
    if not wanted:
        return
    used = _used(backend, quota, kind, wanted)
    hard = mapping(quota, "spec", "hard")
    over = sorted(r for r, number in wanted.items() if used[r] + number > amount(hard[r]))
    if over:
        shown = (
            ("requested", {r: amount_text(wanted[r], hard[r]) for r in over}),
            ("used", {r: amount_text(used[r], hard[r]) for r in over}),
            ("limited", {r: hard[r] for r in over}),
        )
        told = ", ".join(
            f"{what}: {','.join(f'{r}={number}' for r, number in amounts.items())}"
            for what, amounts in shown
        )
        raise forbidden(kind, called, f"exceeded quota: {name}, {told}")


def _used(
    backend: Backend, quota: Object, kind: Kind, wanted: dict[str, Decimal]
) -> dict[str, Decimal]:
    """What is used of the resources that objects of this kind use."""
    entries = backend.store.latest_under(keys.under(kind, quota["metadata"]["namespace"]))
    if quotas.counts_only(wanted) and not _has_scopes(quota):
        return dict.fromkeys(wanted, Decimal(len(entries)))
    sums = dict.fromkeys(wanted, Decimal(0))
    for entry in entries:
        for resource, number in quotas.charged(quota, kind, codec.decode(entry)).items():
            if resource in sums:
                sums[resource] += number
    return sums


def _has_scopes(quota: Object) -> bool:
    spec = mapping(quota, "spec")
    return bool(spec.get("scopes") or spec.get("scopeSelector"))
