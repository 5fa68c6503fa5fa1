"""OpenAPI v2 documents in protobuf: the message `openapi.v2.Document` of gnostic.

kubectl before 1.27 accepts /openapi/v2 in no other form. Field numbers are those of gnostic's
openapiv2/OpenAPIv2.proto; what kubectl does not read (tags, security, examples) is not encoded.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Type of the reply. The `@` of the type that kubectl accepts is no legal character in it."""

_LENGTH_DELIMITED, _FIXED64 = 2, 1


def encode(document: Mapping[str, Any]) -> bytes:
    """Encode an OpenAPI v2 document."""
    return b"".join(
        (
            _text(1, document["swagger"]),
            _message(2, _text(1, document["info"]["title"]), _text(2, document["info"]["version"])),
            _message(8, _named(2, document.get("paths", {}), _path_item)),
            _message(9, _named(1, document.get("definitions", {}), _schema)),
        )
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode()) if value else b""


def _texts(field: int, values: Iterable[str]) -> bytes:
    return b"".join(_bytes(field, value.encode()) for value in values)


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & 0xFFFFFFFFFFFFFFFF) if value else b""


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def _message(field: int, *parts: bytes) -> bytes:
    return _bytes(field, b"".join(parts))


def _named(field: int, values: Mapping[str, Any], encode_value: Callable[[Any], bytes]) -> bytes:
    return b"".join(
        _message(field, _text(1, name), _message(2, encode_value(value)))
        for name, value in values.items()
    )


def _any(value: Any) -> bytes:
    # JSON is YAML, and this text is what readers parse.
    return _text(2, json.dumps(value, separators=(",", ":")))


def _extensions(field: int, node: Mapping[str, Any]) -> bytes:
    return _named(field, {key: node[key] for key in node if key.startswith("x-")}, _any)


# Schemas ----------------------------------------------------------------------------------------


def _additional(value: Any) -> bytes:
    if isinstance(value, bool):
        return _int(2, int(value))
    return _message(1, _schema(value))


_SCHEMA_FIELDS: tuple[tuple[str, Callable[[Any], bytes]], ...] = (
    ("$ref", lambda value: _text(1, value)),
    ("format", lambda value: _text(2, value)),
    ("description", lambda value: _text(4, value)),
    ("default", lambda value: _message(5, _any(value))),
    ("multipleOf", lambda value: _double(6, value)),
    ("maximum", lambda value: _double(7, value)),
    ("exclusiveMaximum", lambda value: _int(8, int(value))),
    ("minimum", lambda value: _double(9, value)),
    ("exclusiveMinimum", lambda value: _int(10, int(value))),
    ("maxLength", lambda value: _int(11, value)),
    ("minLength", lambda value: _int(12, value)),
    ("pattern", lambda value: _text(13, value)),
    ("maxItems", lambda value: _int(14, value)),
    ("minItems", lambda value: _int(15, value)),
    ("uniqueItems", lambda value: _int(16, int(value))),
    ("maxProperties", lambda value: _int(17, value)),
    ("minProperties", lambda value: _int(18, value)),
    ("required", lambda value: _texts(19, value)),
    ("enum", lambda value: b"".join(_message(20, _any(item)) for item in value)),
    ("additionalProperties", lambda value: _message(21, _additional(value))),
    ("type", lambda value: _message(22, _text(1, value))),
    ("items", lambda value: _message(23, _message(1, _schema(value)))),
    ("properties", lambda value: _message(25, _named(1, value, _schema))),
)


def _schema(node: Mapping[str, Any]) -> bytes:
    known = [encode_field(node[key]) for key, encode_field in _SCHEMA_FIELDS if key in node]
    return b"".join(known) + _extensions(31, node)


# Paths ------------------------------------------------------------------------------------------

_OPERATIONS = (("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8))


def _path_item(node: Mapping[str, Any]) -> bytes:
    operations = [
        _message(field, _operation(node[method])) for method, field in _OPERATIONS if method in node
    ]
    return b"".join(operations) + _parameters(9, node.get("parameters", ()))


def _operation(node: Mapping[str, Any]) -> bytes:
    return b"".join(
        (
            _text(5, node.get("operationId", "")),
            _texts(7, node.get("consumes", ())),
            _parameters(8, node.get("parameters", ())),
            _message(9, _named(1, node.get("responses", {}), _response_value)),
            _extensions(13, node),
        )
    )


def _response_value(node: Mapping[str, Any]) -> bytes:
    schema = _message(2, _message(1, _schema(node["schema"]))) if "schema" in node else b""
    return _message(1, _text(1, node.get("description", "")), schema)


def _parameters(field: int, nodes: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(_message(field, _message(1, _parameter(node))) for node in nodes)


def _parameter(node: Mapping[str, Any]) -> bytes:
    if node["in"] == "body":
        return _message(
            1,
            _text(1, node.get("description", "")),
            _text(2, node["name"]),
            _text(3, "body"),
            _int(4, int(node.get("required", False))),
            _message(5, _schema(node["schema"])),
        )
    return _message(2, _simple_parameter(node))


def _simple_parameter(node: Mapping[str, Any]) -> bytes:
    query = node["in"] == "query"
    return _message(
        3 if query else 4,
        _int(1, int(node.get("required", False))),
        _text(2, node["in"]),
        _text(3, node.get("description", "")),
        _text(4, node["name"]),
        _text(6 if query else 5, node["type"]),
    )
