"""Other groups and versions in which stored kinds are served too.

`events.k8s.io/v1` is what newer event recorders write: the same objects as core/v1 Events, under
other names of fields. The beta versions are those that kubectl 1.20 asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cn2.api import schema as s
from cn2.api.kind import Kind, Object, Schema
from cn2.api.kubernetes.cron_job import CRON_JOB
from cn2.api.kubernetes.disruption_budget import POD_DISRUPTION_BUDGET
from cn2.api.kubernetes.event import EVENT


@dataclass(frozen=True, slots=True)
class Alias:
    """`kind` is served, `stored` is stored; `names` are members whose names differ, as served."""

    kind: Kind
    stored: Kind
    names: Mapping[str, str] = field(default_factory=dict)

    def to_stored(self, obj: Object) -> Object:
        """An object as a client sent it, as it is stored."""
        return self._renamed(obj, self.names, self.kind, self.stored)

    def from_stored(self, obj: Object) -> Object:
        """A stored object as it is served."""
        names = {stored: served for served, stored in self.names.items()}
        return self._renamed(obj, names, self.stored, self.kind)

    def selector(self, fields: str) -> str:
        """A field selector in the terms of what is stored."""
        for served, stored in self.names.items():
            fields = ",".join(
                stored + term.removeprefix(served)
                if term.startswith((f"{served}.", f"{served}=", f"{served}!"))
                else term
                for term in fields.split(",")
            )
        return fields

    @staticmethod
    def _renamed(obj: Object, names: Mapping[str, str], source: Kind, target: Kind) -> Object:
        renamed = {names.get(key, key): value for key, value in obj.items()}
        if obj.get("apiVersion") == source.api_version:
            renamed["apiVersion"] = target.api_version
        return renamed


_EVENT_NAMES = {
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedSource": "source",
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
}


def _event_schema() -> Schema:
    served = {stored: name for name, stored in _EVENT_NAMES.items()}
    properties = EVENT.schema["properties"]
    return s.object("", {served.get(key, key): value for key, value in properties.items()})


ALIASES: tuple[Alias, ...] = (
    Alias(
        replace(EVENT, group="events.k8s.io", schema=_event_schema()),
        EVENT,
        _EVENT_NAMES,
    ),
    Alias(replace(POD_DISRUPTION_BUDGET, version="v1beta1"), POD_DISRUPTION_BUDGET),
    Alias(replace(CRON_JOB, version="v1beta1"), CRON_JOB),
)
