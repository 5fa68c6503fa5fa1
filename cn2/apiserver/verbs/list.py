"""GET of a collection."""

from __future__ import annotations

from cn2.apiserver import codec, listing, pools, views
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving
from cn2.store.interface import Entry


async def list_(serving: Serving, request: Request, target: Target) -> Reply:
    backend, kind = serving.backend, target.kind
    view = views.asked(request)
    if pools.is_pool(kind):
        revision = backend.store.revision
        entries = [
            Entry(obj["metadata"]["name"], codec.dump(obj), revision, revision)
            for obj in pools.every(backend)
        ]
        metadata = {"resourceVersion": str(revision)}
        return Reply(200, await views.many(backend, kind, entries, view, metadata))
    listed = listing.page(backend, kind, target.namespace, request)
    return Reply(200, await views.many(backend, kind, listed.entries, view, listed.metadata))
