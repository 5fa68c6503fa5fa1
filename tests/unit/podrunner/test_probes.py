"""Probes: what counts, what is said, and the requests that are made, against a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from cn2.api.kind import Object
from cn2.podrunner.http_get import http_get, tcp_connect
from cn2.podrunner.probes import Kind, Outcome, Result, Tally, event_of, port_of, probes_of


def test_a_result_counts_when_it_has_come_often_enough_in_a_row() -> None:
    tally = Tally.of({"failureThreshold": 2, "successThreshold": 3}, verdict=False)
    told = [tally.add(passed) for passed in (True, True, False, True, True, True, False, False)]
    assert told == [False, False, False, False, False, True, False, True]
    assert tally.verdict is False


def test_thresholds_that_are_not_given_are_kubernetes_own() -> None:
    tally = Tally.of({}, verdict=True)
    assert [tally.add(False) for _ in range(3)] == [False, False, True]
    assert tally.add(True)


@pytest.mark.parametrize(
    ("result", "event"),
    [
        (Result.PASSED, None),
        (Result.WARNED, ("ProbeWarning", "Readiness probe warning: why")),
        (Result.FAILED, ("Unhealthy", "Readiness probe failed: why")),
        (
            Result.UNKNOWN,
            ("Unhealthy", "Readiness probe errored and resulted in unknown state: why"),
        ),
    ],
)
def test_the_events_are_kubelets(result: Result, event: tuple[str, str] | None) -> None:
    assert event_of(Kind.READINESS, Outcome(result, "why")) == event


def test_the_probes_of_a_container_are_found() -> None:
    assert probes_of({"livenessProbe": {"exec": {}}, "name": "c"}) == {Kind.LIVENESS: {"exec": {}}}


CONTAINER = {"name": "c", "ports": [{"name": "web", "containerPort": 8080}]}


@pytest.mark.parametrize("port", [8080, "8080", "web"])
def test_a_port_is_named_or_numbered(port: int | str) -> None:
    assert port_of(CONTAINER, port) == 8080


@pytest.mark.parametrize("port", [0, 70000, "ftp"])
def test_a_port_that_is_none_is_said(port: int | str) -> None:
    with pytest.raises(ValueError, match=str(port)):
        port_of(CONTAINER, port)


async def plain_socket(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setblocking(False)
    return sock


class Site:
    """A server whose answers its paths name: /status/CODE, /to/LOCATION."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        verb, _, rest = request.path[1:].partition("/")
        if verb == "to":
            return web.Response(
                status=302, headers={"Location": request.query.get("where", "/to/")}
            )
        return web.Response(status=int(rest or 200))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{tail:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()


async def get(site: Site, path: str, **action: Any) -> Outcome:
    wanted: Object = {"path": path, "port": site.port, **action}
    async with asyncio.timeout(10):
        return await http_get(plain_socket, wanted, "127.0.0.1", site.port)


@pytest.mark.parametrize("code", [200, 204, 302, 399])
async def test_statuses_from_200_to_399_pass(site: Site, code: int) -> None:
    assert await get(site, f"/status/{code}") == Outcome(Result.PASSED)


@pytest.mark.parametrize("code", [400, 404, 500, 503])
async def test_other_statuses_fail(site: Site, code: int) -> None:
    text = f"HTTP probe failed with statuscode: {code}"
    assert await get(site, f"/status/{code}") == Outcome(Result.FAILED, text)


async def test_headers_path_and_query_are_sent(site: Site) -> None:
    headers = [{"name": "Host", "value": "web.example"}, {"name": "X-Why", "value": "probe"}]
    await get(site, "status/200?full=1", httpHeaders=headers)
    request = site.asked[0]
    assert request.path_qs == "/status/200?full=1"
    assert request.headers["Host"] == "web.example"
    assert request.headers["X-Why"] == "probe"
    assert request.headers["User-Agent"].startswith("kube-probe/")


async def test_redirects_are_followed_on_the_same_host_alone(site: Site) -> None:
    text = "HTTP probe failed with statuscode: 500"
    assert await get(site, "/to/?where=/status/500") == Outcome(Result.FAILED, text)
    away = await get(site, "/to/?where=http://198.51.100.1/status/500")
    assert away.result is Result.WARNED and away.passed
    circle = await get(site, "/to/")
    assert circle.result is Result.FAILED and circle.text.endswith("stopped after 10 redirects")


async def test_nobody_there_is_said_as_go_says_it() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    dial = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert await tcp_connect(plain_socket, "127.0.0.1", port) == Outcome(Result.FAILED, dial)
    outcome = await http_get(plain_socket, {"path": "/x"}, "127.0.0.1", port)
    assert outcome == Outcome(Result.FAILED, f'Get "http://127.0.0.1:{port}/x": {dial}')


async def test_a_connection_is_enough_for_tcp(site: Site) -> None:
    assert (await tcp_connect(plain_socket, "127.0.0.1", site.port)).passed


async def test_what_is_no_http_fails() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        outcome = await http_get(plain_socket, {}, "127.0.0.1", port)
    assert outcome.result is Result.FAILED
