"""LimitRange admission: defaults and bounds of a new pod's resources."""

from __future__ import annotations

from cn2.api.kind import Kind, Object
from cn2.api.kinds import LIMIT_RANGE, POD
from cn2.api.kubernetes import pod_limits
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import forbidden


def admit(backend: Backend, kind: Kind, new: Object, old: Object | None) -> None:
    """Fills in a new pod's requests and limits. Raises Forbidden for what is out of bounds."""
    if kind is not POD or old is not None:
        return
    namespace, name = new["metadata"]["namespace"], new["metadata"]["name"]
    ranges = [
        codec.decode(entry)
        for entry in backend.store.latest_under(keys.under(LIMIT_RANGE, namespace))
    ]
    for limit_range in ranges:
        pod_limits.fill(new, limit_range)
    told = [text for limit_range in ranges for text in pod_limits.violations(new, limit_range)]
    if told:
        raise forbidden(kind, name, told[0] if len(told) == 1 else f"[{', '.join(told)}]")
