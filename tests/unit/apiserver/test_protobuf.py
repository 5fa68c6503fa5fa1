"""Protobuf bodies as kubectl 1.32 sends them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.apiserver.errors import ApiError
from cn2.apiserver.protobuf import decode
from cn2.apiserver.protobuf_messages import MESSAGES, ROOTS


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    type_meta = field(1, api_version) + field(2, kind)
    return b"k8s\0" + field(1, type_meta) + field(2, raw) + field(3, "") + field(4, "")


def entry(key: str, value: bytes | str) -> bytes:
    return field(1, key) + field(2, value)


def test_a_namespace() -> None:
    metadata = field(1, "ns1") + field(2, "") + field(3, "") + field(8, b"")
    raw = field(1, metadata) + field(2, b"") + field(3, field(1, ""))

    assert decode(body("v1", "Namespace", raw)) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ns1"},
    }


def test_maps_bytes_and_lists() -> None:
    metadata = field(1, "s") + field(11, entry("a", "b")) + field(14, "x/y") + field(14, "x/z")
    raw = field(1, metadata) + field(2, entry("k", b"\0\1")) + field(3, "Opaque") + field(5, 0)

    assert decode(body("v1", "Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"a": "b"}, "finalizers": ["x/y", "x/z"]},
        "data": {"k": base64.b64encode(b"\0\1").decode()},
        "type": "Opaque",
        "immutable": False,
    }


def test_a_pointer_to_zero_means_something() -> None:
    raw = field(1, 0)

    assert decode(body("v1", "DeleteOptions", raw))["gracePeriodSeconds"] == 0


def test_numbers_texts_and_times() -> None:
    port = field(3, 80) + field(4, field(1, 1) + field(2, 0) + field(3, "http"))
    numbered = field(3, 81) + field(4, field(1, 0) + field(2, 8080))
    service = decode(body("v1", "Service", field(2, field(1, port) + field(1, numbered))))
    event = decode(body("v1", "Event", field(6, field(1, 1_767_225_600)) + field(8, 3)))

    ports = [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8080}]
    assert service["spec"]["ports"] == ports
    assert (event["firstTimestamp"], event["count"]) == ("2026-01-01T00:00:00Z", 3)


def test_unknown_kinds_are_refused_by_name() -> None:
    with pytest.raises(ApiError, match="v1 Thing is not accepted as protobuf"):
        decode(body("example.com/v1", "Thing", b""))


def test_fields_of_an_inline_message_are_the_parents_and_an_empty_pointer_is_kept() -> None:
    volume = field(1, "scratch") + field(2, field(2, b""))  # Volume.VolumeSource.EmptyDir
    port = field(1, 0) + field(2, 80)  # IntOrString: a number
    probe = field(1, field(3, field(1, port))) + field(2, 5)
    container = field(1, "main") + field(10, probe) + field(15, field(2, 0))
    raw = field(1, field(1, "p")) + field(2, field(1, volume) + field(2, container))

    spec = decode(body("v1", "Pod", raw))["spec"]

    assert spec["volumes"] == [{"name": "scratch", "emptyDir": {}}]
    assert spec["containers"][0]["livenessProbe"]["tcpSocket"] == {"port": 80}
    assert spec["containers"][0]["securityContext"] == {"privileged": False}


def test_every_type_of_the_table_is_known() -> None:
    scalars = {"string", "bytes", "bool", "int", "Time", "MicroTime", "IntOrString", "Quantity"}
    known = {*scalars, "Strings", "Raw", *MESSAGES}

    named = {
        field.type.removeprefix("map:") for fields in MESSAGES.values() for field in fields.values()
    }

    assert named <= known
    assert MESSAGES.keys() >= ROOTS


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_a_refusal(data: bytes) -> None:
    for sent in (data, b"k8s\0" + data, body("v1", "Secret", data)):
        try:
            assert isinstance(decode(sent), dict)
        except ApiError as error:
            assert error.code == 400


def test_a_time_beyond_the_calendar_is_malformed() -> None:
    with pytest.raises(ApiError, match="malformed protobuf"):
        decode(body("v1", "Event", field(6, field(1, 1 << 62))))
