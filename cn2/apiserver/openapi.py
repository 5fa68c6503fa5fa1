"""The OpenAPI documents of the server: /openapi/v2 and /openapi/v3.

v2 is one document of all kinds, as JSON and as protobuf; v3 is an index and one document per
group and version. `kubectl explain`, `apply`, `--dry-run=server` and field validation live on
them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property

from cn2.api.kind import Kind, Object
from cn2.apiserver.openapi_models import Style, definitions
from cn2.apiserver.openapi_paths import paths
from cn2.apiserver.openapi_protobuf import CONTENT_TYPE, encode

__all__ = ["CONTENT_TYPE", "Documents", "v2", "v2_protobuf", "v3", "v3_index"]

_INFO = {"title": "cn2", "version": "v1alpha1"}
_V2, _V3 = Style(2), Style(3)


def v2(kinds: Iterable[Kind]) -> Object:
    """/openapi/v2 as JSON."""
    kinds = tuple(kinds)
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": paths(kinds, _V2),
        "definitions": definitions(kinds, _V2),
    }


def v2_protobuf(kinds: Iterable[Kind]) -> bytes:
    """/openapi/v2 as protobuf; reply with CONTENT_TYPE."""
    return encode(v2(kinds))


def v3(kinds: Iterable[Kind], group: str, version: str) -> Object | None:
    """/openapi/v3/apis/GROUP/VERSION (or api/v1, `group` ""); None when it is not served."""
    served = [kind for kind in kinds if (kind.group, kind.version) == (group, version)]
    if not served:
        return None
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": paths(served, _V3),
        "components": {"schemas": definitions(served, _V3)},
    }


def v3_index(kinds: Iterable[Kind]) -> Object:
    """/openapi/v3: where each document is; its hash lets clients cache it for ever."""
    return Documents(kinds).index


class Documents:
    """The encoded documents of one table of kinds, made when first asked for."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = tuple(kinds)
        self._v3: dict[str, bytes] = {}

    @cached_property
    def v2_json(self) -> bytes:
        """/openapi/v2, application/json."""
        return _json(v2(self._kinds))

    @cached_property
    def v2_protobuf(self) -> bytes:
        """/openapi/v2, CONTENT_TYPE."""
        return v2_protobuf(self._kinds)

    @cached_property
    def index(self) -> Object:
        """/openapi/v3."""
        return {
            "paths": {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={self.hash(path)}"}
                for path in sorted({_path(kind) for kind in self._kinds})
            }
        }

    def v3(self, path: str) -> bytes | None:
        """/openapi/v3/PATH, `path` being `api/v1` or `apis/GROUP/VERSION`."""
        if path not in self._v3:
            group, _, version = path.partition("/")[2].rpartition("/")
            document = v3(self._kinds, group, version)
            if document is None or path != _path_of(group, version):
                return None
            self._v3[path] = _json(document)
        return self._v3[path]

    def hash(self, path: str) -> str:
        """The hash in the index of the document at `path`, also its entity tag."""
        return hashlib.sha512(self.v3(path) or b"").hexdigest().upper()


def _json(document: Object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _path(kind: Kind) -> str:
    return _path_of(kind.group, kind.version)


def _path_of(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"
