"""What the API server asks of a node, over its socket: logs, exec, attach, port-forward."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pod_lab import PodLab, a_pod, pod_lab, until

from cn2.api.kind import Object
from cn2.podrunner.execution import attach, connect, execute
from cn2.podrunner.server import PodServer
from cn2.podrunner.streaming import ExitStatus, Options, Session, Size

pytestmark = pytest.mark.root

FOREVER = "while true; do sleep 0.05; done"


class Person:
    """The other end of a session: keeps what it is shown."""

    def __init__(self, *, stdin: bool = False, tty: bool = False) -> None:
        self.out = b""
        self.err = b""
        self.session = Session(
            options=Options(stdin=stdin, stdout=True, stderr=not tty, tty=tty),
            write_stdout=self._see_out,
            write_stderr=self._see_err,
        )
        if not stdin:
            self.session.stdin.feed_eof()

    async def _see_out(self, data: bytes) -> None:
        self.out += data

    async def _see_err(self, data: bytes) -> None:
        self.err += data


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PodLab]:
    directory = tmp_path / "lab"
    directory.mkdir()
    async with pod_lab(directory) as made:
        yield made


async def started(lab: PodLab, pod: Object) -> None:
    lab.start(pod)
    statuses = lab.api.status
    await until(
        lambda: any("running" in s["state"] for s in statuses.get("containerStatuses") or [])
    )


async def run(lab: PodLab, person: Person, *words: str) -> ExitStatus:
    async with asyncio.timeout(10):
        return await execute(lab.place("uid-1"), lab.node.cgroups, "c0/0", words, person.session)


async def test_a_command_gets_its_streams_and_gives_its_exit_code(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    person = Person(stdin=True)
    person.session.stdin.feed_data(b"typed")
    person.session.stdin.feed_eof()
    status = await run(lab, person, "bash", "-c", "cat; hostname >&2; exit 7")
    assert (person.out, person.err, status.code) == (b"typed", b"vn1-pod\n", 7)


async def test_a_shell_on_a_terminal_has_the_prompt_of_the_walkthrough(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    person = Person(stdin=True, tty=True)
    person.session.resized(Size(132, 43))
    running = asyncio.create_task(run(lab, person, "bash"))
    await until(lambda: b"root@vn1-pod:/#" in person.out)
    person.session.stdin.feed_data(b"tty; stty size; ip -br a show eth0; echo $TERM\n")
    await until(lambda: b"/dev/pts/0" in person.out and b"43 132" in person.out)
    await until(lambda: b"10.9.0.5/16" in person.out and b"xterm" in person.out)
    person.session.resized(Size(80, 24))
    person.session.stdin.feed_data(b"stty size\n")
    await until(lambda: b"24 80" in person.out)
    person.session.stdin.feed_data(b"exit 5\n")
    assert (await running).code == 5


async def test_a_container_ignores_no_signal_whoever_started_the_system(lab: PodLab) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        await started(lab, a_pod("uid-1", FOREVER))
    finally:
        signal.signal(signal.SIGHUP, before)
    person = Person()
    await run(lab, person, "grep", "SigIgn", "/proc/self/status")
    assert int(person.out.split()[-1], 16) == 0


async def test_much_output_to_a_slow_reader_arrives_whole(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    person = Person()
    keep = person.session.write_stdout

    async def slowly(data: bytes) -> None:
        await asyncio.sleep(0.001)
        await keep(data)

    person.session.write_stdout = slowly
    status = await run(lab, person, "head", "-c", "3000000", "/dev/zero")
    assert (len(person.out), status.code) == (3_000_000, 0)


async def test_a_child_that_keeps_the_output_open_does_not_keep_the_session(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    person = Person()
    status = await run(lab, person, "bash", "-c", "sleep 1000 & echo said")
    assert (person.out, status.code) == (b"said\n", 0)


async def test_a_client_that_goes_takes_its_terminal_along(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    person = Person(stdin=True, tty=True)
    running = asyncio.create_task(run(lab, person, "sleep", "1234"))
    init = lab.place("uid-1").identity.read_text().split()[0]
    processes = Path(f"/proc/{init}/root/proc")

    def sleeping() -> bool:
        lines = []
        for path in processes.glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes())
            except OSError:
                continue
        return b"sleep\x001234\x00" in lines

    await until(sleeping)
    person.session.closed.set()
    await running
    await until(lambda: not sleeping())


async def test_a_command_that_is_not_there_is_said_so(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    status = await run(lab, Person(), "no-such-command")
    assert "executable file not found in $PATH" in status.message


async def test_attach_joins_the_terminal_of_the_command_itself(lab: PodLab) -> None:
    pod = a_pod("uid-1", "exec bash")
    pod["spec"]["containers"][0] |= {"stdin": True, "tty": True}
    await started(lab, pod)
    person = Person(stdin=True, tty=True)
    running = asyncio.create_task(attach(lab.place("uid-1"), "c0/0", person.session))
    await asyncio.sleep(0)
    person.session.stdin.feed_data(b"echo $((40+2)); exit\n")
    async with asyncio.timeout(10):
        await running
    assert b"42" in person.out
    assert b"42" in lab.place("uid-1").log("c0", 0).read_bytes()


async def test_attach_without_terminal_ends_the_input_of_the_command(lab: PodLab) -> None:
    pod = a_pod("uid-1", "tr a-z A-Z", restartPolicy="Never")
    pod["spec"]["containers"][0] |= {"stdin": True, "stdinOnce": True}
    await started(lab, pod)
    person = Person(stdin=True)
    person.session.stdin.feed_data(b"shout\n")
    person.session.stdin.feed_eof()
    async with asyncio.timeout(10):
        await attach(lab.place("uid-1"), "c0/0", person.session)
    assert person.out == b"SHOUT\n"


async def test_port_forward_reaches_what_listens_on_the_pods_loopback(lab: PodLab) -> None:
    serve = (
        "import socket; s=socket.create_server(('127.0.0.1', 8080)); print('up', flush=True); "
        "c,_=s.accept(); c.sendall(b'hello'); c.close()"
    )
    await started(lab, a_pod("uid-1", f'exec /usr/bin/python3 -c "{serve}"'))
    log = lab.place("uid-1").log("c0", 0)
    await until(lambda: b"up" in log.read_bytes())
    with pytest.raises(OSError):
        await connect(lab.place("uid-1"), 8081)
    reader, writer = await connect(lab.place("uid-1"), 8080)
    assert await reader.read() == b"hello"
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def node_socket(lab: PodLab, *pods: Object) -> AsyncIterator[aiohttp.ClientSession]:
    known = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in pods}
    socket = lab.directory / "p.sock"
    server = PodServer(lambda *key: known.get(key), lab.node.data_dir, lab.node.cgroups)
    async with server.serve(socket):
        connector = aiohttp.UnixConnector(str(socket))
        async with aiohttp.ClientSession("http://node", connector=connector) as session:
            yield session


async def text(session: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with session.get(path) as answer:
        return answer.status, await answer.text()


async def test_logs_are_served_as_kubectl_asks_for_them(lab: PodLab) -> None:
    pod = a_pod("uid-1", "echo one; echo two; echo three; printf rest", restartPolicy="Never")
    lab.start(pod)
    await until(lambda: lab.api.status.get("phase") == "Succeeded")
    async with node_socket(lab, pod) as node:
        assert await text(node, "/logs/default/vn1-pod") == (200, "one\ntwo\nthree\nrest")
        assert await text(node, "/logs/default/vn1-pod/c0?tailLines=2") == (200, "three\nrest")
        assert await text(node, "/logs/default/vn1-pod/c0?limitBytes=5") == (200, "one\nt")
        assert (await text(node, "/logs/default/vn1-pod/c0?follow=true"))[1].endswith("rest")
        stamped = (await text(node, "/logs/default/vn1-pod/c0?timestamps=true&tailLines=2"))[1]
        assert stamped.splitlines()[0].endswith("Z three")
        assert (await text(node, "/logs/default/vn1-pod/c0?previous=true"))[0] == 400
        assert (await text(node, "/logs/default/vn1-pod/nope"))[0] == 400
        assert (await text(node, "/logs/default/nobody"))[0] == 404
        for wrong in ("tailLines=x", "sinceTime=yesterday"):
            assert (await text(node, f"/logs/default/vn1-pod/c0?{wrong}"))[0] == 400


async def test_a_followed_log_goes_on_until_the_container_ends(lab: PodLab) -> None:
    pod = a_pod("uid-1", "echo a; until [ -e /tmp/go ]; do sleep 0.02; done; echo b")
    pod["spec"]["restartPolicy"] = "Never"
    await started(lab, pod)
    async with node_socket(lab, pod) as node:
        async with node.get("/logs/default/vn1-pod/c0?follow=true") as answer:
            assert await answer.content.readline() == b"a\n"
            await run(lab, Person(), "touch", "/tmp/go")
            assert await answer.content.read() == b"b\n"


def watched_directories() -> int:
    return sum(
        str(path.readlink()) == "anon_inode:inotify"
        for path in Path("/proc/self/fd").iterdir()
        if path.is_symlink()
    )


async def test_who_follows_a_silent_log_and_goes_leaves_nothing_behind(lab: PodLab) -> None:
    pod = a_pod("uid-1", FOREVER)
    await started(lab, pod)
    before = watched_directories()
    async with node_socket(lab, pod) as node:
        answer = await node.get("/logs/default/vn1-pod/c0?follow=true")
        await until(lambda: watched_directories() == before + 1)
        answer.close()
        await until(lambda: watched_directories() == before)


async def test_a_command_that_cannot_be_said_is_refused(lab: PodLab) -> None:
    await started(lab, a_pod("uid-1", FOREVER))
    for words, why in ((["echo", "a\0b"], "NUL"), (["echo", "x" * (1 << 20)], "too many")):
        assert why in (await run(lab, Person(), *words)).message


async def test_a_connection_into_a_pod_that_is_gone_is_refused(lab: PodLab) -> None:
    with pytest.raises(ConnectionRefusedError):
        await connect(lab.place("uid-9"), 80)


async def test_a_system_process_has_its_own_log_file_and_no_other(lab: PodLab) -> None:
    directory = lab.node.data_dir / "log"
    directory.mkdir(parents=True)
    (directory / "agent.log").write_text("line 1\nline 2\n")
    (lab.directory / "secret").write_text("secret\n")
    pods = []
    for name, path in (("agent", directory / "agent.log"), ("bad", lab.directory / "secret")):
        pod = a_pod(name, "x")
        pod["metadata"] |= {
            "name": name,
            "annotations": {"cn2.io/mirror": "true", "cn2.io/log-file": str(path)},
        }
        pods.append(pod)
    async with node_socket(lab, *pods) as node:
        assert await text(node, "/logs/default/agent/c0?tailLines=1") == (200, "line 2\n")
        assert (await text(node, "/logs/default/bad/c0"))[0] == 404
