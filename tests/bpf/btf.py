"""Just enough of BTF (kernel: Documentation/bpf/btf.rst) to see structs and enums of an object."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF = range(1, 9)
VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG = range(9, 18)
TYPE_TAG, ENUM64 = 18, 19
_EXTRA = {INT: 4, ARRAY: 12, VAR: 4, DECL_TAG: 4}
_EACH = {STRUCT: 12, UNION: 12, ENUM: 8, FUNC_PROTO: 8, DATASEC: 12, ENUM64: 12}


@dataclass(frozen=True)
class Member:
    """A field of a struct: offset and size in bytes."""

    name: str
    offset: int
    size: int


class Btf:
    """The types of one ELF object."""

    def __init__(self, path: Path) -> None:
        data = _section(path.read_bytes(), ".BTF")
        header, type_at, type_size, text_at, text_size = struct.unpack_from("=5I", data, 4)
        self._text = data[header + text_at : header + text_at + text_size]
        self._types: list[tuple[str, int, int, int, bytes]] = [("void", 0, 0, 0, b"")]
        at = header + type_at
        while at < header + type_at + type_size:
            name, info, size = struct.unpack_from("=3I", data, at)
            kind, count = (info >> 24) & 0x1F, info & 0xFFFF
            extra = _EXTRA.get(kind, 0) + _EACH.get(kind, 0) * count
            body = data[at + 12 : at + 12 + extra]
            self._types.append((self._name(name), kind, count, size, body))
            at += 12 + extra

    def struct(self, name: str) -> tuple[int, list[Member]]:
        """Size and members of a struct; fields called `pad` are left out."""
        _, _, count, size, body = self._find(name, STRUCT)
        members = []
        for i in range(count):
            label, kind, bits = struct.unpack_from("=3I", body, 12 * i)
            if self._name(label) != "pad":
                members.append(Member(self._name(label), bits // 8, self._size(kind)))
        return size, members

    def enum(self, name: str) -> dict[str, int]:
        """The enumerators of an enum."""
        _, _, count, _, body = self._find(name, ENUM)
        pairs = [struct.unpack_from("=Ii", body, 8 * i) for i in range(count)]
        return {self._name(label): value for label, value in pairs}

    def _find(self, name: str, kind: int) -> tuple[str, int, int, int, bytes]:
        return next(each for each in self._types if each[:2] == (name, kind))

    def _size(self, number: int) -> int:
        _, kind, _, size, body = self._types[number]
        if kind in (INT, STRUCT, UNION, ENUM, FLOAT, ENUM64):
            return size
        if kind == ARRAY:
            element, _, length = struct.unpack("=3I", body)
            return length * self._size(element)
        return 8 if kind == PTR else self._size(size)

    def _name(self, offset: int) -> str:
        return self._text[offset : self._text.index(b"\0", offset)].decode()


def _section(elf: bytes, wanted: str) -> bytes:
    (table,) = struct.unpack_from("=Q", elf, 40)
    entry, count, names = struct.unpack_from("=3H", elf, 58)
    headers = [struct.unpack_from("=IIQQQQ", elf, table + entry * i) for i in range(count)]
    text = headers[names][4]
    for name, _, _, _, offset, size in headers:
        if elf[text + name : elf.index(b"\0", text + name)].decode() == wanted:
            return elf[offset : offset + size]
    raise KeyError(wanted)
