"""The smallest map and the smallest program: whether this kernel takes any from us."""

from __future__ import annotations

import ctypes
import struct

from cn2.drivers.bpf.syscall import bpf

_MAP_CREATE, _PROG_LOAD = 0, 5
_HASH, _SCHED_CLS = 1, 3
_RETURN_0 = struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)
"""r0 = 0; exit (RFC 9669)."""
_LICENSE = b"Dual MIT/GPL\0"


def new_map() -> int:
    """A descriptor of a hash of one entry; the caller closes it. Raises OSError."""
    packed = struct.pack("=5I", _HASH, 4, 4, 1, 0)
    return bpf(_MAP_CREATE, ctypes.create_string_buffer(packed, len(packed)))


def new_program() -> int:
    """A descriptor of a filter that does nothing; the caller closes it. Raises OSError."""
    instructions = ctypes.create_string_buffer(_RETURN_0, len(_RETURN_0))
    license = ctypes.create_string_buffer(_LICENSE, len(_LICENSE))
    packed = struct.pack(
        "=IIQQIIQII",
        *(_SCHED_CLS, len(_RETURN_0) // 8),
        *(ctypes.addressof(instructions), ctypes.addressof(license)),
        *(0, 0, 0, 0, 0),
    )
    return bpf(_PROG_LOAD, ctypes.create_string_buffer(packed, len(packed)))
