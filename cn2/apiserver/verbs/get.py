"""GET of one object."""

from __future__ import annotations

from cn2.apiserver import codec, computed, keys, views
from cn2.apiserver.errors import not_found
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving


async def get(serving: Serving, request: Request, target: Target) -> Reply:
    backend, kind = serving.backend, target.kind
    view = views.asked(request)
    if computed.is_computed(kind):
        body = codec.dump(computed.get(backend, kind, target.name))
        return Reply(200, views.one(backend, kind, body, view))
    entry = backend.store.get(keys.key(kind, target.namespace, target.name))
    if entry is None:
        raise not_found(kind, target.name)
    return Reply(200, entry.value if view.whole else views.one(backend, kind, entry.value, view))
