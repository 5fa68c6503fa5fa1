"""Requests for a kind in another group or version than the one in which it is stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from cn2.api.kind import Kind, Object
from cn2.api.kubernetes.aliases import ALIASES, Alias
from cn2.apiserver import codec
from cn2.apiserver.request import JSON, Answer, Chunks, Holding, Reply, Request, Stream
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, Verb

KINDS: tuple[Kind, ...] = tuple(alias.kind for alias in ALIASES)
_BY_KIND = {(alias.kind.group, alias.kind.version, alias.kind.plural): alias for alias in ALIASES}


def of(kind: Kind) -> Alias | None:
    return _BY_KIND.get((kind.group, kind.version, kind.plural))


def translating(alias: Alias, verb: Verb) -> Verb:
    """The verb for the stored kind, with everything that goes in and out renamed."""

    async def answer(serving: Serving, request: Request, target: Target) -> Answer:
        asked = replace(
            request,
            query=_query(alias, request),
            body=_body(alias, request),
            headers=_headers(request),
        )
        answer = await verb(serving, asked, replace(target, kind=alias.stored))
        match answer:
            case Reply() if answer.status < 300 and answer.content_type == JSON:
                document = codec.parse_json(answer.body)
                return replace(answer, body=codec.dump(_served(alias, document)))
            case Stream():
                return replace(answer, chunks=_translated(alias, answer.chunks))
        return answer

    return answer


def _query(alias: Alias, request: Request) -> dict[str, str]:
    query = dict(request.query)
    if "fieldSelector" in query:
        query["fieldSelector"] = alias.selector(query["fieldSelector"])
    return query


def _headers(request: Request) -> dict[str, str]:
    """Protobuf has been decoded, patches keep their type."""
    headers = dict(request.headers)
    if headers.get("content-type", "").startswith(codec.PROTOBUF):
        headers["content-type"] = JSON
    return headers


def _body(alias: Alias, request: Request) -> bytes:
    if request.method not in ("POST", "PUT", "PATCH") or not request.body:
        return request.body
    media = request.headers.get("content-type", "")
    if request.method == "PATCH":
        patch = codec.parse_yaml(request.body)
        return codec.dump(alias.to_stored(patch)) if isinstance(patch, dict) else request.body
    return codec.dump(alias.to_stored(codec.parse(request.body, media)))


def _served(alias: Alias, document: Any) -> Any:
    """An object or a list in the alias's terms; Tables and Statuses are as they are."""
    kind = document.get("kind")
    if kind == alias.stored.kind:
        return alias.from_stored(document)
    if kind == alias.stored.list_kind:
        items = [alias.from_stored(item) for item in document["items"]]
        return {**document, "apiVersion": alias.kind.api_version, "items": items}
    return document


def _translated(alias: Alias, chunks: Chunks) -> Chunks:
    async def pieces() -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            yield b"".join(_event(alias, line) for line in chunk.splitlines())

    return Holding(pieces(), chunks.aclose)


def _event(alias: Alias, line: bytes) -> bytes:
    event: Object = codec.parse_json(line)
    obj = codec.dump(_served(alias, event["object"]))
    return codec.watch_event(event["type"].encode(), obj)
