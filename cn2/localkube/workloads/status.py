"""Writes the status of a workload, where it says something new."""

from __future__ import annotations

from cn2.api.access import mapping
from cn2.api.kind import Object
from cn2.client.errors import NotFound
from cn2.client.http import Client
from cn2.client.informer import Informer


async def write_status(client: Client, informer: Informer, obj: Object, status: Object) -> Object:
    """Replaces the status of the object as it was seen; the object as it is now. Raises Conflict
    when it has changed meanwhile."""
    wanted = {key: value for key, value in status.items() if value not in (None, [])}
    if wanted == mapping(obj, "status"):
        return obj
    try:
        written = await client.replace(
            informer.kind, {**obj, "status": wanted}, subresource="status"
        )
    except NotFound:
        return obj
    informer.learn(written)
    return written
