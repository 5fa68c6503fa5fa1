"""DELETE of a collection."""

from __future__ import annotations

import asyncio

from cn2.apiserver import codec, deletion, listing
from cn2.apiserver.deletion import DeleteOptions
from cn2.apiserver.digest import header
from cn2.apiserver.errors import ApiError
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving
from cn2.store.interface import Entry


async def deletecollection(serving: Serving, request: Request, target: Target) -> Reply:
    """Deletes what the list would show, and answers with that list."""
    options = DeleteOptions.of(request)
    listed = listing.page(serving.backend, target.kind, target.namespace, request)
    await asyncio.gather(*(_delete(serving, target, entry, options) for entry in listed.entries))
    bodies = [entry.value for entry in listed.entries]
    return Reply(200, codec.list_body(target.kind, listed.metadata, bodies))


async def _delete(serving: Serving, target: Target, entry: Entry, options: DeleteOptions) -> None:
    metadata = header(entry)
    try:
        await deletion.delete(
            serving.backend, target.kind, metadata.namespace, metadata.name, options
        )
    except ApiError as error:
        if error.code != 404:
            raise
