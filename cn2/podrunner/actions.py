"""Carries out the actions of probes and hooks on a running container.

Connections are made from a socket of the pod's own network namespace to the pod's first address
(eth0's on its default network), so a process must listen there and not on the loopback alone, as
for a real kubelet. They are not made from the node: the node's kernel never sees a pod's address,
and what its policies admit is not what a probe is to find out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import Callable

from cn2.api.kind import Object
from cn2.drivers.cgroups import Cgroups
from cn2.podrunner.execution import Descriptor, begin
from cn2.podrunner.http_get import http_get, tcp_connect
from cn2.podrunner.initlink import Channel, InitGone, Refused, pod_socket
from cn2.podrunner.place import PodPlace
from cn2.podrunner.probes import Outcome, Result, port_of
from cn2.podrunner.records import decode
from cn2.podrunner.spec import exec_records

_OUTPUT = 10 * 1024
"""Bytes of a command's output that are told."""


class Actions:
    """For the containers of one pod."""

    def __init__(
        self, cgroups: Cgroups, place: PodPlace, addresses: Callable[[], tuple[str, ...]]
    ) -> None:
        self._cgroups = cgroups
        self._place = place
        self._addresses = addresses

    async def perform(
        self, container: Object, attempt: int, action: Object, seconds: float
    ) -> Outcome:
        """One exec, httpGet, tcpSocket or sleep, on this run; at most so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._perform(container, attempt, action)
        except TimeoutError:
            return Outcome(Result.FAILED, self._late(container, action, seconds))
        except (Refused, InitGone, ValueError, OSError) as error:
            return Outcome(Result.UNKNOWN, str(error))

    async def _perform(self, container: Object, attempt: int, action: Object) -> Outcome:
        if "exec" in action:
            run = f"{container['name']}/{attempt}"
            return await self._command(run, action["exec"].get("command") or [])
        if "httpGet" in action:
            host, port = self._target(container, action["httpGet"])
            return await http_get(self._socket, action["httpGet"], host, port)
        if "tcpSocket" in action:
            host, port = self._target(container, action["tcpSocket"])
            return await tcp_connect(self._socket, host, port)
        if "sleep" in action:
            await asyncio.sleep(action["sleep"].get("seconds") or 0)
            return Outcome(Result.PASSED)
        kinds = ", ".join(action) or "nothing"
        return Outcome(Result.UNKNOWN, f"exec, httpGet or tcpSocket is wanted, not {kinds}")

    def _target(self, container: Object, wanted: Object) -> tuple[str, int]:
        """The address and port meant. Raises ValueError."""
        port = port_of(container, wanted["port"])
        addresses = self._addresses()
        host = str(wanted.get("host") or "") or (addresses[0] if addresses else "")
        try:
            return str(ipaddress.ip_address(host)), port
        except ValueError:
            if not host:
                raise ValueError("the pod has no address yet") from None
            raise ValueError(f"host {host!r} is not an address: names are not looked up") from None

    async def _socket(self, host: str) -> socket.socket:
        return await pod_socket(self._place.directory, v6=":" in host)

    async def _command(self, run: str, words: list[str]) -> Outcome:
        """Runs a command in the container; killed when this is cancelled."""
        name, _, attempt = run.rpartition("/")
        spec = decode(self._place.spec(name, int(attempt)).read_bytes())
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        output = Descriptor(read_end)
        try:
            with Channel(self._place.directory) as channel:
                try:
                    await begin(
                        channel,
                        self._cgroups,
                        self._place.uid,
                        run,
                        exec_records(spec, words, mortal=True),
                        [("stdout", write_end), ("stderr", write_end)],
                    )
                finally:
                    os.close(write_end)
                return await self._outcome(channel, output)
        finally:
            output.close()

    async def _outcome(self, channel: Channel, output: Descriptor) -> Outcome:
        said = bytearray()

        async def read() -> None:
            while data := await output.read():
                said.extend(data[: _OUTPUT - len(said)])

        reading = asyncio.create_task(read())
        try:
            ended, _ = await channel.answer()
        finally:
            # What the command has left running may hold the pipe for ever.
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        text = said.decode(errors="replace")
        return Outcome(Result.FAILED if int(ended["exit"]) else Result.PASSED, text)

    def _late(self, container: Object, action: Object, seconds: float) -> str:
        if "exec" in action:
            words = " ".join(action["exec"].get("command") or [])
            return f'command timed out: "{words}" timed out after {seconds:g}s'
        try:
            host, port = self._target(container, action.get("httpGet") or action["tcpSocket"])
        except (KeyError, ValueError):
            return f"timed out after {seconds:g}s"
        shown = f"[{host}]" if ":" in host else host
        if "tcpSocket" in action:
            return f"dial tcp {shown}:{port}: i/o timeout"
        scheme = str(action["httpGet"].get("scheme") or "HTTP").lower()
        path = action["httpGet"].get("path") or "/"
        return (
            f'Get "{scheme}://{shown}:{port}{path}": context deadline exceeded '
            "(Client.Timeout exceeded while awaiting headers)"
        )
