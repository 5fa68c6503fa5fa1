"""Loading the compiled object with libbpf, its maps pinned under the layout's version.

A program that is loaded while the pins exist uses the maps behind them: this is how the next
agent adopts the tables of the last one, and how a program is replaced without losing a packet.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Self

from cn2.drivers.bpf.syscall import program_info
from cn2.state.settings import LAYOUT_VERSION

_WARNING = 0
_PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)

_libc = ctypes.CDLL(None, use_errno=True)


class LoadError(Exception):
    """The kernel or libbpf refused the object; the text is their log."""


def pin_directory(base: Path) -> Path:
    """Where the pins of this layout are, under a node's directory of a bpf file system."""
    return base / f"v{LAYOUT_VERSION}"


class Loaded:
    """The object in the kernel. Closing it leaves attached programs and pinned maps alone."""

    def __init__(self, object_file: Path, pins: Path) -> None:
        """Load `object_file` on the maps pinned in `pins`, which are made when they are missing.

        Raises LoadError, also when a pinned map has another layout.
        """
        pins.mkdir(parents=True, exist_ok=True)
        self._libbpf = _library()
        self._log: list[str] = []
        self._print = _PRINT(self._keep)
        self._libbpf.libbpf_set_print(self._print)
        self._object = self._libbpf.bpf_object__open_file(os.fsencode(object_file), None)
        if not self._object:
            raise self._failure(object_file)
        self._pin_maps(pins)
        if self._libbpf.bpf_object__load(self._object) != 0:
            failure = self._failure(object_file)
            self.close()
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def program(self, name: str) -> int:
        """The descriptor of a program, open as long as this object is."""
        found = self._libbpf.bpf_object__find_program_by_name(self._object, name.encode())
        if not found:
            raise KeyError(name)
        return int(self._libbpf.bpf_program__fd(found))

    def program_id(self, name: str) -> int:
        """The kernel's id of a program, to compare with what is attached."""
        return program_info(self.program(name)).id

    def close(self) -> None:
        """Close all descriptors."""
        if self._object:
            self._libbpf.bpf_object__close(self._object)
            self._object = None

    def _pin_maps(self, pins: Path) -> None:
        each = self._libbpf.bpf_object__next_map(self._object, None)
        while each:
            name = self._libbpf.bpf_map__name(each)
            if b"." not in name:  # constants such as .rodata belong to the program
                self._libbpf.bpf_map__set_pin_path(each, os.fsencode(pins) + b"/" + name)
            each = self._libbpf.bpf_object__next_map(self._object, each)

    def _keep(self, level: int, form: bytes, arguments: int) -> int:
        if level != _WARNING:
            return 0
        text = ctypes.create_string_buffer(1 << 16)
        _libc.vsnprintf(text, len(text), form, ctypes.c_void_p(arguments))
        self._log.append(text.value.decode(errors="replace").rstrip())
        return 0

    def _failure(self, object_file: Path) -> LoadError:
        return LoadError("\n".join([f"cannot load {object_file}", *self._log]))


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("libbpf_set_print", pointer, (_PRINT,)),
        ("bpf_object__open_file", pointer, (text, pointer)),
        ("bpf_object__load", ctypes.c_int, (pointer,)),
        ("bpf_object__close", None, (pointer,)),
        ("bpf_object__next_map", pointer, (pointer, pointer)),
        ("bpf_map__name", text, (pointer,)),
        ("bpf_map__set_pin_path", ctypes.c_int, (pointer, text)),
        ("bpf_object__find_program_by_name", pointer, (pointer, text)),
        ("bpf_program__fd", ctypes.c_int, (pointer,)),
    ):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
