"""A route netlink socket in the namespace where it was made."""

from __future__ import annotations

import os
import socket
import struct
from typing import Self

from cn2.drivers.netlink.wire import Message, attributes, messages

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_ACK_TLVS = 0x200
_NLM_F_DUMP_INTR = 0x10
_NLM_F_CAPPED = 0x100
_NLMSGERR_ATTR_MSG = 1
_SOL_NETLINK = 270
_NETLINK_EXT_ACK = 11
_NETLINK_CAP_ACK = 10
_ANSWER_SECONDS = 10.0


class NetlinkError(OSError):
    """The kernel refused a message: errno, and which message it was."""


class Netlink:
    """Sends batches and collects their acknowledgements. Not for several threads at once."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._socket.settimeout(_ANSWER_SECONDS)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def request(self, *batch: Message) -> None:
        """Have the kernel do all messages, in order, in one system call.

        The kernel goes on after a message that fails. Raises NetlinkError for the first failure
        that its message does not allow, after all answers have come.
        """
        waiting: dict[int, Message] = {}
        packed = bytearray()
        for message in batch:
            self._sequence += 1
            waiting[self._sequence] = message
            packed += message.pack(self._sequence)
        self._socket.send(packed)
        failure: NetlinkError | None = None
        while waiting:
            for kind, flags, sequence, body in messages(self._socket.recv(1 << 16)):
                if kind != _NLMSG_ERROR or sequence not in waiting:
                    continue
                error = _failure(waiting.pop(sequence), flags, body)
                failure = failure or error
        if failure:
            raise failure

    def dump(self, message: Message) -> list[tuple[int, bytes]]:
        """All answers to a dump request as (type, body). Starts over when a dump was torn."""
        while True:
            self._sequence += 1
            wanted = self._sequence
            self._socket.send(message.pack(wanted))
            found: list[tuple[int, bytes]] = []
            torn = done = False
            while not done:
                for kind, flags, sequence, body in messages(self._socket.recv(1 << 18)):
                    if sequence != wanted:
                        continue
                    torn = torn or bool(flags & _NLM_F_DUMP_INTR)
                    done = kind in (_NLMSG_DONE, _NLMSG_ERROR)
                    if kind == _NLMSG_ERROR and (error := _failure(message, flags, body)):
                        raise error
                    if not done:
                        found.append((kind, body))
            if not torn:
                return found


def _failure(message: Message, flags: int, body: bytes) -> NetlinkError | None:
    errno = -int(struct.unpack_from("=i", body)[0])
    if errno == 0 or errno in message.allow:
        return None
    said = ""
    if flags & _NLM_F_ACK_TLVS:
        head = 20 if flags & _NLM_F_CAPPED else 4 + struct.unpack_from("=I", body, 4)[0]
        said = attributes(body[head:]).get(_NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()
    reason = f"{os.strerror(errno)} ({said})" if said else os.strerror(errno)
    return NetlinkError(errno, f"{message.what}: {reason}")
