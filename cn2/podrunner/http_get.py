"""The httpGet action of probes and hooks, from inside the pod's network namespace."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from cn2.api.kind import Object
from cn2.podrunner.probes import Outcome, Result

_USER_AGENT = "kube-probe/1.32"
_REDIRECTS = 10
_BODY = 10 * 1024
"""Bytes of an answer that are read."""

Opened = Callable[[str], Awaitable[socket.socket]]
"""Makes a TCP socket for an address in the pod's network namespace, not connected."""


async def http_get(open_socket: Opened, action: Object, host: str, port: int) -> Outcome:
    """GETs `action`'s path. Every status from 200 to 399 passes, as with kubelet.

    Certificates are not verified. Redirects to the same host are followed.
    """
    url = _url(action, host, port)
    target = url
    try:
        for _ in range(_REDIRECTS):
            status, location, body = await _request(open_socket, target, action, host)
            if not 300 <= status < 400 or not location:
                return _judged(status)
            target = target.join(URL(location))
            if target.host != url.host:
                return Outcome(Result.WARNED, f"Probe terminated redirects, Response body: {body}")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(Result.FAILED, f'Get "{url}": {_said(error, host, port)}')
    return Outcome(Result.FAILED, f'Get "{target}": stopped after {_REDIRECTS} redirects')


def _judged(status: int) -> Outcome:
    if 200 <= status < 400:
        return Outcome(Result.PASSED)
    return Outcome(Result.FAILED, f"HTTP probe failed with statuscode: {status}")


def _url(action: Object, host: str, port: int) -> URL:
    shown = f"[{host}]" if ":" in host else host
    path = "/" + str(action.get("path") or "/").removeprefix("/")
    return URL(f"{str(action.get('scheme') or 'HTTP').lower()}://{shown}:{port}{path}")


def _headers(action: Object) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for header in action.get("httpHeaders") or []:
        headers.add(header["name"], header["value"])
    headers.setdefault("User-Agent", _USER_AGENT)
    headers.setdefault("Accept", "*/*")
    return headers


async def _request(
    open_socket: Opened, url: URL, action: Object, address: str
) -> tuple[int, str, str]:
    """Status, Location and the beginning of the body."""
    sock = await open_socket(address)
    given = [sock]
    connector = aiohttp.TCPConnector(
        ssl=False, force_close=True, socket_factory=lambda _: given.pop()
    )
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.get(url, headers=_headers(action), allow_redirects=False) as response,
        ):
            body = await response.content.read(_BODY)
            return (
                response.status,
                response.headers.get("Location", ""),
                body.decode(errors="replace"),
            )
    finally:
        for unused in given:
            unused.close()


def _said(error: Exception, host: str, port: int) -> str:
    """In the words of Go's HTTP client, which people search for."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return dial_error(error.os_error, host, port)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error)


def dial_error(error: OSError, host: str, port: int) -> str:
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    shown = f"[{host}]" if ":" in host else host
    return f"dial tcp {shown}:{port}: connect: {reason}"


async def tcp_connect(open_socket: Opened, host: str, port: int) -> Outcome:
    """The tcpSocket action: passes when a connection can be made."""
    sock = await open_socket(host)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except OSError as error:
        return Outcome(Result.FAILED, dial_error(error, host, port))
    finally:
        sock.close()
    return Outcome(Result.PASSED)
