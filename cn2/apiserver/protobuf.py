"""Kubernetes' protobuf bodies, which kubectl 1.32 and client-go send for built-in kinds.

A body is the magic `k8s\\0` and a runtime.Unknown: {1: TypeMeta{1: apiVersion, 2: kind}, 2: raw}.
Field numbers and types are those of k8s.io/api's generated.proto (`protobuf_messages`). Go writes
the zero value of fields that are not pointers too; those are dropped, as JSON's omitempty does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cn2.api.kind import Object
from cn2.apiserver.errors import bad_request
from cn2.apiserver.protobuf_messages import MESSAGES, ROOTS, Field

_MAGIC = b"k8s\0"


class _Malformed(ValueError):
    pass


def decode(body: bytes) -> Object:
    """The object in a body. Raises BadRequest for what is malformed or of an unknown kind."""
    if not body.startswith(_MAGIC):
        raise bad_request("the body is not Kubernetes protobuf")
    try:
        unknown = dict(_fields(body[len(_MAGIC) :]))
        kinds = dict(_fields(_bytes(unknown.get(1, b""))))
        api_version = _bytes(kinds.get(1, b"")).decode()
        kind = _bytes(kinds.get(2, b"")).decode()
        if kind not in ROOTS:
            raise bad_request(f"{api_version} {kind} is not accepted as protobuf: send JSON")
        obj = _message(kind, _bytes(unknown.get(2, b"")))
    except (ValueError, IndexError, OverflowError, OSError, RecursionError) as error:
        raise bad_request(f"malformed protobuf: {error}") from error
    return {"apiVersion": api_version, "kind": kind, **obj}


def _message(name: str, data: bytes) -> Object:
    known = MESSAGES[name]
    obj: Object = {}
    for number, raw in _fields(data):
        field = known.get(number)
        if field is not None:
            _add(obj, field, raw)
    return obj


def _add(obj: Object, field: Field, raw: int | bytes) -> None:
    if field.type.startswith("map:"):
        entry = dict(_fields(_bytes(raw)))
        key = _bytes(entry.get(1, b"")).decode()
        obj.setdefault(field.name, {})[key] = _value(field.type[4:], entry.get(2, b""))
        return
    value = _value(field.type, raw)
    if field.inline:
        obj.update(value)
    elif field.repeated:
        obj.setdefault(field.name, []).append(value)
    elif field.pointer or value not in ("", 0, False, {}, None):
        obj[field.name] = value


def _value(type_name: str, raw: int | bytes) -> Any:
    match type_name:
        case "string":
            return _bytes(raw).decode()
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "bool":
            return bool(raw)
        case "int":
            return _signed(raw)
        case "Time" | "MicroTime":
            return _time(_bytes(raw), micro=type_name == "MicroTime")
        case "IntOrString":
            parts = dict(_fields(_bytes(raw)))
            is_text = parts.get(1, 0) == 1
            return _bytes(parts.get(3, b"")).decode() if is_text else _signed(parts.get(2, 0))
        case "Quantity":
            return _bytes(dict(_fields(_bytes(raw))).get(1, b"")).decode()
        case "Strings":
            return [_bytes(text).decode() for _, text in _fields(_bytes(raw))]
        case "Raw":
            return json.loads(_bytes(dict(_fields(_bytes(raw))).get(1, b"null")))
        case _:
            return _message(type_name, _bytes(raw))


def _time(data: bytes, *, micro: bool) -> str | None:
    parts = dict(_fields(data))
    seconds = _signed(parts.get(1, 0))
    if not data or seconds < 0:
        return None  # Go's zero time lies before 1970
    when = datetime.fromtimestamp(seconds, UTC)
    if not micro:
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")
    return when.strftime("%Y-%m-%dT%H:%M:%S") + f".{_signed(parts.get(2, 0)) // 1000:06d}Z"


def _signed(raw: int | bytes) -> int:
    if not isinstance(raw, int):
        raise _Malformed("a number was expected")
    return raw - (1 << 64) if raw >= 1 << 63 else raw


def _bytes(raw: int | bytes) -> bytes:
    if not isinstance(raw, bytes):
        raise _Malformed("a length-delimited value was expected")
    return raw


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of one message as (number, value): a number for varints, bytes for the rest."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                if at + length > len(data):
                    raise _Malformed("truncated")
                yield tag >> 3, data[at : at + length]
                at += length
            case 1 | 5 as wire_type:
                size = 8 if wire_type == 1 else 4
                yield tag >> 3, data[at : at + size]
                at += size
            case wire_type:
                raise _Malformed(f"wire type {wire_type}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise _Malformed("a number is too long")
