"""Objects as bytes: what clients send, what is stored, what is served.

An object is stored as the JSON that is served, with its resourceVersion in it, so that reads
never decode. The revision is known only when the store commits; therefore an encoded object is in
two halves between which the store writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import yaml

from cn2.api.kind import Kind, Object
from cn2.apiserver import protobuf
from cn2.apiserver.errors import bad_request, unsupported_media_type
from cn2.store.interface import Entry, Stamped

PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = ("application/json", "application/yaml", PROTOBUF)

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML whose dates stay the text that was written."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def encode(obj: Object) -> Stamped:
    """An object in two halves; what its metadata says of its resourceVersion is left out."""
    head = _encode({"apiVersion": obj["apiVersion"], "kind": obj["kind"]})[:-1]
    metadata = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    tail = _encode(metadata)
    more = _encode(rest)
    return Stamped(
        head + b',"metadata":{"resourceVersion":"',
        b'"' + (b"," + tail[1:] if metadata else b"}") + (b"," + more[1:] if rest else b"}"),
    )


def decode(entry: Entry) -> Object:
    """The object of an entry, resourceVersion included; the caller may change it."""
    obj: Object = _decode(entry.value)
    return obj


def dump(document: Any) -> bytes:
    return _encode(document)


def parse(body: bytes, content_type: str) -> Object:
    """The object in a request's body."""
    media = content_type.split(";", 1)[0].strip().lower()
    if media == PROTOBUF:
        return protobuf.decode(body)
    if media in ("application/yaml", "application/apply-patch+yaml"):
        return _mapping(parse_yaml(body))
    if media in ("", "application/json") or media.endswith("+json"):
        return _mapping(parse_json(body))
    raise unsupported_media_type(ACCEPTED)


def parse_json(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"error decoding JSON: {error}") from error


def parse_yaml(body: bytes) -> Any:
    try:
        return _decode(body)  # most clients send JSON, which is YAML
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        # A few lines of aliases to aliases stand for gigabytes once they are written out.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(body, Loader=_Loader)):
            raise bad_request("error converting YAML to JSON: aliases are not accepted")
        return yaml.load(body, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise bad_request(f"error converting YAML to JSON: {error}") from error


def part(obj: Object, name: str) -> Object:
    """An object within what a client sent; {} when it was left out. Raises BadRequest."""
    found = obj.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise bad_request(f"{name}: must be an object")
    return found


def _mapping(document: Any) -> Object:
    if not isinstance(document, dict):
        raise bad_request("the body of the request is not an object")
    return document


def list_body(kind: Kind, metadata: Object, items: Iterable[bytes]) -> bytes:
    """A list of stored objects, none of them decoded."""
    head = _encode({"apiVersion": kind.api_version, "kind": kind.list_kind, "metadata": metadata})
    # One join for all: thousands of objects are megabytes, and every further copy milliseconds.
    pieces = list(items) or [b""]
    pieces[0] = head[:-1] + b',"items":[' + pieces[0]
    pieces[-1] += b"]}"
    return b",".join(pieces)


def watch_event(event_type: bytes, obj: bytes) -> bytes:
    """One line of a watch."""
    return b'{"type":"' + event_type + b'","object":' + obj + b"}\n"
