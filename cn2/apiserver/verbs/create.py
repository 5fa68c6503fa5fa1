"""POST to a collection."""

from __future__ import annotations

from cn2.apiserver import codec, writes
from cn2.apiserver.errors import bad_request
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, reply


async def create(serving: Serving, request: Request, target: Target) -> Reply:
    obj = codec.parse(request.body, request.headers.get("content-type", ""))
    namespace = target.namespace
    if target.kind.namespaced and not namespace:
        raise bad_request("an object of a namespaced kind is created in a namespace's collection")
    options = WriteOptions.of(request)
    return reply(await writes.create(serving.backend, target.kind, namespace, obj, options), 201)
