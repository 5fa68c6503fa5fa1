"""GET of a collection's changes."""

from __future__ import annotations

from cn2.apiserver import watches
from cn2.apiserver.request import Request, Stream
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving


async def watch(serving: Serving, request: Request, target: Target) -> Stream:
    watching = watches.begin(
        serving.backend, serving.frames, target.kind, target.namespace, request
    )
    return Stream(watching.chunks())
