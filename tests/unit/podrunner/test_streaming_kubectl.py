"""The streams with real kubectls: the one on PATH and, where it is there, Debian 12's 1.20."""

import asyncio
import contextlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from aiohttp import web

from cn2.podrunner.streaming import ExitStatus, serve_exec, serve_portforward

pytestmark = [pytest.mark.kubectl, pytest.mark.timeout(60)]

OLD = Path(sys.prefix) / "debian/usr/bin/kubectl"
KUBECTLS = [shutil.which("kubectl") or "kubectl", *([str(OLD)] if OLD.exists() else [])]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "one", "image": "none"}]},
    "status": {"phase": "Running"},
}
PODS = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": "v1",
    "resources": [
        {
            "name": "pods",
            "singularName": "pod",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get", "list"],
        }
    ],
}
DOCUMENTS = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": PODS,
    "/api/v1/namespaces/default/pods/web": POD,
}


async def run(session):
    """Echo stdin in capitals to stdout, then say goodbye on stderr."""
    while chunk := await session.stdin.read(65536):
        await session.write_stdout(chunk.upper())
    if not session.options.tty:
        await session.write_stderr(b"goodbye\n")
    return ExitStatus(3)


async def connect(port):
    return await asyncio.open_connection("127.0.0.1", port)


async def answer(request):
    if request.path.endswith("/exec"):
        return await serve_exec(request, run)
    if request.path.endswith("/portforward"):
        return await serve_portforward(request, connect)
    document = DOCUMENTS.get(request.path)
    return web.json_response(document or {}, status=200 if document else 404)


@pytest.fixture(params=KUBECTLS)
async def kubectl(request, tmp_path):
    """Start a kubectl against a server of streams."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = f"--server=http://127.0.0.1:{runner.addresses[0][1]}"
    pipe = asyncio.subprocess.PIPE

    async def start(*arguments):
        return await asyncio.create_subprocess_exec(
            request.param,
            server,
            *arguments,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    yield start
    await runner.cleanup()


async def test_exec_carries_all_streams_and_the_exit_code(kubectl):
    command = await kubectl("exec", "-i", "web", "--", "command")
    data = b"some text\n" * 100_000
    out, err = await command.communicate(data)
    assert out == data.upper()
    assert err.startswith(b"goodbye\n")
    assert command.returncode == 3


async def shout(reader, writer):
    while chunk := await reader.read(65536):
        writer.write(chunk.upper())
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def forwarded(kubectl, port):
    """kubectl's local port for a port of the pod."""
    command = await kubectl("port-forward", "web", f":{port}")
    try:
        line = (await command.stdout.readline()).decode()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert found, json.dumps([line, (await command.stderr.read()).decode()])
        yield int(found[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            command.terminate()
        await command.communicate()


async def test_port_forward_carries_several_connections(kubectl):
    target = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with target, forwarded(kubectl, target.sockets[0].getsockname()[1]) as port:
        for size in (1, 50_000):
            reader, writer = await connect(port)
            writer.write(b"text\n" * size)
            writer.write_eof()
            assert await reader.read() == b"TEXT\n" * size
            writer.close()
