"""What every process does alike: health while it runs, a clean stop, a loud failure."""

import asyncio
import json
import resource
import signal
import sys

from kube_server import until

from cn2.client.health import ask

PROGRAM = """
import asyncio, sys
from cn2.main import process

async def work(health):
    health.ready("work", lambda: "")
    {body}

options = process.arguments("demo", "A demonstration.", client=False).parse_args()
sys.exit(process.run("demo", options, work))
"""


async def start(body, *arguments, **options):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.format(body=body),
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        **options,
    )


async def test_a_process_tells_its_health_and_stops_cleanly_when_asked(tmp_path):
    socket = tmp_path / "demo.sock"
    child = await start("await asyncio.Event().wait()", "--health-socket", str(socket))
    await until(socket.exists)
    while (await ask(socket))[0] != 200:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    child.send_signal(signal.SIGTERM)
    _, errors = await child.communicate()

    assert child.returncode == 0
    assert not socket.exists()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [(line["event"], line["process"], line["level"]) for line in lines] == [
        ("started", "demo", "info"),
        ("stopping", "demo", "info"),
    ]


async def test_a_failure_is_logged_with_its_place_and_ends_with_1():
    child = await start("raise ValueError('broken')")

    _, errors = await child.communicate()

    assert child.returncode == 1
    line = json.loads(errors.splitlines()[-1])
    assert line["event"] == "process failed"
    assert "ValueError: broken" in line["exception"]


async def test_a_process_may_open_as_many_files_as_it_can_be_allowed():
    body = "import resource; raise ValueError(resource.getrlimit(resource.RLIMIT_NOFILE))"

    def as_a_shell_does():
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 4000))

    child = await start(body, preexec_fn=as_a_shell_does)

    _, errors = await child.communicate()
    assert "ValueError: (4000, 4000)" in json.loads(errors.splitlines()[-1])["exception"]
