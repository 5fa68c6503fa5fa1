"""Pinned maps as tables of rows. Keys and values are encoded from the row types."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Generic, Self, TypeVar

from cn2.drivers.bpf.syscall import bpf, dump, map_info, open_pin
from cn2.state.row import Row
from cn2.state.table import ORDER, Change, Put

_LOOKUP, _UPDATE, _DELETE = 1, 2, 3
_ARRAY = 2

R = TypeVar("R", bound=Row)


class MapTable(Generic[R]):
    """One map. The buffers of its calls are its own, so it is not for several threads at once."""

    def __init__(self, pin: Path, row_type: type[R]) -> None:
        self._type = row_type
        self._fd = open_pin(pin)
        layout, info = row_type.LAYOUT, map_info(self._fd)
        if (info.key_size, info.value_size) != (layout.key.size, layout.value.size):
            os.close(self._fd)
            raise ValueError(f"{pin} has another layout: {info}")
        self._is_array = info.type == _ARRAY
        self._key = ctypes.create_string_buffer(layout.key.size)
        self._value = ctypes.create_string_buffer(layout.value.size)
        packed = struct.pack("=QQQQ", self._fd, *map(ctypes.addressof, (self._key, self._value)), 0)
        self._entry = ctypes.create_string_buffer(packed, 32)
        # A removal with a value in its attributes is EINVAL.
        self._key_only = ctypes.create_string_buffer(packed[:16], 16)

    def close(self) -> None:
        """Close the descriptor; the map stays pinned."""
        os.close(self._fd)

    def put(self, row: R) -> None:
        """Write a row, new or in place of the one with its key."""
        self._key.raw = row.pack_key()
        self._value.raw = row.pack_value()
        bpf(_UPDATE, self._entry)

    def delete(self, row: R) -> None:
        """Remove the row with this row's key; a missing one is fine. Arrays are zeroed instead."""
        self._key.raw = row.pack_key()
        if self._is_array:
            self._value.raw = bytes(len(self._value))
            bpf(_UPDATE, self._entry)
            return
        with suppress(FileNotFoundError):
            bpf(_DELETE, self._key_only)

    def get(self, row: R) -> R | None:
        """The row that has this row's key now (in a trie: that matches it best)."""
        self._key.raw = key = row.pack_key()
        try:
            bpf(_LOOKUP, self._entry)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return self._type.unpack(key, self._value.raw)

    def rows(self) -> list[R]:
        """All rows; in an array those that are not all zero."""
        entries = dump(self._fd, len(self._key), len(self._value))
        return [
            self._type.unpack(key, value)
            for key, value in entries
            if not self._is_array or any(value)
        ]


class Maps:
    """The tables of `ORDER` under one directory of pins: reads actual rows, applies changes."""

    def __init__(self, pins: Path) -> None:
        self._tables = {kind: MapTable(pins / kind.TABLE, kind) for kind in ORDER}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all descriptors; the maps stay pinned."""
        for table in self._tables.values():
            table.close()

    def table(self, kind: type[R]) -> MapTable[R]:
        """One table."""
        return self._tables[kind]  # type: ignore[return-value]

    def read(self) -> list[Row]:
        """All rows of all tables, for `Tables.learn`."""
        return [row for table in self._tables.values() for row in table.rows()]

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes in their order. Raises OSError; what was done before it stays done."""
        for change in changes:
            table = self._tables[type(change.row)]
            if isinstance(change, Put):
                table.put(change.row)
            else:
                table.delete(change.row)
