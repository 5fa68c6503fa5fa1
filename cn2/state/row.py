"""A row: one entry of one datapath table, and how it lies in memory.

A row is a frozen dataclass whose first fields are the key of the BPF map and whose other fields
are the value. Field names and layouts are those of the C structs in `bpf/abi.h`; a test compares
them with the BTF of the compiled object, so that encoding needs no code per field.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_type_hints

U8 = Annotated[int, "B"]
U16 = Annotated[int, "H"]
U32 = Annotated[int, "I"]
U64 = Annotated[int, "Q"]
Mac = Annotated[bytes, "6s"]
"""Six bytes as on the wire."""
Ip4 = Annotated[bytes, "4s"]
"""Four bytes as on the wire; all zero where there is none."""
Ip6 = Annotated[bytes, "16s"]
"""Sixteen bytes as on the wire; all zero where there is none."""
Ip = Annotated[bytes, "16s"]
"""Either family in sixteen bytes; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2)."""
U32x64 = Annotated[tuple[int, ...], "64I"]
"""Exactly 64 numbers."""

Key = tuple[int | bytes, ...]

_MAPPED = bytes(10) + b"\xff\xff"


def pack_ip(address: IPv4Address | IPv6Address) -> bytes:
    """The sixteen bytes of an address of either family."""
    return address.packed if address.version == 6 else _MAPPED + address.packed


def unpack_ip(packed: bytes) -> IPv4Address | IPv6Address:
    """The address of sixteen bytes made by `pack_ip`."""
    if packed.startswith(_MAPPED):
        return IPv4Address(packed[12:])
    return IPv6Address(packed)


class Struct:
    """A C struct of named fields with natural alignment and the tail padding a compiler adds."""

    def __init__(self, members: Sequence[tuple[str, str]]) -> None:
        self.names = tuple(name for name, _ in members)
        self.codes = formats = tuple(code for _, code in members)
        largest = max((struct.calcsize("@" + code[-1]) for code in formats), default=1)
        self._struct = struct.Struct(
            "@" + "".join(formats) + {8: "0Q", 4: "0I", 2: "0H"}.get(largest, "")
        )
        self._arrays = {
            i: int(code[:-1]) for i, code in enumerate(formats) if code[-1] == "I" and code != "I"
        }
        self.size = self._struct.size

    def pack(self, values: Sequence[Any]) -> bytes:
        """Encode one value per member; an array member takes a tuple."""
        if not self._arrays:
            return self._struct.pack(*values)
        flat: list[Any] = []
        for index, value in enumerate(values):
            if index in self._arrays:
                flat.extend(value)
            else:
                flat.append(value)
        return self._struct.pack(*flat)

    def unpack(self, data: bytes) -> tuple[Any, ...]:
        """Decode what `pack` encoded."""
        flat = self._struct.unpack(data)
        if not self._arrays:
            return flat
        values: list[Any] = []
        at = 0
        for index in range(len(self.names)):
            if index in self._arrays:
                values.append(flat[at : at + self._arrays[index]])
                at += self._arrays[index]
            else:
                values.append(flat[at])
                at += 1
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Layout:
    """Key and value of one table, and how to take both out of a row."""

    key: Struct
    value: Struct
    key_of: Callable[[Any], Key]
    value_of: Callable[[Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The base of all rows; see `row` for what a subclass must say."""

    TABLE: ClassVar[str]
    """Name of the BPF map, of its pin, and of the C structs `<TABLE>_key` and `<TABLE>_val`."""
    LAYOUT: ClassVar[Layout]

    @property
    def key(self) -> Key:
        """The key fields, in order: what makes this row one entry of its table."""
        return self.LAYOUT.key_of(self)

    def pack_key(self) -> bytes:
        """The key as the kernel's map wants it."""
        return self.LAYOUT.key.pack(self.LAYOUT.key_of(self))

    def pack_value(self) -> bytes:
        """The value as the kernel's map wants it."""
        return self.LAYOUT.value.pack(self.LAYOUT.value_of(self))

    @classmethod
    def unpack(cls, key: bytes, value: bytes) -> Self:
        """The row of a map entry."""
        layout = cls.LAYOUT
        named = dict(zip(layout.key.names, layout.key.unpack(key), strict=True))
        named.update(zip(layout.value.names, layout.value.unpack(value), strict=True))
        return cls(**named)


R = TypeVar("R", bound=Row)


def row(table: str, *, key: int) -> Callable[[type[R]], type[R]]:
    """Make a dataclass the row type of `table`; its first `key` fields are the map's key."""

    def declare(cls: type[R]) -> type[R]:
        hints = get_type_hints(cls, include_extras=True)
        members = [(f.name, hints[f.name].__metadata__[0]) for f in fields(cls)]
        cls.TABLE = table
        cls.LAYOUT = Layout(
            key=Struct(members[:key]),
            value=Struct(members[key:]),
            key_of=_getter([name for name, _ in members[:key]]),
            value_of=_getter([name for name, _ in members[key:]]),
        )
        return cls

    return declare


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    get = operator.attrgetter(*names)
    return get if len(names) > 1 else lambda record: (get(record),)
