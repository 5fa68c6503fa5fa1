"""GET of a collection."""

from __future__ import annotations

from cn2.apiserver import computed, listing, views
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving


async def list_(serving: Serving, request: Request, target: Target) -> Reply:
    backend, kind = serving.backend, target.kind
    view = views.asked(request)
    if computed.is_computed(kind):
        found = computed.every(backend, kind, request)
        metadata = {"resourceVersion": str(found.revision)}
        return Reply(200, await views.many(backend, kind, found.entries, view, metadata))
    listed = listing.page(backend, kind, target.namespace, request)
    return Reply(200, await views.many(backend, kind, listed.entries, view, listed.metadata))
