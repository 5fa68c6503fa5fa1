"""The bpf(2) system call: maps, objects, trial runs. One function per command used here."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass
from pathlib import Path

_NUMBER = {"x86_64": 321, "aarch64": 280}[platform.machine()]
_OBJ_PIN, _OBJ_GET, _TEST_RUN, _INFO_BY_FD, _LOOKUP_BATCH = 6, 7, 10, 15, 24
_BATCH = 1024
_SKB_SIZE, _SKB_IFINDEX = 192, 40

_libc = ctypes.CDLL(None, use_errno=True)


def bpf(command: int, attributes: ctypes.Array[ctypes.c_char]) -> int:
    """Call bpf(2) and return its result. Raises OSError."""
    result = int(_libc.syscall(_NUMBER, command, attributes, len(attributes)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"bpf command {command}: {os.strerror(code)}")
    return result


def open_pin(path: Path) -> int:
    """A descriptor of the map or program pinned at `path`; the caller closes it."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    packed = struct.pack("=QII", ctypes.addressof(name), 0, 0)
    return bpf(_OBJ_GET, ctypes.create_string_buffer(packed, len(packed)))


@dataclass(frozen=True, slots=True)
class MapInfo:
    """What the kernel says of a map; sizes in bytes."""

    type: int
    id: int
    key_size: int
    value_size: int
    max_entries: int


def map_info(fd: int) -> MapInfo:
    """Describe the map of a descriptor."""
    return MapInfo(*struct.unpack_from("=5I", _info(fd, 88)))


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    """What the kernel says of a program; `verified` counts the verifier's steps."""

    id: int
    verified: int


def program_info(fd: int) -> ProgramInfo:
    """Describe the program of a descriptor."""
    data = _info(fd, 232)
    return ProgramInfo(*struct.unpack_from("=I", data, 4), *struct.unpack_from("=I", data, 216))


def _info(fd: int, size: int) -> bytes:
    info = ctypes.create_string_buffer(size)
    packed = struct.pack("=IIQ", fd, size, ctypes.addressof(info))
    bpf(_INFO_BY_FD, ctypes.create_string_buffer(packed, len(packed)))
    return info.raw


def dump(fd: int, key_size: int, value_size: int) -> list[tuple[bytes, bytes]]:
    """All entries of a map; entries that come and go meanwhile may be missing or seen."""
    found: list[tuple[bytes, bytes]] = []
    keys = ctypes.create_string_buffer(key_size * _BATCH)
    values = ctypes.create_string_buffer(value_size * _BATCH)
    cursor = ctypes.create_string_buffer(max(key_size, 4))
    start, done = 0, False
    while not done:
        pointers = (start, *map(ctypes.addressof, (cursor, keys, values)))
        packed = struct.pack("=4QIIQQ", *pointers, _BATCH, fd, 0, 0)
        attributes = ctypes.create_string_buffer(packed, len(packed))
        try:
            bpf(_LOOKUP_BATCH, attributes)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            done = True
        (count,) = struct.unpack_from("=I", attributes.raw, 32)
        for i in range(count):
            key = keys.raw[i * key_size : (i + 1) * key_size]
            found.append((key, values.raw[i * value_size : (i + 1) * value_size]))
        start = ctypes.addressof(cursor)
    return found


@dataclass(frozen=True, slots=True)
class Trial:
    """What a program made of a packet: its action, the packet afterwards, nanoseconds taken."""

    action: int
    packet: bytes
    duration: int


def trial_run(program: int, packet: bytes, ifindex: int, *, repeat: int = 1) -> Trial:
    """Give a program a packet as if it came in on a link of the current namespace.

    With `repeat`, the program sees its own output again each time. Redirects are not carried out,
    clones are.
    """
    given = ctypes.create_string_buffer(packet, len(packet))
    made = ctypes.create_string_buffer(len(packet) + 2048)
    context = ctypes.create_string_buffer(_SKB_SIZE)
    struct.pack_into("=I", context, _SKB_IFINDEX, ifindex)
    packed = struct.pack(
        "=4I2Q4I2Q4I",
        *(program, 0, len(given), len(made)),
        *(ctypes.addressof(given), ctypes.addressof(made)),
        *(repeat, 0, _SKB_SIZE, 0),
        *(ctypes.addressof(context), 0),
        *(0, 0, 0, 0),
    )
    attributes = ctypes.create_string_buffer(packed, len(packed))
    bpf(_TEST_RUN, attributes)
    _, action, _, size = struct.unpack_from("=4I", attributes)
    (duration,) = struct.unpack_from("=I", attributes, 36)
    return Trial(action, made.raw[:size], duration)
