"""Event (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import at, text
from cn2.api.kind import Column, Kind, Object
from cn2.api.shared_types import object_reference


def _first_seen(obj: Object) -> str | None:
    return text(obj, "firstTimestamp") or text(obj, "eventTime") or None


def _last_seen(obj: Object) -> str | None:
    return (
        text(obj, "series", "lastObservedTime")
        or text(obj, "lastTimestamp")
        or _first_seen(obj)
        or text(obj, "metadata", "creationTimestamp")
        or None
    )


def _about(obj: Object) -> str:
    kind, name = text(obj, "involvedObject", "kind"), text(obj, "involvedObject", "name")
    return f"{kind.lower()}/{name}"


def _source(obj: Object) -> str:
    component = text(obj, "source", "component") or text(obj, "reportingComponent")
    host = text(obj, "source", "host")
    return f"{component}, {host}" if host else component


EVENT = Kind(
    group="",
    version="v1",
    kind="Event",
    plural="events",
    short_names=("ev",),
    namespaced=True,
    description="Event is a report of an event somewhere in the cluster.",
    schema=s.object(
        "",
        {
            "action": s.string("What action was taken/failed regarding to the Regarding object."),
            "count": s.integer("The number of times this event has occurred."),
            "eventTime": s.time("Time when this Event was first observed."),
            "firstTimestamp": s.time("The time at which the event was first recorded."),
            "involvedObject": object_reference("The object that this event is about."),
            "lastTimestamp": s.time("The time of the most recent occurrence of this event."),
            "message": s.string("A human-readable description of the status of this operation."),
            "reason": s.string("Machine understandable reason for the transition."),
            "related": object_reference("Optional secondary object for more complex actions."),
            "reportingComponent": s.string("Name of the controller that emitted this Event."),
            "reportingInstance": s.string("ID of the controller instance."),
            "series": s.object(
                "Data about the Event series this event represents.",
                {
                    "count": s.integer("Number of occurrences in this series."),
                    "lastObservedTime": s.time("Time of the last occurrence observed."),
                },
            ),
            "source": s.object(
                "The component reporting this event.",
                {
                    "component": s.string("Component from which the event is generated."),
                    "host": s.string("Node name on which the event is generated."),
                },
                default={},
            ),
            "type": s.string("Type of this event (Normal, Warning)."),
        },
        required=("involvedObject",),
    ),
    columns=(
        Column(name="Last Seen", cell=_last_seen, type="date", description="Time last seen."),
        Column(name="Type", path=".type", description="Normal or Warning."),
        Column(name="Reason", path=".reason", description="Reason of the event."),
        Column(name="Object", cell=_about, description="The object that the event is about."),
        Column(
            name="Subobject",
            path=".involvedObject.fieldPath",
            description="Part of the object.",
            priority=1,
        ),
        Column(name="Source", cell=_source, description="Who reported it.", priority=1),
        Column(name="Message", cell=lambda obj: text(obj, "message").strip(), description="Text."),
        Column(
            name="First Seen",
            cell=_first_seen,
            type="date",
            description="Time first seen.",
            priority=1,
        ),
        Column(
            name="Count",
            cell=lambda obj: at(obj, "count", default=1),
            type="integer",
            description="How often it occurred.",
            priority=1,
        ),
        Column(name="Name", path=".metadata.name", description="Name of the event.", priority=1),
    ),
    selectable_fields=(
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
)
