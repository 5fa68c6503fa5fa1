"""What every verb is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cn2.apiserver import codec
from cn2.apiserver.authz import Authorizer
from cn2.apiserver.backend import Backend
from cn2.apiserver.nodes import Nodes
from cn2.apiserver.request import Answer, Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.tokens import Tokens
from cn2.apiserver.watches import Frames
from cn2.apiserver.writes import Written


@dataclass(frozen=True, slots=True)
class Serving:
    backend: Backend
    frames: Frames
    nodes: Nodes
    tokens: Tokens
    authorizer: Authorizer
    """For verbs that do more than their name says; the kernel has checked the verb itself."""


Verb = Callable[[Serving, Request, Target], Awaitable[Answer]]


def warnings(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Warning headers (RFC 7234 section 5.5, code 299), as kubectl prints them."""
    return tuple(("Warning", f"299 - {_quoted(text)}") for text in texts)


def _quoted(text: str) -> str:
    """As JSON has it, and without the one control character that JSON lets pass."""
    return codec.dump(text).decode().replace("\x7f", "\\u007f")


def reply(written: Written, status: int = 200) -> Reply:
    return Reply(status, written.body, headers=warnings(written.warnings))
