"""Lists: which revision is shown, and how a long one comes in pages of one and the same past."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from cn2.api.kind import Kind, Object
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import Selection
from cn2.apiserver.errors import ApiError, bad_request, expired, too_large, too_old
from cn2.apiserver.request import Request
from cn2.store.interface import Compacted, Entry, FutureRevision, Page

_CHUNK = 500


class _Token(msgspec.Struct):
    """Where a list goes on: the revision of its first page, and the last key that was shown."""

    rv: int
    start: str
    v: str = "meta.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Listed:
    """One page, and the metadata of its list."""

    entries: list[Entry]
    metadata: Object


def page(backend: Backend, kind: Kind, namespace: str, request: Request) -> Listed:
    """The page that a request asks for. Raises Expired, Timeout (a revision not yet reached)."""
    query = request.query
    prefix = keys.under(kind, namespace)
    select = Selection(
        backend.digests, kind, query.get("labelSelector", ""), query.get("fieldSelector", "")
    )
    limit = _limit(query.get("limit", ""))
    token = _parse(query.get("continue", ""), prefix)
    if token and query.get("resourceVersion", "0") not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    at = token.rv if token else _revision(backend, request)
    try:
        found = _collect(backend, prefix, select, token.start if token else "", limit, at)
    except Compacted as gone:
        raise _compacted(gone, token) from gone
    except FutureRevision as future:
        raise too_large(future.asked, future.current) from future
    return Listed(found.entries, _metadata(found, select, prefix))


def revision(text: str) -> int:
    """A resourceVersion in a query; "" and "0" are 0."""
    if not text:
        return 0
    if not text.isdecimal():
        raise bad_request(f"invalid resource version {text!r}: must be an unsigned integer")
    return int(text)


def _revision(backend: Backend, request: Request) -> int | None:
    """The past revision that must be shown exactly, or None for the newest state."""
    given = revision(request.query.get("resourceVersion", ""))
    match = request.query.get("resourceVersionMatch", "")
    if match not in ("", "Exact", "NotOlderThan"):
        raise bad_request(f"resourceVersionMatch: Unsupported value: {match!r}")
    if match and "resourceVersion" not in request.query:
        raise bad_request("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if match == "Exact":
        if not given:
            raise bad_request("resourceVersionMatch Exact is forbidden for resourceVersion 0")
        return given
    if given > backend.store.revision:
        raise too_large(given, backend.store.revision)
    return None


def _collect(
    backend: Backend, prefix: str, select: Selection, after: str, limit: int, at: int | None
) -> Page:
    if select.everything:
        return backend.store.list(prefix, after=after, limit=limit, at=at)
    shown: list[Entry] = []
    # All chunks are of one revision: nothing is awaited in between.
    while True:
        chunk = backend.store.list(prefix, after=after, limit=_CHUNK if limit else 0, at=at)
        for index, entry in enumerate(chunk.entries):
            if select(entry):
                shown.append(entry)
                if len(shown) == limit:
                    left = chunk.remaining + len(chunk.entries) - index - 1
                    return Page(shown, chunk.revision, left)
        if not chunk.remaining:
            return Page(shown, chunk.revision, 0)
        after = chunk.entries[-1].key


def _metadata(found: Page, select: Selection, prefix: str) -> Object:
    metadata: Object = {"resourceVersion": str(found.revision)}
    if found.remaining:
        start = found.entries[-1].key.removeprefix(prefix)
        token = msgspec.json.encode(_Token(found.revision, start))
        metadata["continue"] = base64.urlsafe_b64encode(token).rstrip(b"=").decode()
        # With a selector nobody has counted how many of the rest would match.
        if select.everything:
            metadata["remainingItemCount"] = found.remaining
    return metadata


def _parse(text: str, prefix: str) -> _Token | None:
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        token = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Token)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise bad_request("continue key is not valid") from error
    return _Token(token.rv, prefix + token.start)


def _limit(text: str) -> int:
    if not text:
        return 0
    if not text.lstrip("-").isdecimal():
        raise bad_request(f"invalid limit {text!r}")
    return max(0, int(text))


def _compacted(gone: Compacted, token: _Token | None) -> ApiError:
    if token is None:
        return too_old(gone.asked, gone.oldest)
    return expired(
        "The provided continue parameter is too old to display a consistent list result."
        " You must start a new list without the continue parameter."
    )
