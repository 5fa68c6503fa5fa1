"""A kernel over a store in memory, with a clock that stands still until it is told to move."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cn2.api.kinds import KINDS
from cn2.apiserver import bootstrap
from cn2.apiserver.backend import Backend
from cn2.apiserver.kernel import Kernel
from cn2.apiserver.request import Answer, Reply, Request, Stream, User
from cn2.apiserver.tokens import Tokens
from cn2.store.logged import LoggedStore, memory_store

ADMIN = User("admin", ("system:masters", "system:authenticated"))


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeNodes:
    """Nodes that answer with the path they were asked for."""

    def socket(self, node: str) -> Path:
        return Path(f"/nodes/{node}.sock")

    async def read(self, node: str, path_qs: str) -> AsyncGenerator[bytes, None]:
        async def body() -> AsyncGenerator[bytes, None]:
            yield f"{node} {path_qs}".encode()

        return body()


@dataclass
class Answered:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class WatchReader:
    """A watch stream, event by event."""

    def __init__(self, stream: Stream) -> None:
        self._chunks = stream.chunks
        self._lines: list[bytes] = []

    async def next(self) -> dict[str, Any]:
        while not self._lines:
            self._lines = (await anext(self._chunks)).splitlines()
        event: dict[str, Any] = json.loads(self._lines.pop(0))
        return event

    async def told(self, count: int) -> list[tuple[str, str]]:
        """Type and name of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(e["type"], e["object"]["metadata"].get("name", "")) for e in events]

    async def close(self) -> None:
        await self._chunks.aclose()


class Api:
    """A client of the kernel; answers are decoded."""

    def __init__(self, kernel: Kernel, backend: Backend, clock: Clock) -> None:
        self.kernel = kernel
        self.backend = backend
        self.clock = clock

    async def ask(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        user: User = ADMIN,
        content_type: str = "application/json",
        accept: str = "application/json",
        agent: str = "tester/1.0",
    ) -> Answer:
        path, _, query = url.partition("?")
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return await self.kernel.handle(
            Request(
                method=method,
                path=path,
                user=user,
                query=dict(parse_qsl(query, keep_blank_values=True)),
                raw_query=query,
                headers={"content-type": content_type, "accept": accept, "user-agent": agent},
                body=raw,
            )
        )

    async def __call__(self, method: str, url: str, body: Any = None, **how: Any) -> Answered:
        answer = await self.ask(method, url, body, **how)
        assert isinstance(answer, Reply)
        decoded = (
            json.loads(answer.body)
            if answer.content_type.startswith("application/json")
            else answer.body
        )
        return Answered(answer.status, decoded, dict(answer.headers))

    async def get(self, url: str, **how: Any) -> Any:
        """The object at `url`, which must be there."""
        answered = await self("GET", url, **how)
        assert answered.status == 200, answered
        return answered.body

    async def create(self, url: str, obj: Any, **how: Any) -> Any:
        answered = await self("POST", url, obj, **how)
        assert answered.status == 201, answered
        return answered.body

    async def merge(self, url: str, patch: Any, **how: Any) -> Any:
        how.setdefault("content_type", "application/merge-patch+json")
        answered = await self("PATCH", url, patch, **how)
        assert answered.status == 200, answered
        return answered.body

    async def watch(self, url: str, **how: Any) -> WatchReader:
        answer = await self.ask("GET", url + ("&" if "?" in url else "?") + "watch=1", **how)
        assert isinstance(answer, Stream), answer
        return WatchReader(answer)


@pytest.fixture
async def store() -> AsyncIterator[LoggedStore]:
    opened = await memory_store(max_events=200)
    yield opened
    await opened.close()


@pytest.fixture
async def api(store: LoggedStore) -> Api:
    return await api_over(store)


@pytest.fixture
def new_api() -> Callable[[], AbstractAsyncContextManager[Api]]:
    """A server for tests that bring their own event loop."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[Api]:
        opened = await memory_store(max_events=200)
        try:
            yield await api_over(opened)
        finally:
            await opened.close()

    return begin


async def api_over(store: LoggedStore) -> Api:
    clock = Clock()
    backend = Backend(store=store, clock=clock)
    await bootstrap.ensure(backend, 6443)
    tokens = Tokens(ec.generate_private_key(ec.SECP256R1()), clock)
    return Api(Kernel(backend, tokens, FakeNodes(), KINDS), backend, clock)
