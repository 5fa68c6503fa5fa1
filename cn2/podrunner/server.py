"""What the API server asks of a node: logs, exec, attach and port-forward, on a unix socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from aiohttp import web

from cn2.api.kind import Object
from cn2.api.kubernetes.mirror import LOG_FILE, is_mirror
from cn2.client.unix_server import serving
from cn2.drivers.cgroups import Cgroups
from cn2.podrunner import logs, record
from cn2.podrunner.crilog import BadOption, LogOptions, options
from cn2.podrunner.execution import attach, connect, execute
from cn2.podrunner.place import PodPlace
from cn2.podrunner.runs import Run, container_named, containers
from cn2.podrunner.streaming import ExitStatus, Session, serve_exec, serve_portforward

log = structlog.get_logger(__name__)

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class Refusal(Exception):
    """An answer that is no log and no stream; as kubelet's it is plain text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class PodServer:
    """The routes, for the pods that `find` (namespace, name) knows."""

    def __init__(
        self, find: Callable[[str, str], Object | None], data_dir: Path, cgroups: Cgroups
    ) -> None:
        self._find = find
        self._data_dir = data_dir
        self._cgroups = cgroups

    @asynccontextmanager
    async def serve(self, socket: Path) -> AsyncIterator[None]:
        """Answers on `socket` (mode 0600) while the context lasts."""
        app = web.Application(middlewares=[_refusals])
        app.router.add_get("/logs/{namespace}/{pod}", self._logs)
        app.router.add_get("/logs/{namespace}/{pod}/{container}", self._logs)
        for method in ("GET", "POST"):
            for verb, handler in (("exec", self._exec), ("attach", self._attach)):
                app.router.add_route(method, f"/{verb}/{{namespace}}/{{pod}}", handler)
                app.router.add_route(
                    method, f"/{verb}/{{namespace}}/{{pod}}/{{container}}", handler
                )
            app.router.add_route(method, "/portforward/{namespace}/{pod}", self._portforward)
        # Who follows a silent log and goes must not leave a task and an inotify instance behind.
        async with serving(app, socket, handler_cancellation=True):
            yield

    def _pod(self, request: web.Request) -> Object:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        pod = self._find(namespace, name)
        if pod is None:
            raise Refusal(404, f'pods "{name}" not found')
        return pod

    def _place(self, pod: Object) -> PodPlace:
        return PodPlace(self._data_dir, pod["metadata"]["uid"])

    def _run_of(self, pod: Object, name: str) -> Run | None:
        runs = record.read_runs(self._place(pod)).get(name)
        return runs[-1] if runs else None

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        wanted = options(request.query, time.time())
        if is_mirror(pod):
            return await self._mirror_log(request, pod, wanted)
        name = container_name(pod, request.match_info.get("container", ""))
        place = self._place(pod)
        run = self._logged_run(place, pod, name, wanted)

        def ended() -> bool:
            known = record.read_runs(place).get(name, ())
            return not any(other.attempt == run.attempt and other.running for other in known)

        return await _stream(request, place.log(name, run.attempt), wanted, ended=ended)

    def _logged_run(self, place: PodPlace, pod: Object, name: str, wanted: LogOptions) -> Run:
        runs = record.read_runs(place).get(name, ())
        if wanted.previous:
            if len(runs) < 2:
                who = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
                raise Refusal(400, f"previous terminated {who} not found")
            return runs[-2]
        if not runs:
            raise Refusal(400, _waiting(pod, name))
        return runs[-1]

    async def _mirror_log(
        self, request: web.Request, pod: Object, wanted: LogOptions
    ) -> web.StreamResponse:
        """A process of the system: its own log file, only below the data directory's log."""
        named = (pod["metadata"].get("annotations") or {}).get(LOG_FILE, "")
        path = Path(named).resolve()
        allowed = (self._data_dir / "log").resolve()
        if not named or allowed not in path.parents or not path.is_file():
            raise Refusal(404, f"no log of pod {pod['metadata']['name']}")
        return await _stream(request, path, wanted, ended=lambda: False, cri=False)

    def _target(self, request: web.Request) -> tuple[PodPlace, str]:
        """The pod's place and the present run (NAME/ATTEMPT) of the container asked for."""
        pod = self._pod(request)
        if is_mirror(pod):
            raise Refusal(400, "a process of the system has no container to enter")
        asked = request.match_info.get("container", "") or request.query.get("container", "")
        name = container_name(pod, asked)
        run = self._run_of(pod, name)
        if run is None or not run.running:
            raise Refusal(400, f'container "{name}" is not running')
        return self._place(pod), f"{name}/{run.attempt}"

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        place, run = self._target(request)
        words = request.query.getall("command", [])
        if not words:
            raise Refusal(400, "you must specify at least 1 command")

        async def command(session: Session) -> ExitStatus:
            return await execute(place, self._cgroups, run, words, session)

        return await serve_exec(request, command)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        place, run = self._target(request)

        async def join(session: Session) -> ExitStatus:
            return await attach(place, run, session)

        return await serve_exec(request, join)

    async def _portforward(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        place = self._place(pod)
        if is_mirror(pod) or not place.identity.exists():
            raise Refusal(400, "the pod has no network of its own, or is not running")
        return await serve_portforward(request, lambda port: connect(place, port))


def container_name(pod: Object, asked: str) -> str:
    """The container meant: the one named, the default one, the only or first one."""
    if not asked:
        annotations = pod["metadata"].get("annotations") or {}
        asked = annotations.get(DEFAULT_CONTAINER) or containers(pod)[0]["name"]
    if container_named(pod, asked) is None:
        raise Refusal(400, f"container {asked} is not valid for pod {pod['metadata']['name']}")
    return asked


def _waiting(pod: Object, name: str) -> str:
    status = pod.get("status") or {}
    states = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    waits = {s["name"]: (s.get("state") or {}).get("waiting") or {} for s in states}
    reason = waits.get(name, {}).get("reason", "ContainerCreating")
    pod_name = pod["metadata"]["name"]
    return f'container "{name}" in pod "{pod_name}" is waiting to start: {reason}'


async def _stream(
    request: web.Request, path: Path, wanted: LogOptions, *, ended: logs.Ended, cri: bool = True
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    with suppress(ConnectionResetError):
        async for data in logs.read(path, wanted, ended=ended, cri=cri):
            await response.write(data)
        await response.write_eof()
    return response


@web.middleware
async def _refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as error:
        return web.Response(status=error.code, text=str(error))
    except BadOption as error:
        return web.Response(status=400, text=str(error))
