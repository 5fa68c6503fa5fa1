"""PUT of one object, or of its status."""

from __future__ import annotations

from cn2.apiserver import codec
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, reply
from cn2.apiserver.writes import Update


async def update(serving: Serving, request: Request, target: Target) -> Reply:
    content_type = request.headers.get("content-type", "")
    codec.parse(request.body, content_type)
    written = await Update(
        backend=serving.backend,
        kind=target.kind,
        namespace=target.namespace,
        name=target.name,
        # Parsed again for each attempt: an attempt changes the object it is given.
        change=lambda _: codec.parse(request.body, content_type),
        options=WriteOptions.of(request),
        subresource=target.subresource,
    ).run()
    return reply(written)
